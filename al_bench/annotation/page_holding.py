"""The one page of a labeling run that is open: it holds `page.lock`, which the system takes back when it dies, and says
in `page.json` where it is."""

import os
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from filelock import Timeout

from al_bench.errors import UserError
from al_bench.files import lock_of, named, written_whole
from al_bench.storage.asked import PAGE, PAGE_LOCK, OpenPage, announced_page

_MOMENT = 1.0  # seconds: who asks whether a page is open holds the lock for less


class PageHolding:
    """A run's page, taken by this process.

    folder: of the run. left_token: of a page that was killed, once this one is taken: with it the windows that the
    other left go on, with what they have not yet sent.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.left_token: str | None = None
        self._lock = lock_of(folder / PAGE_LOCK)

    def take(self) -> None:
        """Raises UserError where another process has the page open, saying where."""
        try:
            with named(self.folder / PAGE_LOCK):
                self._lock.acquire(timeout=_MOMENT)
        except Timeout as error:
            page = announced_page(self.folder)
            where = f" at {page.address} (process {page.process})" if page else ""
            raise UserError(f"the page of {self.folder} is open already{where}: label there") from error
        self.left_token = self._read_token()
        (self.folder / PAGE).unlink(missing_ok=True)  # says where another page was

    def _read_token(self) -> str | None:
        page = announced_page(self.folder)
        return parse_qs(urlsplit(page.address).query).get("token", [None])[0] if page else None

    def announce(self, address: str, host: str | None = None) -> None:
        """Says where the page is; of the arguments see `OpenPage`. Its file is for this user's eyes alone: an address
        may hold a token."""
        page = OpenPage(address=address, process=os.getpid(), host=host)
        with written_whole(self.folder / PAGE) as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(page.model_dump_json(indent=2).encode())

    def give_back(self) -> None:
        """For the next page."""
        (self.folder / PAGE).unlink(missing_ok=True)
        self._lock.release()
