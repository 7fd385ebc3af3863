"""The page's process: what it answers to a browser, and when it ends."""

import asyncio
import json
import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import uvicorn
from fastapi import FastAPI, Request, Response
from nicegui import Client, ui

from al_bench.annotation.desk import Desk, worded
from al_bench.annotation.fitting import UnfitError
from al_bench.annotation.known import classes_of, run_of, state_of, tiles_of
from al_bench.annotation.neighbor import WHOSE, Whose
from al_bench.annotation.operations import read_request
from al_bench.annotation.pictures import SIDES, Below, Pictures, Served
from al_bench.annotation.windows import Windows
from al_bench.errors import UserError

logger = logging.getLogger(__name__)

_LOOK = 0.25  # seconds between looks at the run's folder
_LOOK_FOR_RUNNER = 2.0
_DECODERS = 3  # pictures that are made at a time, beside the training
_Value = TypeVar("_Value")
WriteCsv = Callable[[Path, Path], object]


class Server:
    """One run's page.

    idle: seconds without a browser after which it ends, where the run is not there either. write_csv: writes all
    answers of a run's folder to a file, for the download.
    """

    def __init__(self, desk: Desk, idle: float, write_csv: WriteCsv) -> None:
        self.desk, self.idle, self.write_csv = desk, idle, write_csv
        self.pictures, self.windows = Pictures(), Windows()
        self.stop: Callable[[], None] = lambda: None
        self.failure: BaseException | None = None
        self._desk_thread = ThreadPoolExecutor(1, "desk")  # so that what arrives together is kept one after the other
        self._decoders = ThreadPoolExecutor(_DECODERS, "decoder")

    def app(self) -> FastAPI:
        """All routes, with NiceGUI's own. Made once in a process."""
        app = FastAPI(openapi_url=None, lifespan=self._watched)
        app.add_api_route("/state", self._state)
        app.add_api_route("/record", self._record, methods=["POST"])
        app.add_api_route("/grid", self._grid)
        app.add_api_route("/picture/{position}", self._picture)
        app.add_api_route("/labels.csv", self._csv)
        app.add_api_route(WHOSE, self._whose)
        ui.page("/", title=f"Label {self.desk.folder.resolve().name}")(self._page)
        ui.run_with(
            app,
            dark=None,
            tailwind=False,
            binding_refresh_interval=None,
            reconnect_timeout=10,
            show_welcome_message=False,
        )
        return app

    def _page(self, client: Client) -> None:
        self.windows.add(client)

    async def _whose(self) -> Response:
        return _json(Whose(run=str(self.desk.folder.resolve()), process=os.getpid()).model_dump())

    async def _state(self) -> Response:
        return await self._answered(lambda: state_of(self.desk))

    async def _record(self, request: Request, run: str = "") -> Response:
        if request.headers.get("content-type") != "application/json":
            return _refused("answers come as application/json", 415)
        body = await request.body()

        try:
            operations = read_request(body)
        except UserError as error:
            return _refused(str(error), 400, final=True)
        if run != run_of(self.desk):
            return _refused("this window is of another run, which keeps what was done in it: open its page", 409)

        def keep() -> dict[str, Any]:
            self.desk.record(operations)
            return state_of(self.desk)

        try:
            return await self._answered(keep)
        except UnfitError as error:
            return _refused(str(error), error.status, final=True)

    async def _grid(self, guess: str) -> Response:
        return await self._answered(lambda: {"tiles": tiles_of(self.desk, guess), "classes": classes_of(self.desk)})

    async def _picture(self, position: int, size: str = "view") -> Response:
        picture = self.desk.picture(position)
        if picture is None or size not in SIDES:
            return _refused("this picture is not asked for", 404)
        below = Below(self.desk.root, picture.file)
        try:
            served: Served = await _in(self._decoders, lambda: self.pictures.get(below, size))
        except (UserError, OSError) as error:
            return _refused(str(worded(error)), 410)
        headers = {"Cache-Control": "no-store", "X-Content": served.digest}
        return Response(served.content, media_type=served.media_type, headers=headers)

    async def _csv(self) -> Response:
        write, folder = self.write_csv, self.desk.folder

        def written() -> bytes:
            with TemporaryDirectory() as made:
                write(folder, path := Path(made, "labels.csv"))
                return path.read_bytes()

        try:
            content = await _in(self._desk_thread, written)
        except (UserError, OSError) as error:
            return _refused(str(worded(error)), 409)
        return Response(
            content, media_type="text/csv", headers={"Content-Disposition": 'attachment; filename="labels.csv"'}
        )

    async def _answered(self, make: Callable[[], dict[str, Any]]) -> Response:
        """What `make` makes in the desk's thread, or the sentence on why it could not."""
        try:
            value = await _in(self._desk_thread, make)
        except UnfitError:
            raise
        except (UserError, OSError) as error:
            return _refused(str(worded(error)), 409)
        return _json(value)

    @asynccontextmanager
    async def _watched(self, _: FastAPI) -> AsyncIterator[None]:
        watch = asyncio.create_task(self._watch())
        watch.add_done_callback(self._ended)
        yield
        watch.cancel()
        await asyncio.wait([watch])

    def _ended(self, watch: "asyncio.Task[None]") -> None:
        """A watch that failed is a mistake of ours: the page ends with it."""
        if not watch.cancelled() and (error := watch.exception()):
            self.failure = error
            self.stop()

    async def _watch(self) -> None:
        """Looks at the run's folder, tells the windows, and ends where nobody is there any more."""
        loop = asyncio.get_running_loop()
        seen = looked = loop.time()
        while True:
            told = self.desk.version
            await _in(self._desk_thread, self.desk.look)
            if loop.time() - looked > _LOOK_FOR_RUNNER:
                looked = loop.time()
                await _in(self._desk_thread, self.desk.look_for_runner)
            if self.desk.version != told:
                self.windows.tell(self.desk.version)
            if self.windows.any or self.desk.runner is not None:
                seen = loop.time()
            elif loop.time() - seen > self.idle:
                logger.info("the run is not running and no browser has the page open: it ends")
                self.stop()
                return
            await asyncio.sleep(_LOOK)


async def _in(thread: ThreadPoolExecutor, work: Callable[[], _Value]) -> _Value:
    running: Awaitable[_Value] = asyncio.get_running_loop().run_in_executor(thread, work)
    return await running


def _json(value: Any, status: int = 200) -> Response:
    """In ASCII, so that names of files that are no text travel too."""
    headers = {"Cache-Control": "no-store"}
    return Response(json.dumps(value, allow_nan=False), status, headers, "application/json")


def _refused(sentence: str, status: int, final: bool = False) -> Response:
    """final: sent again it would be refused again."""
    return _json({"sentence": sentence, "final": final}, status)


def serve(server: Server, app: Callable[..., Any], sockets: list[Any]) -> None:
    """Answers until it is stopped. Raises what ended it."""
    config = uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=1)
    running = uvicorn.Server(config)

    def stop() -> None:
        running.should_exit = True

    server.stop = stop
    running.run(sockets)
    if server.failure is not None:
        raise server.failure
