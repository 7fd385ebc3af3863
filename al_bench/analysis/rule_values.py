"""The values that a rule compares, by seed: of a line, and of what stands against it."""

import math
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from al_bench.active.metric import ITERATION, SECONDS
from al_bench.analysis.common_range import CommonRange, common_part, common_range
from al_bench.analysis.comparison import nearest_to
from al_bench.analysis.curves import headline, is_better_higher
from al_bench.analysis.ending import name_seeds
from al_bench.analysis.grouping import Group
from al_bench.analysis.lines import draw_otherwise
from al_bench.analysis.reading import Run
from al_bench.analysis.rule_curves import MEASURED, Curve, rule_curve, stored_name, unit_factor
from al_bench.analysis.rules import END, LAST, REACHING, Clause, Operand
from al_bench.analysis.statistics.areas import area_under_curve
from al_bench.analysis.statistics.reaching import labels_to_reach

Values = dict[int, float]  # by seed
Way = Sequence[tuple[float, float]]  # rising places and values
_OWN_ENDS = ("at the start", *LAST)
_OBSERVED = {"iterations": ITERATION, "seconds": SECONDS}


@dataclass(frozen=True)
class Pairs:
    """What is compared at one place. place: in words; first, second: by seed, in the report's unit; higher: whether
    more is better. may_rise, may_fall: whether the first minus the second is in truth more, or less, for some seed: of
    two that are to reach a goal one did not get there, or was there before anybody looked; unseen: how many such seeds
    there are. neither: seeds of which neither did, which have no difference: with more labels it may be on either side.
    short: whether one line has not come half as far as the other, of all but a start. alone: seeds
    of one line alone; lacking: those of both of which one has no value there."""

    place: str
    first: Values
    second: Values
    higher: bool
    may_rise: bool = False
    may_fall: bool = False
    unseen: int = 0
    neither: Sequence[int] = ()
    short: bool = False
    alone: Sequence[int] = ()
    lacking: Sequence[int] = ()


def paired_values(clause: Clause, operand: Operand, group: Group, other: Group | None) -> Iterator[Pairs]:
    """Of one place, or of each size that every pair of seeds has; none where nothing is stored of either. other: the
    line of the operand. Seeds with which the two draw other first labels are no pair."""
    own = {run.seed: run for run in group.runs}
    others = {run.seed: run for run in other.runs} if other else own
    both = sorted(own.keys() & others.keys())
    seeds = [seed for seed in both if not draw_otherwise(own[seed], others[seed])]
    apart = [seed for seed in both if seed not in seeds]
    drawn = f", without {name_seeds(apart)}, begun with other labels" if apart else ""
    if clause.measure in REACHING:
        found = _paired_ways(clause, operand, {seed: (own[seed], others[seed] if other else None) for seed in seeds})
    else:
        found = _paired_curves(clause, operand, {seed: (own[seed], others[seed]) for seed in seeds})
    for pairs in found:
        yield replace(pairs, place=pairs.place + drawn, alone=sorted(own.keys() ^ others.keys()))


def _paired_curves(clause: Clause, operand: Operand, runs: Mapping[int, tuple[Run, Run]]) -> Iterator[Pairs]:
    curves: dict[int, tuple[Curve, Curve]] = {}
    for seed, (run, other) in runs.items():
        first = rule_curve(clause, clause.measure, run, other)
        curves[seed] = first, _against(clause, operand, other, run, first)
    same, cut, short = _over_the_same(clause, curves)
    left = {seed for seed, (a, b) in curves.items() if a.keys() & b.keys()} - same.keys()  # which `cut` says
    for place, wanted in _places(clause, [first for first, _ in same.values()]):
        reduced = {seed: [_reduce(wanted, one) for one in pair] for seed, pair in same.items()}
        known = {seed: (a, b) for seed, (a, b) in reduced.items() if a is not None and b is not None}
        if known:
            firsts, seconds = ({seed: pair[side] for seed, pair in known.items()} for side in (0, 1))
            higher, lacking = _higher(clause, next(iter(runs.values()))[0]), sorted(curves.keys() - known.keys() - left)
            yield Pairs(f"{place}{cut}", firsts, seconds, higher, short=short, lacking=lacking)


