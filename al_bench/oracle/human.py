"""A person who labels in the browser: the page is a process of its own, which this starts."""

import importlib.util
import logging
import socket
import subprocess
import sys
import time
from pathlib import Path

from pydantic import NonNegativeInt, PositiveInt

from al_bench.active.part import declare
from al_bench.config.ranges import Fraction, Port
from al_bench.dataset import Dataset
from al_bench.errors import UserError
from al_bench.oracle import Person
from al_bench.storage.asked import open_page
from al_bench.strategy import Strategy

logger = logging.getLogger(__name__)

_MOMENT = 0.2  # seconds between two looks at what was answered
_OPENS = 60.0  # seconds that the page may take to open


@declare("oracle/human", beside=("ahead", "labels", "goal", "host", "port", "open", "who"))
class Human(Person):
    """Opens the page on `host` and `port` unless it is open. open: whether a browser is opened, too. who: the person's
    name for themselves, written beside each answer. The others: see `Person`."""

    def __init__(
        self,
        first: Strategy,
        audit_size: NonNegativeInt,
        audit_share: Fraction,
        ahead: PositiveInt,
        candidates: PositiveInt | None,
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
        self._page: subprocess.Popen[bytes] | None = None
        self._begun = False

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
        if self._begun:
            return
        self._begun = True
        if (page := open_page(folder)) is not None:
            logger.info(f"label at {page.address}")
            return
        _refuse_taken(self.host, self.port)
        options = ["--host", self.host, "--port", str(self.port), "--who", self.who]
        options += [] if self.open else ["--no-open"]
        with (folder / "page.log").open("ab") as log:
            self._page = subprocess.Popen(
                [sys.executable, "-m", "al_bench.annotation", str(folder), *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # it outlives this run, and goes on taking answers
            )
        end = time.monotonic() + _OPENS
        while (page := open_page(folder)) is None and self._page.poll() is None and time.monotonic() < end:
            time.sleep(_MOMENT)
        if page is not None:
            logger.info(f"label at {page.address}")

    def wait(self, folder: Path) -> None:
        if self._page is not None and self._page.poll() is not None:
            again = f"open it again by python scripts/annotate.py {folder}"
            logger.warning(f"the page has ended, its last words are in {folder / 'page.log'}: {again}")
            self._page = None
        time.sleep(_MOMENT)


def _refuse_taken(host: str, port: int) -> None:
    """Raises UserError where nothing can listen there."""
    try:
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            tried.bind((host, port))
    except OSError as error:
        raise UserError(
            f"the page cannot open on oracle.host={host} oracle.port={port} ({error.strerror or error}): another "
            f"program may be there, choose another port, such as oracle.port={port + 1 if port < 65_535 else 8080}"
        ) from error
