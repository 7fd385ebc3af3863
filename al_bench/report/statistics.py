"""What a section's differences are worth: areas, labels to a goal, tests against random sampling, who beats whom."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import fmean

from al_bench.analysis.curves import headline, is_better_higher, values_by_annotations
from al_bench.analysis.ending import say_going_on, unfinished
from al_bench.analysis.grouping import Group, Section
from al_bench.analysis.lines import (
    BUDGETS,
    Compared,
    Width,
    areas,
    common_width,
    compare_lines,
    compared_range,
    range_of,
    value_at,
    values_by_size,
)
from al_bench.analysis.provenance import on_others
from al_bench.analysis.statistics.areas import Scale
from al_bench.analysis.statistics.best import Best, find_best, say_best
from al_bench.analysis.statistics.bootstrap import bootstrap_interval
from al_bench.analysis.statistics.correction import correct
from al_bench.analysis.statistics.paired import ASSUMES, FEWEST_RANKED, LEVEL
from al_bench.analysis.statistics.penalty import penalty_matrix
from al_bench.analysis.statistics.power import tell_seeds_needed
from al_bench.analysis.statistics.reaching import labels_to_reach, summarize_reached
from al_bench.report.measures import Measure, listed, measure
from al_bench.report.tables import Cell, Table

_AT = {"annotations": "annotations (area)", "steps": "training steps (end)", "seconds": "seconds (end)"}
_TOLD = {True: "better", False: "worse", None: "not told apart"}


@dataclass(frozen=True)
class Statistics:
    """reference: the line that others are compared with; tables: areas, tests, and the penalty matrix where two lines
    have two seeds; said: what the tests assume, and which lines they leave out."""

    reference: str
    tables: Sequence[Table]
    said: str


def statistics(section: Section) -> Statistics | None:
    """Of lines that ask for labels, so not of full supervision. None for fewer than two, and where no line has seeds in
    common with the reference."""
    groups = [group for group in section.groups if group.variant == 0 and _has_curve(group)]
    if len(groups) < 2:
        return None
    reference = next((one for one in groups if one.first.choices.get("strategy") == "random"), groups[0])
    name = headline(reference.first)
    shown = measure(name, reference.first.metrics)
    tests = [one for budget in BUDGETS for one in compare_lines(groups, reference, name, budget)]
    if not tests:
        return None
    corrected = correct([one.of_line.test for one in tests])
    tests = [replace(one, of_line=among_all) for one, among_all in zip(tests, corrected, strict=True)]
    tables = [_areas(section, groups, reference, name, shown), _tests(section, tests, reference, shown)]
    matrix = _penalties(section, groups, name)
    return Statistics(
        reference.name, [*tables, *([matrix] if matrix else [])], _said(tests, section, groups, reference)
    )


def _has_curve(group: Group) -> bool:
    """Whether one of its seeds has two values of the headline metric, whatever the others have."""
    return any(len(values_by_annotations(run, headline(group.first))) > 1 for run in group.runs)


def _areas(section: Section, groups: Sequence[Group], reference: Group, name: str, shown: Measure) -> Table:
    """The goal is what the reference has at its end, the mean over seeds."""
    end, width = range_of(reference, name), common_width(groups, reference, name)
    goal = None if end is None else value_at(reference, name, end[1])
    rows = [_area_row(group, name, width, goal, shown) for group in groups]
    of = ""
    if end is not None and goal is not None:
        of = (
            f"; the goal is {shown.written(goal)}, what {reference.name} has at its end, {end[1]:,}; labels to it are "
            "the median over seeds, of which one that does not get there is the last"
        )
    found = _best_areas(groups, name, width)
    best = frozenset((one.place, 3 + place) for place, one in enumerate(found) if one is not None)
    by = f"; {said}" if (said := say_best(found)) else ""
    columns = [
        "line",
        "seeds",
        "annotations",
        f"area, {shown.axis}",
        "area over log(annotations)",
        "labels to the goal",
        "seeds there",
    ]
    about = f"{section.title}: area under the curve over {_say_width(width, groups)}{of}{by}"
    return Table("areas", about, columns, rows, best)


def _say_width(width: Width | None, groups: Sequence[Group]) -> str:
    if width is None:
        return "annotations, of which the first line has no two numbers"
    short = [group.name for group in groups if group.name not in width.lines]
    apart = f" but {listed(short)}, less than half of it" if short else ""
    return f"{width.low:,} to {width.high:,} annotations, which all lines have{apart}"


def _best_areas(groups: Sequence[Group], name: str, width: Width | None) -> list[Best | None]:
    """The line of the best area, by the number of annotations and by its logarithm, where tests tell it."""
    if width is None:
        return []
    scales: tuple[Scale, ...] = ("linear", "log")
    columns = [[areas(group, name, width, scale) for group in groups] for scale in scales]
    return find_best(columns, is_better_higher(groups[0].first, name))


def _area_row(group: Group, name: str, width: Width | None, goal: float | None, shown: Measure) -> list[Cell]:
    linear, log = (areas(group, name, width, scale) if width else {} for scale in ("linear", "log"))
    higher = is_better_higher(group.first, name)
    curves = [values_by_annotations(run, name) for run in group.runs]
    found = [None if goal is None else labels_to_reach([*curve], [*curve.values()], goal, higher) for curve in curves]
    reached = summarize_reached(found)
    means = [shown.number(fmean(one.values())) if one else None for one in (linear, log)]
    sizes = sorted({at for curve in curves for at in curve})
    middle: Cell = "not reached" if reached.middle is None else round(reached.middle)
    if reached.middle is not None and reached.middle <= sizes[0]:  # over it with the first labels
        middle = f"{middle:,} or fewer"
    return [
        group.name,
        len(group.runs),
        f"{sizes[0]:,} to {sizes[-1]:,}" if sizes else None,
        *means,
        middle,
        f"{len(reached.reached)} of {len(found)}",
    ]


def _tests(section: Section, tests: Sequence[Compared], reference: Group, shown: Measure) -> Table:
    columns = [
        "line", "at equal", "over", shown.difference, f"{LEVEL:.0%} low", "high", "p", "p after Holm", "p, signed-rank",
        "bootstrap low", "high of it", "effect, d", "seeds", "verdict", "seeds it would take",
    ]  # fmt: skip
    name = headline(reference.first)
    over = {group.name: compared_range(group, reference, name) for group in section.groups}
    rows: list[list[Cell]] = [_test_row(one, over.get(one.line), shown) for one in tests]
    less = ", of which less is better" if shown.less_is_better else ""
    about = f"{section.title}: each line minus {reference.say_as_baseline(reference.name)} in {shown.words}{less}"
    return Table("tests", about, columns, rows)


def _test_row(one: Compared, over: tuple[int, int] | None, shown: Measure) -> list[Cell]:
    """over: the annotations of its areas."""
    sizes = f"{over[0]:,} to {over[1]:,}" if over and one.budget == "annotations" else None
    test = one.of_line.test
    values = [shown.number(value) for value in (test.mean, test.low, test.high)]
    again = bootstrap_interval(test.differences)
    drawn = [None, None] if again is None else [shown.number(again.low), shown.number(again.high)]
    return [
        one.line, _AT[one.budget], sizes, *values, test.p, one.of_line.p, test.ranked, *drawn, test.effect, test.n,
        "one seed tests nothing" if test.n == 1 else _TOLD[one.of_line.better],
        tell_seeds_needed(test.effect, one.of_line.level),
    ]  # fmt: skip


def _penalties(section: Section, groups: Sequence[Group], name: str) -> Table | None:
    """In each row how often a line is ahead of the others, of the sizes that both have with two seeds."""
    several = [group for group in groups if len(group.runs) > 1]
    if len(several) < 2:
        return None
    found = penalty_matrix([values_by_size(group, name) for group in several], is_better_higher(several[0].first, name))
    rows: list[list[Cell]] = [
        [group.name, *(None if value != value else float(value) for value in row)]
        for group, row in zip(several, found.tolist(), strict=True)
    ]
    about = (
        f"{section.title}: at which fraction of sizes the line of a row is ahead of that of a column (paired t, 5 %, "
        "not corrected for their number)"
    )
    return Table("penalties", about, ["ahead of", *(group.name for group in several)], rows)


def _said(tests: Sequence[Compared], section: Section, groups: Sequence[Group], reference: Group) -> str:
    """What has to be known of the tests before they are read, and which lines of the section are not among `groups`."""
    words = [
        f"The test is the {ASSUMES}",
        "at equal training steps (of every network of a training, a critic's among them) or seconds, those of all "
        "cycles and queries so far, both lines have their value at the sum that the cheaper one has spent, the other's "
        "interpolated between its cycles, which may be of other numbers of annotations; what is trained "
        "once for several runs, a GAN or an oracle, is in neither",
    ]
    if min(one.of_line.test.n for one in tests) < FEWEST_RANKED:
        words.append(
            f"with fewer than {FEWEST_RANKED} pairs a signed-rank test cannot come below 5 %, and is not given"
        )
    alone = {one.line: one.of_line.test.unpaired for one in tests if one.of_line.test.unpaired}
    unpaired = [f"{line} (seeds {listed(seeds)})" for line, seeds in sorted(alone.items())]
    if unpaired:
        words.append(
            "seeds that one of both lines has alone, begins with other labels or has come less than half as far with "
            f"are left out: {listed(unpaired)}"
        )
    tested = {one.line for one in tests}
    seeds = {seed for one in tests for seed in one.of_line.test.seeds}
    compared = [group for group in groups if group is reference or group.name in tested]
    if going := say_going_on({group.name: unfinished(group.runs, seeds) for group in compared}):
        words.append(going)
    if apart := [group.name for group in groups if group.name in tested and on_others(group.runs, reference.runs)]:
        words.append(
            f"{listed(apart)} {'is' if len(apart) == 1 else 'are'} not known to have run on the hardware of "
            f"{reference.name}, and equal code rounds otherwise on another: what that moves is in the difference"
        )
    if others := [group.name for group in section.groups if group.variant]:
        words.append(f"other configurations of a line are not among them: {listed(others)}")
    if short := [group.name for group in section.groups if not group.variant and group not in groups]:
        words.append(f"nor is what has no two values along annotations: {listed(short)}")
    return f"{'; '.join(words)}."
