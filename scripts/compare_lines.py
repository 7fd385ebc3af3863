"""The lines of a comparison by their areas under the curves, each minus one of them: mean, interval and p after Holm;
their ranks, the labels with which they reach what that one does, and what they cost.

Of stored and exported runs whose label begins as told. A line is a method, a strategy where none was chosen; another
configuration of it is a line with a number, and what is other is said.
"""

import argparse
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import mean, stdev

from tabulate import tabulate

from al_bench.analysis.common_range import common_part
from al_bench.analysis.cost import costs
from al_bench.analysis.curves import headline, values_by_annotations
from al_bench.analysis.ending import say_going_on, unfinished
from al_bench.analysis.grouping import Group, sections
from al_bench.analysis.lines import compare_two, compared_range
from al_bench.analysis.selection import stored_of_task
from al_bench.analysis.standing import Ranked, Standing, find_standings, last_mean
from al_bench.analysis.statistics.correction import correct
from al_bench.errors import UserError, amount, printable
from al_bench.report.cells import format_differences
from al_bench.report.measures import Measure, measure
from al_bench.training.interruption import as_command


def main() -> None:
    """Prints the curves, then each line minus the reference."""
    arguments = parse()
    lines = read_lines(arguments.outputs, arguments.cells, arguments.label)
    others = in_another_precision(lines)
    same = {name: group for name, group in lines.items() if name not in others}
    if arguments.minus not in same:
        nothing = f"nothing of it is stored in {arguments.outputs} or {arguments.cells}"
        known = f"--minus takes one of {', '.join(same)}" if same else nothing
        raise UserError(f"{arguments.minus} is no line of {arguments.label}: {known}")
    if arguments.at is not None and arguments.at not in (sizes := sizes_of(lines[arguments.minus])):
        raise UserError(f"--at {arguments.at}: {arguments.minus} is measured at {', '.join(map(str, sizes))}")
    shown = measure_of(lines[arguments.minus])
    print(tabulate(curve_rows(lines), headers="keys", disable_numparse=True))
    for sentence in say_differences(lines, [name for name in lines if name not in others]):
        print(sentence)
    if going := say_going_on({name: unfinished(group.runs, group.seeds) for name, group in same.items()}):
        print(going)
    size = "area over the annotations" if arguments.at is None else f"at {arguments.at:,} annotations"
    what = f"{shown.words}, {size}"
    unit = f", in {shown.unit_of_differences}" if shown.unit else ""
    print(f"\n{what}, minus that of {arguments.minus}{unit}; 95 % by a paired t, p after Holm")
    print(tabulate(difference_rows(same, arguments.minus, arguments.at), headers="keys", disable_numparse=True))
    target = last_mean(lines[arguments.minus], headline(lines[arguments.minus].first))
    if target is not None:
        goal = f"{shown.factor * target:.2f} {shown.unit}".rstrip()
        print(
            f"\nmean rank of the areas; labels to the {goal} that {arguments.minus} has at last, the median; steps and "
            "seconds of trainings and queries a run"
        )
        standings, ranked = find_standings(same, headline(lines[arguments.minus].first), target)
        print(tabulate(standing_rows(same, standings), headers="keys", disable_numparse=True))
        print(f"\n{say_ranked(ranked, list(same))}")
    else:
        print(f"\nno ranks, labels and costs: the seeds of {arguments.minus} share no two numbers of annotations")
    for name, own in others.items():
        print(f"\n{what}, in another precision minus the line itself{unit}")
        pair = {name: lines[name], own: lines[own]}
        print(tabulate(difference_rows(pair, own, arguments.at), headers="keys", disable_numparse=True))


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("label", help="such as cifar10-compared-features")
    parser.add_argument("--minus", default="margin", help="the line that others are compared with (margin)")
    parser.add_argument("--at", type=int, metavar="N", help="compare at so many annotations, not by areas")
    parser.add_argument("--outputs", type=Path, default=Path("outputs"), help="where runs are (outputs)")
    parser.add_argument("--cells", type=Path, default=Path("results/cells"), help="exported runs (results/cells)")
    return parser.parse_args()


def read_lines(outputs: Path, cells: Path, label: str) -> dict[str, Group]:
    """Each line by its name, one in another precision by that too, and another configuration of a line by a number.

    Of runs that are measured in several ways those that most are; what else there is is said on stderr.
    """
    found = stored_of_task(label, outputs, cells)
    for problem in found.problems:
        print(f"left out: {printable(problem.place)}: {problem.sentence}", file=sys.stderr)
    measured = sections(run for run in found.runs if run.label[0] == label and run.is_loop)
    for section in measured[1:]:
        runs = sum(len(group.runs) for group in section.groups)
        print(f"left out: {amount(runs, 'run')} of {section.title}, not measured on the same", file=sys.stderr)
    lines: dict[str, Group] = {}
    for group in measured[0].groups if measured else ():
        precision = _precision(group)
        name = f"{method_of(group)}, {precision}" if precision else method_of(group)
        same = sum(one == name or one.startswith(f"{name} (") for one in lines)
        lines[f"{name} ({same + 1})" if same else name] = group
    return lines


def method_of(group: Group) -> str:
    """The method that was chosen, and what of it was changed; else the strategy and what else its label says."""
    chosen = str(group.first.choices.get("method", "none"))
    changed = f" with {' '.join(group.changes)}" if group.changes else ""
    return group.method if chosen == "none" else chosen.removeprefix("compared/") + changed


