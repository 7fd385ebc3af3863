"""A person who labels in the browser: the page is a process of its own, which this starts."""

import errno
import importlib.util
import logging
import socket
import subprocess
import sys
import time
from pathlib import Path

from al_bench.active.part import declare
from al_bench.annotation.neighbor import page_at
from al_bench.config.ranges import Fraction, NoneToAll, Port, UpToAll
from al_bench.dataset import Dataset
from al_bench.errors import UserError
from al_bench.oracle import Person
from al_bench.storage.asked import PAGE, open_page
from al_bench.strategy import Strategy

logger = logging.getLogger(__name__)

_MOMENT = 0.2  # seconds between two looks at what was answered
_LOOK = 2.0  # seconds between two looks at whether the page is open
_OPENS = 60.0  # seconds that the page may take to open


@declare("oracle/human", beside=("ahead", "labels", "goal", "host", "port", "open", "who"))
class Human(Person):
    """Opens the page on `host` and `port` unless it is open. open: whether a browser is opened, too. who: the person's
    name for themselves, written beside each answer. The others: see `Person`."""

    def __init__(
        self,
        first: Strategy,
        audit_size: NoneToAll,
        audit_share: Fraction,
        ahead: UpToAll,
        candidates: UpToAll | None,
        labels: str | None,
        goal: Fraction,
        host: str,
        port: Port,
        open: bool,  # noqa: A002  (a key of the configuration)
        who: str,
    ) -> None:
        self.first, self.audit_size, self.audit_share = first, audit_size, audit_share
        self.ahead, self.candidates, self.labels, self.goal = ahead, candidates, labels, goal
        self.host, self.port, self.open, self.who = host, port, open, who
        self._begun = False
        self._address: str | None = None  # of the page, while it is open
        self._looked = 0.0  # when it was seen last

    def check(self, dataset: Dataset) -> None:
        """Raises UserError as `Person.check` does, and where the page's package is not installed."""
        super().check(dataset)
        if importlib.util.find_spec("nicegui") is None:
            raise UserError(
                "oracle=human opens a page, which needs the package nicegui: install al_bench with the extra annotate, "
                "or use oracle=files"
            )

    def begin(self, folder: Path) -> None:
        """Raises UserError where the port is taken by something else than the run's own page."""
        if not self._begun and not self._is_open(folder):
            refuse_taken(self.host, self.port)
            process, end = self._start(folder), time.monotonic() + _OPENS
            while not self._is_open(folder) and process.poll() is None and time.monotonic() < end:
                time.sleep(_MOMENT)
            if self._address is None:
                self._say_closed(folder)
        self._begun = True

    def wait(self, folder: Path) -> None:
        if time.monotonic() - self._looked > _LOOK:
            was_open = self._address is not None
            if not self._is_open(folder) and was_open:
                self._say_closed(folder)
        time.sleep(_MOMENT)

    def _is_open(self, folder: Path) -> bool:
        """Whether the page is open, whoever opened it; says where, if that is new."""
        self._looked = time.monotonic()
        page = open_page(folder)
        if page is not None and page.address != self._address:
            self._address = page.address
            address, token, _ = page.address.partition("/?")  # no token in a log that others may read
            logger.info(f"label at {address}" + (f", with the token in {folder / PAGE}" if token else ""))
        return page is not None

    def _say_closed(self, folder: Path) -> None:
        self._address = None
        again = f"open it again by python scripts/annotate.py {folder}"
        logger.warning(f"the page has ended, its last words are in {folder / 'page.log'}: {again}")

    def _start(self, folder: Path) -> "subprocess.Popen[bytes]":
        options = ["--host", self.host, "--port", str(self.port), "--who", self.who]
        options += [] if self.open else ["--no-open"]
        log_file = folder / "page.log"
        log_file.touch(0o600)  # for this user's eyes alone: it says the page's address, which may hold a token
        with log_file.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "al_bench.annotation", str(folder), *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # it outlives this run, and goes on taking answers
            )


def refuse_taken(host: str, port: int) -> None:
    """Raises UserError where nothing can listen there."""
    try:
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            tried.bind((host, port))
    except OSError as error:
        found = page_at(host, port) if error.errno == errno.EADDRINUSE else None
        whose, how = found or ("another program may be there", "end that")
        other = port + 1 if port < 65_535 else 8080
        raise UserError(
            f"the page cannot open on oracle.host={host} oracle.port={port} ({error.strerror or error}), "
            f"{f'{whose} is there' if found else whose}: choose another port, such as oracle.port={other}, or {how}"
        ) from error
