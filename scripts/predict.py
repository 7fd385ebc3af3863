"""A trained model's answers on your pictures, as CSV: `python scripts/predict.py RUN DIR > predictions.csv`."""

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from al_bench.files import Console
from al_bench.procedure.prediction import load_model, write_predictions
from al_bench.training.interruption import as_command


def main(arguments: Sequence[str]) -> int:
    """Writes a row for each picture; returns the exit code, 1 where some cannot be read."""
    asked = parse(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(message)s", handlers=[Console()])
    problems = write_predictions(sys.stdout, load_model(asked.run), asked.pictures)
    for problem in problems:
        print(f"left out: {problem}", file=sys.stderr)
    return 1 if problems else 0


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    of = "a run's folder, whose last model is asked, or the file of a model, cycles/NNN.model.safetensors, wherever"
    parser.add_argument("run", type=Path, metavar="RUN", help=of)
    parser.add_argument("pictures", type=Path, metavar="DIR", help="a folder of pictures, at any depth, or one picture")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    with as_command():
        sys.exit(main(sys.argv[1:]))