def say_differences(lines: Mapping[str, Group], asked: Sequence[str]) -> list[str]:
    """Of each line that has another's name and a number, or a precision: in what its configuration is another."""
    said = []
    for name in asked:
        first = lines.get(name.rpartition(" (" if name.endswith(")") else ", ")[0])
        if first is not None:
            said.append(f"{name}: {format_differences(lines[name].differences_from(first))}")
    return said


def measure_of(group: Group) -> Measure:
    """How its headline metric is written."""
    return measure(headline(group.first), group.first.metrics)


def in_another_precision(lines: Mapping[str, Group]) -> dict[str, str]:
    """Of each line in a precision of its own the first without one from which it differs in nothing else."""
    found: dict[str, str] = {}
    for name, group in lines.items():
        for one, other in lines.items():
            if _precision(group) and not _precision(other) and _is_alike(group, other):
                found.setdefault(name, one)
    return found


def _precision(group: Group) -> str | None:
    precision = group.first.identity["learner"].get("precision")
    return None if precision is None else str(precision)


def _is_alike(group: Group, other: Group) -> bool:
    learners = [dict(one.first.identity["learner"], precision=None) for one in (group, other)]
    rest = [{**one.first.identity, "learner": None, "seed": None} for one in (group, other)]
    return learners[0] == learners[1] and rest[0] == rest[1]


def sizes_of(group: Group) -> list[int]:
    """The numbers of annotations at which a line is measured."""
    return sorted({size for run in group.runs for size in values_by_annotations(run, headline(run))})


def curve_rows(lines: Mapping[str, Group]) -> list[dict[str, str]]:
    """Mean, of several seeds the deviation, at each number of annotations, and seconds of queries a run."""
    rows = []
    for name, group in lines.items():
        values: dict[int, list[float]] = defaultdict(list)
        for run in group.runs:
            for size, value in values_by_annotations(run, headline(run)).items():
                values[size].append(measure_of(group).factor * value)
        spread = {
            str(size): f"{mean(found):.2f}" + (f" ± {stdev(found):.2f}" if found[1:] else "")
            for size, found in sorted(values.items())
        }
        query = next((f"{part.seconds:.1f}" for part in costs(group) if part.part == "query"), "-")
        rows.append({"line": name, "seeds": str(len(group.runs)), **spread, "query, s": query})
    return rows


def difference_rows(lines: Mapping[str, Group], minus: str, at: int | None) -> list[dict[str, str]]:
    """Each line minus the reference, over the seeds, first labels and numbers of annotations that both have.

    at: by values at so many annotations; None: by areas.
    """
    shown, metric = measure_of(lines[minus]), headline(lines[minus].first)
    found = {name: compare_two(one, lines[minus], metric, at=at) for name, one in lines.items() if name != minus}
    over = {name: say_over(lines[name], lines[minus], metric) if at is None else {} for name in found}
    tests = {name: test for name, test in found.items() if test is not None}
    corrected_of = dict(zip(tests, correct(list(tests.values())), strict=True))
    rows = []
    for name in found:
        if name not in tests:
            rows.append({"line": name, "difference": "-", "interval": "-", "p": "-", "pairs": "0", **over[name]})
            continue
        test, corrected = tests[name], corrected_of[name]
        ends = [None if end is None else shown.number(end) for end in (test.low, test.high)]
        between = "-" if None in ends else f"[{ends[0]:.2f}, {ends[1]:.2f}]"
        p = "-" if corrected.p is None else "<0.0001" if corrected.p < 0.00005 else f"{corrected.p:.4f}"
        difference = f"{shown.factor * mean(test.differences):+.2f}"
        told = {"line": name, "difference": difference, "interval": between, "p": p, "pairs": str(len(test.seeds))}
        rows.append({**told, **over[name]})
    return rows


def say_over(group: Group, reference: Group, name: str) -> dict[str, str]:
    """Over which annotations the areas of two lines are, and whether that is less than half of what one of both has."""
    compared = compared_range(group, reference, name) or ()
    part = common_part({0: compared}, [[sizes_of(one)] for one in (group, reference)])
    short = ", less than half" if part and part.is_short else ""
    return {"annotations": f"{part.low:,} to {part.high:,}{short}" if part else "-"}


def say_ranked(ranked: Ranked | None, lines: Sequence[str]) -> str:
    """What the ranks are over, and which lines have none."""
    if ranked is None:
        return "no ranks: the lines share no seed with two numbers of annotations"
    seeds = f"seed{'' if len(ranked.seeds) == 1 else 's'} {', '.join(map(str, ranked.seeds))}"
    without = [line for line in lines if line not in ranked.ranks]
    short = f"; without {', '.join(without)}, of fewer than half of the seeds or of the annotations" if without else ""
    return f"ranks over {seeds}, {ranked.low:,} to {ranked.high:,} annotations{short}"


def standing_rows(lines: Mapping[str, Group], standings: Mapping[str, Standing]) -> list[dict[str, str]]:
    """Rank, labels to the target and cost of each line that has a curve."""
    rows = []
    for name, standing in standings.items():
        reached, seeds = standing.reached, len(lines[name].runs)
        labels = "not reached" if reached.middle is None else f"{reached.middle:,.0f}"
        if reached.middle is not None and reached.middle <= sizes_of(lines[name])[0]:
            labels += " or fewer"  # over it with the first labels
        some = f", {reached.censored} of {seeds} not" if reached.censored and reached.middle is not None else ""
        rows.append(
            {
                "line": name,
                "rank": "-" if standing.rank is None else f"{standing.rank:.1f}",
                "labels": labels + some,
                "steps": f"{standing.steps:,.0f}",
                "s": f"{standing.seconds:,.0f}",
            }
        )
    return rows


if __name__ == "__main__":
    with as_command():
        main()
