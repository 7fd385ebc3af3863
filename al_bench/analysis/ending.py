"""When a run is at its end: by the stop rules of whoever asks for it."""

from dataclasses import replace

from al_bench.active.stopping import Stopping
from al_bench.analysis.reading import Run
from al_bench.storage.record import cut_at_end


def end_by(run: Run, rules: Stopping) -> Run:
    """The run to where these stop rules hold, by which it is finished or not: the budget is in no id, so it may have
    gone on for another experiment, or have come to the end of a smaller one alone."""
    return replace(run, records=cut_at_end(run.records, rules)[0], asked=rules)