def _over_the_same(
    clause: Clause, curves: Mapping[int, tuple[Curve, Curve]]
) -> tuple[dict[int, tuple[Curve, Curve]], str, bool]:
    """Both curves of each seed at the annotations that both have, over what all seeds cover; what of the lines that
    leaves out, in words; and whether it is too little for what is claimed. Lines that have no annotations in common are
    compared at their own start or end."""
    both = {seed: first.keys() & second.keys() for seed, (first, second) in curves.items()}
    if not any(both.values()):
        apart = clause.where in _OWN_ENDS and all(first and second for first, second in curves.values())
        return (dict(curves) if apart else {}), (", of each line" if apart else ""), False
    found = common_range({seed: sizes for seed, sizes in both.items() if sizes})
    one_size = re.fullmatch(r"at \d+", clause.where) is not None  # whoever has it is there
    same: dict[int, tuple[Curve, Curve]] = {}
    for seed, sizes in (both if one_size else found.sizes).items():
        first, second = curves[seed]
        same[seed] = {at: first[at] for at in sizes}, {at: second[at] for at in sizes}
    if one_size:
        return same, "", False
    lines = [[curves[seed][side].keys() for seed in found.sizes] for side in (0, 1)]
    return same, *_say_part(clause.where, found, lines)


def _say_part(where: str, found: CommonRange, lines: Sequence[Sequence[Collection[int]]]) -> tuple[str, bool]:
    """Of the annotations that a clause speaks of those that are compared, "" where they are all of the longer line's;
    and whether they are too few for it. lines: see `common_part`."""
    inside = {seed: [at for at in own if _is_within(where, at)] for seed, own in found.sizes.items()}
    part = common_part(inside, [[[at for at in own if _is_within(where, at)] for own in line] for line in lines])
    if part is None or (part.low, part.high) == part.whole or (where == "at the start" and part.low == part.whole[0]):
        return found.words, False
    short = part.ends_early if where in LAST else part.is_short and where != "at the start"
    return f", over {part.words} annotations{found.words}", short


def _is_within(where: str, at: int) -> bool:
    *words, last = where.split()
    return at <= int(last) if words == ["up", "to"] else at >= int(last) if words == ["from"] else True


def _against(clause: Clause, operand: Operand, run: Run, beside: Run, first: Curve) -> Curve:
    if operand.is_number:
        return dict.fromkeys(first, operand.factor)
    if operand.at is not None:
        value = _reduce(f"at {operand.at}", first)
        return {} if value is None else dict.fromkeys(first, value * operand.factor)
    found = rule_curve(clause, operand.metric or clause.measure, run, beside)
    return {at: value * operand.factor for at, value in found.items()}


def _higher(clause: Clause, run: Run) -> bool:
    return is_better_higher(run, stored_name(run, clause.measure))


def _places(clause: Clause, curves: Sequence[Curve]) -> Iterator[tuple[str, str]]:
    """Words and a place for each comparison of a clause."""
    if clause.where != "at every size":
        yield ("" if curves and set(curves[0]) == {MEASURED} else f" {clause.where}"), clause.where
        return
    for size in sorted(set[int].intersection(*map(set, curves)) if curves else ()):
        yield f" at {size}", f"at {size}"


def _reduce(where: str, curve: Curve) -> float | None:
    """One number of a curve."""
    if not curve:
        return None
    sizes = sorted(curve)
    if sizes == [MEASURED]:
        return curve[MEASURED]
    *words, last = where.split()
    if words == ["at"]:
        near = nearest_to(sizes, int(last))
        return None if near is None else curve[near]
    if where in _OWN_ENDS:
        return curve[sizes[-1 if where in LAST else 0]]
    sizes = [at for at in sizes if _is_within(where, at)]
    if len(sizes) == 1:
        return curve[sizes[0]]
    return area_under_curve(sizes, [curve[at] for at in sizes]) if sizes else None


