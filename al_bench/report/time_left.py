"""How long a sweep goes on, for a terminal."""

from collections.abc import Mapping, Sequence

from al_bench.analysis.time_left import LineTime, TimeLeft
from al_bench.progress import duration
from al_bench.report.measures import listed

_MOST_NAMED = 3  # lines of which nothing is known


def write_time_left(left: TimeLeft, running: Mapping[str, float], waiting: Sequence[str], at_once: int) -> str:
    """What is known, or of which lines it is not and why. The arguments are those of `TimeLeft.of_sweep`."""
    seconds = left.of_sweep(running, waiting, at_once)
    if seconds is not None:
        return f"about {duration(seconds)} left"
    names = list(dict.fromkeys(left.line_of[run_id] for run_id in [*running, *waiting]))
    untimed = [name for name in names if left.lines[name].seconds is None]
    why = [f"nothing of {_named(untimed)} has ended or is stored"] if untimed else []
    why += [words for name in names if (words := _why(name, left.lines[name]))]
    return f"time left not known: {'; '.join(why)}"


def _why(name: str, line: LineTime) -> str | None:
    """Of a line whose cells have a time."""
    trained = [one.part for one in line.missing if one.seconds is None]
    return f"{name} trains {listed(trained)} first, which has never been timed" if trained and line.seconds else None


def _named(names: Sequence[str]) -> str:
    more = len(names) - _MOST_NAMED
    return listed([*names[:_MOST_NAMED], f"{more} more"] if more > 0 else names)
