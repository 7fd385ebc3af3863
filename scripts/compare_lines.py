"""The lines of a comparison by their areas under the curves, each minus one of them: mean, interval and p after Holm;
their ranks, the labels with which they reach what that one does, and what they cost.

Reads runs as `make report` does, of those whose label begins as told; a line is a method of conf/method/compared.
"""

import argparse
import sys
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from statistics import mean, stdev

from tabulate import tabulate

from al_bench.analysis.cost import costs
from al_bench.analysis.curves import values_by_annotations
from al_bench.analysis.grouping import Group, sections
from al_bench.analysis.lines import compare_two
from al_bench.analysis.reading import stored
from al_bench.analysis.standing import find_standings, last_mean
from al_bench.analysis.statistics.correction import correct
from al_bench.errors import UserError
from al_bench.training.interruption import as_command

METRIC = "accuracy"


def main() -> None:
    """Prints the curves, then each line minus the reference."""
    arguments = parse()
    lines = read_lines(arguments.cells, arguments.label)
    same = {name: group for name, group in lines.items() if own_line(name) not in lines}
    if arguments.minus not in same:
        known = f"use one of {', '.join(same)}" if same else f"nothing of it is stored in {arguments.cells}"
        raise UserError(f"{arguments.minus} is no line of {arguments.label}: {known}")
    if arguments.at is not None and arguments.at not in (sizes := sizes_of(lines[arguments.minus])):
        raise UserError(f"--at {arguments.at}: {arguments.minus} is measured at {', '.join(map(str, sizes))}")
    print(tabulate(curve_rows(lines), headers="keys", disable_numparse=True))
    what = "area over the annotations" if arguments.at is None else f"{METRIC} at {arguments.at:,} annotations"
    print(f"\n{what} minus that of {arguments.minus}, in points; 95 % by a paired t, p after Holm")
    print(tabulate(difference_rows(same, arguments.minus, arguments.at), headers="keys", disable_numparse=True))
    target = last_mean(lines[arguments.minus], METRIC)
    if target is not None:
        goal = f"the {100 * target:.2f} % that {arguments.minus} has at last"
        print(
            f"\nmean rank of the areas; labels to {goal}, the median; steps and seconds of trainings and queries a run"
        )
        print(tabulate(standing_rows(same, target), headers="keys", disable_numparse=True))
    for name in lines.keys() - same.keys():
        print(f"\n{what} in another precision minus the line itself, in points")
        pair = {name: lines[name], own_line(name): lines[own_line(name)]}
        print(tabulate(difference_rows(pair, own_line(name), arguments.at), headers="keys", disable_numparse=True))


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("label", help="such as cifar10-compared-features")
    parser.add_argument("--minus", default="margin", help="the line that others are compared with (margin)")
    parser.add_argument("--at", type=int, metavar="N", help="compare at so many annotations, not by areas")
    parser.add_argument("--cells", type=Path, default=Path("results/cells"), help="exported runs (results/cells)")
    return parser.parse_args()


def read_lines(cells: Path, label: str) -> dict[str, Group]:
    """Each line by its name, one in another precision by that too, and another configuration of a line by a number.

    Of runs that are measured in several ways those that most are; what else there is is said on stderr.
    """
    found = stored(cells, cells)
    for problem in found.problems:
        print(f"left out: {problem.place}: {problem.sentence}", file=sys.stderr)
    measured = sections(run for run in found.runs if run.label[0] == label and run.is_loop)
    for section in measured[1:]:
        runs = sum(len(group.runs) for group in section.groups)
        print(f"left out: {runs} runs of {section.title}, which are not measured on the same", file=sys.stderr)
    lines: dict[str, Group] = {}
    for group in measured[0].groups if measured else ():
        method = str(group.first.choices.get("method")).removeprefix("compared/")
        precision = group.first.identity["learner"].get("precision")
        name = f"{method}, {precision}" if precision else method
        same = sum(one == name or one.startswith(f"{name} (") for one in lines)
        lines[f"{name} ({same + 1})" if same else name] = group
    return lines


def own_line(name: str) -> str:
    """The line of which one in another precision has the name; empty for any other."""
    return name.rpartition(", ")[0]


def sizes_of(group: Group) -> list[int]:
    """The numbers of annotations at which a line is measured."""
    return sorted({size for run in group.runs for size in values_by_annotations(run, METRIC)})


def curve_rows(lines: Mapping[str, Group]) -> list[dict[str, str]]:
    """Mean and deviation at each number of annotations, and seconds of queries a run."""
    rows = []
    for name, group in lines.items():
        values: dict[int, list[float]] = defaultdict(list)
        for run in group.runs:
            for size, value in values_by_annotations(run, METRIC).items():
                values[size].append(100 * value)
        spread = {
            str(size): f"{mean(found):.2f} ± {stdev(found) if found[1:] else 0:.2f}" for size, found in values.items()
        }
        query = next((f"{part.seconds:.1f}" for part in costs(group) if part.part == "query"), "-")
        rows.append({"line": name, "seeds": str(len(group.runs)), **spread, "query, s": query})
    return rows


def difference_rows(lines: Mapping[str, Group], minus: str, at: int | None) -> list[dict[str, str]]:
    """Each line that shares seeds, first labels and numbers of annotations with the reference, minus it.

    at: by values at so many annotations; None: by areas.
    """
    found = {name: compare_two(one, lines[minus], METRIC, at=at) for name, one in lines.items() if name != minus}
    tests = {name: test for name, test in found.items() if test is not None}
    rows = []
    for (name, test), corrected in zip(tests.items(), correct(list(tests.values())), strict=True):
        between = "-" if test.low is None or test.high is None else f"[{100 * test.low:.2f}, {100 * test.high:.2f}]"
        p = "-" if corrected.p is None else "<0.0001" if corrected.p < 0.00005 else f"{corrected.p:.4f}"
        difference = f"{100 * mean(test.differences):+.2f}"
        rows.append(
            {"line": name, "difference": difference, "interval": between, "p": p, "pairs": str(len(test.seeds))}
        )
    return rows


def standing_rows(lines: Mapping[str, Group], target: float) -> list[dict[str, str]]:
    """Rank, labels to the target and cost of each line that has a curve."""
    rows = []
    for name, standing in find_standings(lines, METRIC, target).items():
        reached, seeds = standing.reached, len(lines[name].runs)
        labels = "not reached" if reached.middle is None else f"{reached.middle:,.0f}"
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