def _paired_ways(clause: Clause, operand: Operand, runs: Mapping[int, tuple[Run, Run | None]]) -> Iterator[Pairs]:
    """What both need. One that does not get there counts as getting there at its end, which is too early, one that is
    there at its first look, or with its first labels, as getting there with that, which is too late; a seed of which
    neither gets there has no difference and leaves both open, one of which a way is not stored, or whose goal is no
    number, has none."""
    ways, place, short = _ways(clause, runs)
    firsts, seconds, neither, lacking = dict[int, float](), dict[int, float](), list[int](), list[int]()
    rises, falls = set[int](), set[int]()
    for seed, (way, other) in ways.items():
        higher = is_better_higher(runs[seed][0], headline(runs[seed][0]))
        goal = _goal(clause, way, other)
        if not way or (other is not None and not other) or not math.isfinite(goal):
            lacking.append(seed)
            continue
        own, its = _reached(way, goal, higher), _reached(other, goal, higher) if other else 1.0
        if own is None and its is None:
            neither.append(seed)
            continue
        firsts[seed] = way[-1][0] if own is None else own
        seconds[seed] = operand.factor * ((other or way)[-1][0] if its is None else its)
        at_first = [bool(of) and at == of[0][0] for at, of in ((own, way), (its, other or ()))]
        if own is None or (at_first[1] and not at_first[0]):
            rises.add(seed)
        if its is None or (at_first[0] and not at_first[1]):
            falls.add(seed)
    if firsts:
        may_rise, may_fall, unseen = bool(rises or neither), bool(falls or neither), len(rises | falls)
        yield Pairs(place, firsts, seconds, False, may_rise, may_fall, unseen, neither, short, lacking=lacking)


def _goal(clause: Clause, way: Way, other: Way | None) -> float:
    """NaN where the line has nothing at the size whose value is the goal."""
    if clause.own is not None:
        near = nearest_to((int(at) for at, _ in way), clause.own)
        return next((value for at, value in way if at == near), math.nan)
    return other[-1][1] if clause.of == END and other else clause.of or 0.0


def _ways(
    clause: Clause, runs: Mapping[int, tuple[Run, Run | None]]
) -> tuple[dict[int, tuple[Way, Way | None]], str, bool]:
    """Those of each seed: by annotations, over what all seeds cover where they have to reach an end; or inside the last
    training that all have. What of them that leaves out, in words, and whether the end is an early one."""
    sizes = {seed: set[int].intersection(*map(_sizes, filter(None, pair))) for seed, pair in runs.items()}
    found = common_range({seed: own for seed, own in sizes.items() if own})
    if clause.measure == "labels":
        ends, cut = dict.fromkeys(runs, (0.0, math.inf)), ("", False)
        if clause.of == END:
            lines = [[_sizes(run) for seed in found.sizes if (run := runs[seed][side])] for side in (0, 1)]
            cut = _say_part("at the end", found, lines)
            ends = {seed: (float(own[0]), float(own[-1])) for seed, own in found.sizes.items()}
        by_labels = {
            seed: tuple(run and _by_annotations(clause, run, *ends[seed]) for run in runs[seed]) for seed in ends
        }
        return by_labels, *cut  # type: ignore[return-value]  # two of two
    shared = set[int].intersection(*map(set, found.sizes.values())) if found.sizes else set[int]()
    if not shared:
        return {}, "", False
    last = max(shared)
    inside = {seed: tuple(run and _inside(clause, run, last) for run in runs[seed]) for seed in found.sizes}
    earlier = any(run is not None and max(_sizes(run)) > last for seed in found.sizes for run in runs[seed])
    said = f"{f', of the training on {last:,} labels' if earlier else ''}{found.words}"
    return inside, said, False  # type: ignore[return-value]


def _sizes(run: Run) -> set[int]:
    return {record.annotations for record in run.cycles}


def _reached(way: Way, goal: float, better_higher: bool) -> float | None:
    places, values = zip(*((at, value) for at, value in way if math.isfinite(value)), strict=True)
    return labels_to_reach(places, values, goal, better_higher)


def _by_annotations(clause: Clause, run: Run, low: float, high: float) -> Way:
    """The headline metric by annotations, those within these."""
    curve = rule_curve(clause, headline(run), run, run)
    return sorted((float(at), value) for at, value in curve.items() if low <= at <= high)


def _inside(clause: Clause, run: Run, annotations: int) -> Way:
    """The headline metric by iterations or seconds of the training on so many annotations; NaN where it was no number.
    Empty where nobody looked, or nothing was one."""
    name, factor = headline(run), unit_factor(run, headline(run))
    observed = next(record.observed for record in run.cycles if record.annotations == annotations)
    places = observed.get(_OBSERVED[clause.measure], [])
    points = zip(places, observed.get(name, [None] * len(places)), strict=True)
    way = [(float(at or 0), math.nan if value is None else factor * value) for at, value in points]
    return way if any(math.isfinite(value) for _, value in way) else []
