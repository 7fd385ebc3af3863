"""The curves that rules speak of: one of a run's values by its annotations, in the report's unit."""

from itertools import pairwise

from al_bench.active.metric import ITERATION
from al_bench.analysis.curves import class_shares, values_by_annotations
from al_bench.analysis.reading import Run
from al_bench.analysis.rules import WHILE_TRAINED, Clause
from al_bench.analysis.statistics.areas import area_under_curve
from al_bench.storage.record import CycleRecord

Curve = dict[int, float]  # values by annotations
MEASURED = 0  # where procedures without cycles have their numbers


def rule_curve(clause: Clause, name: str, run: Run, beside: Run) -> Curve:
    """Finite values by annotations, in the report's unit. beside: what it is compared with, whose looks at a training
    have to be at the same iterations."""
    name = stored_name(run, name)
    if clause.where == WHILE_TRAINED:
        found = {record.annotations: _mean_look(record, name) for record in run.cycles if _looked_alike(record, beside)}
        return {at: value * unit_factor(run, name) for at, value in found.items() if value is not None}
    if run.measurement is not None:
        value = run.measurement.metrics.get(name)
        return {MEASURED: float(value) * unit_factor(run, name)} if isinstance(value, int | float) else {}
    if name == "chosen_entropy":
        known = {record.annotations: record.chosen_entropy for record in run.cycles}
        return {at: value for at, value in known.items() if value is not None}
    if name == "share":
        shares = {record.annotations: class_shares(record) for record in run.cycles}
        place = int(clause.of or 0)
        return {at: 100 * values[place] for at, values in shares.items() if place < len(values)}
    return {at: value * unit_factor(run, name) for at, value in values_by_annotations(run, name).items()}


def _looked_alike(record: CycleRecord, beside: Run) -> bool:
    """Whether the training on as many labels was looked at after the same iterations there."""
    places = record.observed.get(ITERATION)
    return any(
        other.observed.get(ITERATION) == places for other in beside.cycles if other.annotations == record.annotations
    )


def _mean_look(record: CycleRecord, name: str) -> float | None:
    """Over the iterations from the first look at a training to the last; None where nobody looked twice, a value is no
    number, or the iterations do not rise."""
    values, places = record.observed.get(name, []), record.observed.get(ITERATION, [])
    known, at = ([one for one in column if one is not None] for column in (values, places))
    if len(known) < max(2, len(values)) or len(at) < len(places) or any(b <= a for a, b in pairwise(at)):
        return None
    return area_under_curve(at, known)


def stored_name(run: Run, name: str) -> str:
    """A metric's name, or that of what stands in for it without the network that the published one takes."""
    known = run.records[0].metrics
    return f"{name}_own" if name not in known and f"{name}_own" in known else name


def unit_factor(run: Run, name: str) -> float:
    """From the stored unit to the report's."""
    return 100.0 if any(one.name == name and one.unit == "fraction" for one in run.metrics) else 1.0
