"""A bar with rate and time left on a terminal; plain lines elsewhere."""

import logging
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

from tqdm import tqdm
from tqdm.contrib.logging import logging_redirect_tqdm

logger = logging.getLogger(__name__)

_QUIET_SECONDS = 2.0  # a part that is over sooner shows nothing
_LINE_SECONDS = 20.0  # between two plain lines of one part


class Progress:
    """Counts the units of one long part. `advance` costs under a microsecond between two updates."""

    def __init__(self, name: str, total: int, unit: str, start: int = 0) -> None:
        self.name, self.total, self.unit, self.start, self.done = name, total, unit, start, start
        self.began = time.monotonic()
        self.next_update = self.began + _QUIET_SECONDS
        self.bar: tqdm[NoReturn] | None = None

    def advance(self, count: int = 1) -> None:
        """Counts; shows something only when it is time to."""
        self.done += count
        now = time.monotonic()
        if now < self.next_update:
            return
        if sys.stderr.isatty():
            self._draw()
            self.next_update = now + 0.1
        else:
            self._log(now)
            self.next_update = now + _LINE_SECONDS

    def _draw(self) -> None:
        if self.bar is None:
            bar: tqdm[NoReturn] = tqdm(
                desc=self.name, total=self.total, unit=self.unit, initial=self.start, leave=False, mininterval=0
            )
            bar.start_t -= time.monotonic() - self.began
            self.bar = bar
        self.bar.update(self.done - self.bar.n)

    def _log(self, now: float) -> None:
        rate = (self.done - self.start) / max(now - self.began, 1e-9)
        left = (self.total - self.done) / max(rate, 1e-9)
        logger.info(f"{self.name}: {self.done:,} of {self.total:,} {self.unit}, {rate:,.0f}/s, {left:,.0f} s left")

    def close(self) -> None:
        """Takes the bar away."""
        if self.bar is not None:
            self.bar.close()


@contextmanager
def progress(name: str, total: int, unit: str = "steps", start: int = 0) -> Iterator[Progress]:
    """Shows how far the block is; log lines written inside it stay whole."""
    part = Progress(name, total, unit, start)
    try:
        if sys.stderr.isatty():
            with logging_redirect_tqdm():
                yield part
        else:
            yield part
    finally:
        part.close()
