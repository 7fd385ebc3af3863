"""A trained model for other programs: `python scripts/export_model.py RUN --onnx FILE`.

The file of a cycle's model, cycles/NNN.model.safetensors, travels as it is: its head says what it reads and answers.
"""

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from al_bench.files import Console
from al_bench.procedure.onnx_export import write_onnx
from al_bench.procedure.prediction import WEIGHTS, load_model
from al_bench.training.interruption import as_command


def main(arguments: Sequence[str]) -> None:
    """Writes the file and says so."""
    asked = parse(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(message)s", handlers=[Console()])
    model = load_model(asked.run, asked.weights, asked.weights_folder)
    write_onnx(model, asked.onnx)
    print(f"written to {asked.onnx}: {len(model.head.class_names)} classes, images of {model.head.picture_shape}")


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    of = "a run's folder, whose last model is taken, or the file of a model, cycles/NNN.model.safetensors, wherever"
    parser.add_argument("run", type=Path, metavar="RUN", help=of)
    parser.add_argument("--onnx", type=Path, metavar="FILE", required=True, help="where to write it as ONNX")
    of = "the frozen network's, of a run with representation=backbone; else the file that the run named, where it lies"
    parser.add_argument("--weights", metavar="FILE", help=of)
    of = f"where published ones are, {WEIGHTS}"
    parser.add_argument("--weights-folder", type=Path, metavar="DIR", default=WEIGHTS, help=of)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    with as_command():
        main(sys.argv[1:])
