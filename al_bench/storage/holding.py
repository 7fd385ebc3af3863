"""Who holds a run's folder: one process at a time, by a lock that the system takes back when its owner dies."""

import os
from pathlib import Path

from filelock import Timeout

from al_bench.errors import UserError
from al_bench.files import lock_of, named

_MOMENT = 0.5  # seconds: who asks which process runs here, as `runner_of` does, holds the lock for less


class Holding:
    """A run's folder, taken by this process; or only read, where its disk cannot be written.

    folder: of the run.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = lock_of(folder / "lock")
        self._unwritable: OSError | UserError | None = None

    @property
    def is_writable(self) -> bool:
        """Whether the folder was taken."""
        return self._unwritable is None

    def take(self) -> None:
        """Makes the folder and takes its lock. Raises UserError where another process holds it, UserError or OSError
        where that cannot be done and no run is stored in it."""
        try:
            with named(self.folder / "lock"):
                (self.folder / "cycles").mkdir(parents=True, exist_ok=True)
                self._lock.acquire(timeout=_MOMENT)
                (self.folder / "owner").write_text(str(os.getpid()))
        except Timeout as error:
            raise UserError(
                f"another process ({_owner(self.folder)}) is running in {self.folder}: wait for it or stop it"
            ) from error
        except (OSError, UserError) as error:
            if not (self.folder / "config.json").is_file():
                raise
            self._unwritable = error

    def refuse_unwritable(self) -> None:
        """Raises UserError or OSError where the folder could be read and not be taken."""
        if self._unwritable is not None:
            raise self._unwritable

    def give_back(self) -> None:
        """For the next process, after a block that ended well or not."""
        if self.is_writable:
            (self.folder / "owner").unlink(missing_ok=True)
        with named(self.folder / "lock"):
            self._lock.release()

    def let_go(self) -> None:
        """Releases the lock alone, where nothing was begun."""
        self._lock.release()


def runner_of(folder: Path) -> str | None:
    """Which process runs in a folder, in words; None where none does."""
    if not (folder / "owner").is_file():
        return None
    lock = lock_of(folder / "lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return _owner(folder)
    except OSError:
        return None  # whoever takes the folder says what is wrong with it
    lock.release()
    return None


def _owner(folder: Path) -> str:
    try:
        return f"process {int((folder / 'owner').read_text())}"
    except (OSError, ValueError):
        return "one that has just begun"
