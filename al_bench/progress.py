"""A bar with rate and time left on a terminal; plain lines elsewhere."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tqdm import tqdm
from tqdm.contrib.logging import logging_redirect_tqdm

logger = logging.getLogger(__name__)

_QUIET_SECONDS = 2.0  # a part that is over sooner shows nothing
_LINE_SECONDS = 20.0  # between two plain lines of one part
_BAR_SECONDS = 0.1  # between two updates of a bar


class Progress(tqdm):  # type: ignore[type-arg]
    """Counts the units of one long part. `advance` costs under a microsecond between two updates."""

    monitor_interval = 0  # no thread that looks after bars: each count looks at the clock

    def advance(self, count: int = 1) -> None:
        """Counts; shows something only when it is time to."""
        self.update(count)

    def display(self, msg: str | None = None, pos: int | None = None) -> None:
        """Called by tqdm when it is time to: draws the bar, or writes a line where nobody watches.

        msg: "" to take the bar away.
        """
        if sys.stderr.isatty():
            super().display(msg, pos)
        elif msg is None:
            rate = (self.n - self.initial) / max(self.format_dict["elapsed"], 1e-9)
            total = self.total or 0
            left = duration((total - self.n) / max(rate, 1e-9))
            shown = f"{rate:,.0f}" if rate >= 10 else f"{rate:.2g}"
            logger.info(f"{self.desc}: {self.n:,.0f} of {total:,.0f} {self.unit}, {shown}/s, {left} left")
            self.mininterval = _LINE_SECONDS

    def reset(self, total: float | None = None) -> None:
        """Counts from 0 again and shows nothing: pooch asks for it when all is there."""
        self.n = self.last_print_n = 0


def duration(seconds: float) -> str:
    """Seconds for a person."""
    if seconds < 100:
        return f"{seconds:.2f} s" if seconds < 10 else f"{seconds:.1f} s"
    if seconds < 6000:
        return f"{seconds / 60:.1f} min"
    return f"{seconds / 3600:.1f} h"


@contextmanager
def progress(name: str, total: int, unit: str = "steps", start: int = 0) -> Iterator[Progress]:
    """Shows how far the block is; log lines written inside it stay whole."""
    part = Progress(
        desc=name, total=total, unit=unit, initial=start, leave=False, delay=_QUIET_SECONDS, mininterval=_BAR_SECONDS,
        miniters=1,
    )  # fmt: skip
    with part:
        if sys.stderr.isatty():
            with logging_redirect_tqdm():
                yield part
        else:
            yield part
