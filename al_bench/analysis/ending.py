"""When a run is at its end: by the stop rules of whoever asks for it; and of which seeds one is not."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

from al_bench.active.stopping import Stopping
from al_bench.analysis.reading import Run
from al_bench.storage.record import cut_at_end


def end_by(run: Run, rules: Stopping) -> Run:
    """The run to where these stop rules hold, by which it is finished or not: the budget is in no id, so it may have
    gone on for another experiment, or have come to the end of a smaller one alone."""
    return replace(run, records=cut_at_end(run.records, rules)[0], asked=rules)


def unfinished(runs: Iterable[Run], seeds: Collection[int]) -> list[int]:
    """Those of these seeds with which one of the runs has not come to its end."""
    return sorted({run.seed for run in runs if run.seed in seeds and run.finished is None})


def say_unfinished(seeds: Sequence[int]) -> str:
    """ "seeds 0 to 9 have not come to their end"; at least one."""
    return f"{name_seeds(seeds)} {'has not come to its end' if len(seeds) == 1 else 'have not come to their end'}"


def say_going_on(lines: Mapping[str, Sequence[int]]) -> str:
    """ "runs go on of AS (seed 0), ALCG (seeds 1, 2): what they are compared by is so far"; "" where none does.

    lines: the seeds of each that have not come to their end, see `unfinished`.
    """
    named = [f"{line} ({name_seeds(seeds)})" for line, seeds in lines.items() if seeds]
    return f"runs go on of {', '.join(named)}: what they are compared by is so far" if named else ""


def name_seeds(seeds: Sequence[int]) -> str:
    """ "seed 3", "seeds 2, 4", "seeds 0 to 9"; ascending."""
    whole = len(seeds) > 2 and all(after == before + 1 for before, after in pairwise(seeds))
    named = f"{seeds[0]} to {seeds[-1]}" if whole else ", ".join(map(str, seeds))
    return f"seed{'' if len(seeds) == 1 else 's'} {named}"
