"""The settings that an experiment with procedure=tuning sweeps over, and the best of them as a method of `conf/`."""

import argparse
import logging
from pathlib import Path

from tabulate import tabulate

from al_bench.analysis.experiment import plan_experiment
from al_bench.analysis.reading import stored
from al_bench.analysis.tuning import choose_best, doubt_best, read_settings, write_method
from al_bench.errors import UserError, printable
from al_bench.files import Console, output_file, written_whole
from al_bench.training.interruption import as_command


def main() -> None:
    """Shows each setting; once all are measured, writes the best one or prints it."""
    arguments = parse()
    logging.basicConfig(level=logging.WARNING, format="%(message)s", handlers=[Console()])
    experiment = plan_experiment(arguments.experiment, arguments.override)
    found = stored(arguments.outputs, arguments.cells)
    metric, settings = read_settings(experiment, found.runs)
    rows = [
        [one.line, f"{one.mean:.4f}" if one.values else "-", f"{len(one.values)} of {len(one.seeds)}"]
        for one in settings
    ]
    print(tabulate(rows, headers=["setting", metric.name.replace("_", " "), "seeds"], disable_numparse=True))
    for problem in found.problems:
        print(f"left out: {printable(problem.place)}: {problem.sentence}")
    try:
        best = choose_best(metric, settings)
    except UserError as error:
        raise UserError(f"{error}; {experiment.commands[0]} measures them") from error
    text = write_method(experiment, metric, settings, best)
    print("\n".join([f"\nbest: {best.line}", *doubt_best(metric, settings, best)]))
    if arguments.to is None:
        print(f"\n{text}")
        return
    with written_whole(output_file(arguments.to)) as file:
        file.write(text.encode())
    print(f"written to {arguments.to}")


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("experiment", help="such as waal/tuning_fashion_mnist")
    parser.add_argument("override", nargs="*", help="what its sweep was given beside, such as scale=small")
    parser.add_argument("--to", type=Path, metavar="FILE", help="such as conf/method/tuned/fashion_mnist.yaml")
    parser.add_argument("--outputs", type=Path, default=Path("outputs"), help="where runs are (outputs)")
    parser.add_argument("--cells", type=Path, default=Path("results/cells"), help="exported runs (results/cells)")
    return parser.parse_args()


if __name__ == "__main__":
    with as_command():
        main()
