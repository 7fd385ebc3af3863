"""A trained model's answers on your pictures, as CSV: `python scripts/predict.py RUN DIR > predictions.csv`."""

import argparse
import io
import logging
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from al_bench.annotation.labeling_run import LabelingRun
from al_bench.errors import UserError
from al_bench.files import Console
from al_bench.procedure.prediction import WEIGHTS, load_model, write_predictions
from al_bench.training.interruption import as_command


def main(arguments: Sequence[str]) -> int:
    """Writes a row for each picture; returns the exit code, 1 where some cannot be read."""
    asked = parse(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(message)s", handlers=[Console()])
    model = load_model(asked.run, asked.weights, asked.weights_folder)
    with suppress(OSError):
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(encoding="utf-8")  # as every file of ours is, whatever a terminal has
    problems = write_predictions(sys.stdout, model, *chosen_pictures(asked))
    for problem in problems:
        print(f"left out: {problem}", file=sys.stderr)
    return 1 if problems else 0


def chosen_pictures(asked: argparse.Namespace) -> tuple[Path, frozenset[str]]:
    """The folder of pictures, and the names of those in it that need no prediction. Raises UserError where there is
    neither a folder nor a run that knows one."""
    if not asked.rest:
        if asked.pictures is None:
            raise UserError(
                "DIR is missing: name a folder of pictures, or ask for --rest of a run that a person labels"
            )
        return asked.pictures, frozenset()
    if asked.pictures is not None:
        raise UserError(f"--rest is of the run's own pictures: leave {asked.pictures} out, or --rest")
    run = LabelingRun(asked.run)
    return run.root, frozenset(name for name, answer in run.given() if answer.label is not None)


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    of = "a run's folder, whose last model is asked, or the file of a model, cycles/NNN.model.safetensors, wherever"
    parser.add_argument("run", type=Path, metavar="RUN", help=of)
    of = "a folder of pictures, at any depth, or one picture"
    parser.add_argument("pictures", type=Path, metavar="DIR", nargs="?", help=of)
    of = "of a run that a person labels, in place of DIR: those of its pictures that have no label yet"
    parser.add_argument("--rest", action="store_true", help=of)
    of = "the frozen network's, of a run with representation=backbone; else the file that the run named, where it lies"
    parser.add_argument("--weights", metavar="FILE", help=of)
    of = f"where published ones are, {WEIGHTS}"
    parser.add_argument("--weights-folder", type=Path, metavar="DIR", default=WEIGHTS, help=of)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    with as_command():
        sys.exit(main(sys.argv[1:]))
