"""The command that opens the page of a run."""

import argparse
import errno
import logging
import os
import secrets
import socket
import sys
import time
import webbrowser
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from threading import Thread

from al_bench.annotation.desk import Desk
from al_bench.annotation.exchange import write_csv
from al_bench.annotation.gate import Gate, is_loopback
from al_bench.annotation.neighbor import page_at, reached_at
from al_bench.annotation.page_holding import PageHolding
from al_bench.errors import UserError
from al_bench.files import Console
from al_bench.storage.asked import read_asked
from al_bench.storage.holding import runner_of

logger = logging.getLogger(__name__)

_POLL = 0.2  # seconds between looks for the first question


def main(arguments: Sequence[str]) -> int:
    """Opens the page and serves it until it is stopped or nobody needs it; returns the exit code. Raises UserError
    where it cannot be opened."""
    asked = parse(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s", handlers=[Console()])
    for chatty in ("uvicorn", "nicegui", "asyncio", "httpx"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    refuse_missing()
    folder: Path = asked.run
    await_question(folder, asked.wait)
    desk = Desk(folder, asked.who)
    if not desk.root.is_dir():
        raise UserError(f"{desk.root}, the folder of pictures that {folder} asks of, is not there: put it back")
    holding = PageHolding(folder)
    holding.take()
    try:
        with bound(asked.host, asked.port) as listening:
            _open(desk, holding, listening, asked)
    finally:
        holding.give_back()
    return 0


def _open(desk: Desk, holding: PageHolding, listening: socket.socket, asked: argparse.Namespace) -> None:
    from al_bench.annotation.server import Server, serve  # NiceGUI, a second of imports

    port = listening.getsockname()[1]
    token = None if is_loopback(asked.host) else holding.left_token or secrets.token_urlsafe(24)
    address = address_of(asked.host, port, token)
    server = Server(desk, asked.idle, write_csv)
    app = Gate(server.app(), token, f"al_bench_{port}", asked.host)
    desk.look_for_runner()
    holding.announce(address, reached_at(asked.host))
    logger.info(f"label at {address} (Ctrl-C ends the page, every answer is kept)")
    if not asked.no_open and has_screen():
        Thread(target=webbrowser.open, args=(address,), daemon=True).start()
    serve(server, app, [listening])


def refuse_missing() -> None:
    """Raises UserError where NiceGUI is not installed."""
    if find_spec("nicegui") is None:
        how = "run `python -m pip install -e '.[annotate]'` in the clone of al_bench"
        raise UserError(f"the page needs NiceGUI, which is not installed: {how}")


def await_question(folder: Path, seconds: float) -> None:
    """Returns once a run asks for labels. Raises UserError where it does not and will not."""
    if not folder.is_dir():
        raise UserError(f"{folder} is no run: give the folder of one, which the run says at its start")
    until = time.monotonic() + seconds
    while read_asked(folder) is None:
        if runner_of(folder) is None:
            raise UserError(f"{folder} asks for no labels: only a run with oracle=human does, once it was started")
        if time.monotonic() > until:
            raise UserError(f"{folder} has asked for no labels in {seconds:g} seconds: is it one with oracle=human?")
        time.sleep(_POLL)


def bound(host: str, port: int) -> socket.socket:
    """A socket on a port, 0: any that is free. Raises UserError where it cannot be had."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (socket.gaierror, UnicodeError) as error:
        raise UserError(f"--host {host} is no address of this machine: {_HOSTS}") from error
    listening = socket.socket(family, kind)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(128)
    except OSError as error:
        listening.close()
        raise _unbound(host, port, error) from error
    return listening


_HOSTS = "use 127.0.0.1 for this machine alone, 0.0.0.0 for all that reach it"


def _unbound(host: str, port: int, error: OSError) -> Exception:
    """The sentence on a port that cannot be had."""
    if error.errno == errno.EADDRINUSE:
        whose, how = page_at(host, port) or ("another program", "end that")
        return UserError(
            f"port {port} of {host} is taken by {whose}: choose another by --port (oracle.port of the run), 0 for any, "
            f"or {how}"
        )
    if error.errno == errno.EACCES:
        return UserError(f"port {port} is the system's: choose one above 1023 by --port (oracle.port of the run)")
    if error.errno == errno.EADDRNOTAVAIL:
        return UserError(f"--host {host} is no address of this machine: {_HOSTS}")
    return error


def address_of(host: str, port: int, token: str | None) -> str:
    """What to open in a browser."""
    name = socket.gethostname() if host in ("0.0.0.0", "::") else host  # what a person can type elsewhere
    return f"http://{f'[{name}]' if ':' in name else name}:{port}" + (f"/?token={token}" if token else "")


def has_screen() -> bool:
    """Whether a browser can be shown here; one for terminals would take over this one."""
    return not sys.platform.startswith("linux") or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="annotate.py", description="Opens the page where a person labels for a run.")
    parser.add_argument("run", type=Path, metavar="RUN", help="the folder of a run with oracle=human")
    parser.add_argument("--port", type=_port, default=8080, help="to serve at (8080); 0: any that is free")
    parser.add_argument(
        "--host", default="127.0.0.1",
        help="address to serve at (127.0.0.1: this machine alone); with any other one a token is needed, which the "
        "address that is printed ends in, and nothing is encrypted on its way",
    )  # fmt: skip
    parser.add_argument("--who", type=_name, default="", metavar="NAME", help="who labels, kept with each answer")
    parser.add_argument("--no-open", action="store_true", help="opens no browser")
    parser.add_argument(
        "--idle", type=float, default=60, metavar="SECONDS",
        help="ends when the run is not running and no browser had the page open for so long (60)",
    )  # fmt: skip
    parser.add_argument("--wait", type=float, default=600, metavar="SECONDS", help="for a run's first question (600)")
    return parser.parse_args(arguments)


def _name(text: str) -> str:
    if len(text) > 200 or not text.isprintable():
        raise argparse.ArgumentTypeError("a name has 200 letters at most, and no controls")
    return text


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port < 1 << 16:
        raise argparse.ArgumentTypeError(f"{text} is no port: use 1024 to 65535, or 0 for any that is free")
    return port
