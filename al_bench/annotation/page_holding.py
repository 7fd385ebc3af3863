"""The one page of a labeling run that is open: it holds `page.lock`, which the system takes back when it dies, and says
in `page.json` where it is."""

import os
from pathlib import Path

from filelock import FileLock, Timeout

from al_bench.errors import UserError
from al_bench.files import named, written_whole
from al_bench.storage.asked import PAGE, PAGE_LOCK, OpenPage, open_page


class PageHolding:
    """A run's page, taken by this process.

    folder: of the run.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = FileLock(folder / PAGE_LOCK)

    def take(self) -> None:
        """Raises UserError where another process has the page open, saying where."""
        try:
            with named(self.folder / PAGE_LOCK):
                self._lock.acquire(timeout=0)
        except Timeout as error:
            page = open_page(self.folder)
            where = f" at {page.address} (process {page.process})" if page else ""
            raise UserError(f"the page of {self.folder} is open already{where}: label there") from error

    def announce(self, address: str) -> None:
        """Says where the page is. Its file is for this user's eyes alone: an address may hold a token."""
        with written_whole(self.folder / PAGE) as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(OpenPage(address=address, process=os.getpid()).model_dump_json(indent=2).encode())

    def give_back(self) -> None:
        """For the next page."""
        (self.folder / PAGE).unlink(missing_ok=True)
        self._lock.release()
