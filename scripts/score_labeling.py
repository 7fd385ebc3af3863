"""How honest the numbers of labeling runs were, where the truth is known: a table in Markdown on stdout.

    python scripts/score_labeling.py TRUTH.csv RUN RUN... > results/labeling.md

Of each run the accuracy that its audit set gave its last model, and that of the same model on all pictures of the
folder that nobody labeled; then, strategy against strategy, the differences of seeds that both have.
"""

import argparse
import csv
import io
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from statistics import fmean

import numpy as np
from scipy import stats
from tabulate import tabulate

from al_bench.active.interval import wilson_interval
from al_bench.annotation.exchange import read_answers
from al_bench.annotation.labeling_run import LabelingRun
from al_bench.errors import UserError, printable
from al_bench.files import read_json
from al_bench.procedure.prediction import load_model, write_predictions
from al_bench.report.tables import unmarked
from al_bench.storage.record import CycleRecord, cycles_of
from al_bench.storage.whole import run_of, whole_cycles
from al_bench.training.interruption import as_command


@dataclass(frozen=True)
class Scored:
    """One run's last model. strategy, seed: of the run; right: of `others` pictures that nobody labeled."""

    strategy: str
    seed: int
    records: Sequence[CycleRecord]
    right: int
    others: int

    @property
    def accuracy(self) -> float:
        """On the pictures that nobody labeled."""
        return self.right / self.others

    @property
    def audit(self) -> tuple[float, tuple[float, float]]:
        """What the audit set said, and its interval."""
        last = self.records[-1]
        accuracy, images = last.metrics["accuracy"], last.test_images
        assert isinstance(accuracy, float)
        assert images is not None
        return accuracy, wilson_interval(round(accuracy * images), images)


def score(run: Path, truth: Mapping[str, str]) -> Scored:
    """Asks a run's last model about all pictures that have no answer and can be read. Raises UserError where there is
    none."""
    config = read_json(run / "config.json")
    records = cycles_of(whole_cycles(run, run_of(run)))
    root = Path(config["config"]["dataset"]["root"])
    answered = {file for file, _ in LabelingRun(run).given()}
    table = io.StringIO()
    write_predictions(table, load_model(run), root)
    rows = csv.DictReader(io.StringIO(table.getvalue()))
    said = {unmarked(row["file"]): unmarked(row["label"]) for row in rows}
    others = [file for file in truth if file not in answered and printable(file) in said]
    if not others:
        raise UserError(f"{run} has an answer to every picture of the truth that can be read: nothing is left to score")
    right = sum(said[printable(file)] == printable(truth[file]) for file in others)
    return Scored(config["choices"]["strategy"], int(config["config"]["seed"]), records, right, len(others))


def row_of(scored: Scored) -> list[object]:
    """Of the table of runs."""
    accuracy, (low, high) = scored.audit
    holds = low <= scored.accuracy <= high
    first, last = scored.records[0], scored.records[-1]
    labels = f"{first.annotations} to {last.annotations}"
    interval = f"{100 * low:.1f} to {100 * high:.1f}"
    return [
        scored.strategy, scored.seed, len(scored.records), labels, f"{100 * accuracy:.1f}", interval,
        f"{100 * scored.accuracy:.2f}", "yes" if holds else "no",
    ]  # fmt: skip


def curve_rows(found: Sequence[Scored]) -> list[list[object]]:
    """Of each strategy's models in turn, as many as all seeds have: means over seeds of labels and audited accuracy."""
    rows: list[list[object]] = []
    for strategy in sorted({one.strategy for one in found}):
        runs = [one.records for one in found if one.strategy == strategy]
        for cycles in zip(*runs, strict=False):
            labels = fmean(sum(record.class_counts) for record in cycles)
            accuracy = fmean(float(record.metrics["accuracy"] or 0) for record in cycles)
            rows.append([strategy, len(cycles), f"{labels:.0f}", f"{100 * accuracy:.1f}"])
    return rows


def contrasts(found: Sequence[Scored]) -> list[list[object]]:
    """Of each pair of strategies the mean difference over the seeds of both, in points, with its 95 % interval."""
    rows: list[list[object]] = []
    for first, second in combinations(sorted({one.strategy for one in found}), 2):
        own, other = ({one.seed: one.accuracy for one in found if one.strategy == name} for name in (first, second))
        seeds = sorted(own.keys() & other.keys())
        if len(seeds) > 1:
            difference = 100 * np.array([own[seed] - other[seed] for seed in seeds])
            half = stats.t.ppf(0.975, len(seeds) - 1) * stats.sem(difference)
            mean = difference.mean()
            rows.append(
                [f"{first} - {second}", len(seeds), f"{mean:+.2f}", f"{mean - half:+.2f} to {mean + half:+.2f}"]
            )
    return rows


def main(arguments: Sequence[str]) -> int:
    """Writes the tables; returns the exit code. Raises UserError for a run that has no model."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("truth", type=Path, metavar="TRUTH.csv", help="file,label of every picture of the folder")
    parser.add_argument("runs", type=Path, nargs="+", metavar="RUN", help="folders of labeling runs")
    asked = parser.parse_args(arguments)
    truth = {row.file: row.label or "" for row in read_answers(asked.truth)}
    found = sorted((score(run, truth) for run in asked.runs), key=lambda one: (one.strategy, one.seed))
    headings = ["strategy", "seed", "models", "annotations", "audit, %", "95 % interval", "all others, %", "within"]
    print(tabulate([row_of(one) for one in found], headings, tablefmt="github", disable_numparse=True))
    within = sum(row_of(one)[-1] == "yes" for one in found)
    print(f"\nThe interval held the accuracy on all others in {within} of {len(found)} runs.\n")
    headings = ["strategy", "seeds", "labels to train on, mean", "audit, %, mean"]
    print(tabulate(curve_rows(found), headings, tablefmt="github", disable_numparse=True), end="\n\n")
    headings = ["difference on all others", "seeds", "mean, points", "95 % interval (paired t)"]
    print(tabulate(contrasts(found), headings, tablefmt="github", disable_numparse=True))
    return 0


if __name__ == "__main__":
    with as_command():
        sys.exit(main(sys.argv[1:]))
