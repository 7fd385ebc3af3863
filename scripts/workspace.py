"""A saved view of W&B for an experiment: metrics and costs over annotations, lines over their seeds; images."""

import argparse
import json
import logging
from pathlib import Path

from al_bench.config.experiment import cells_of
from al_bench.files import Console, output_file, written_whole
from al_bench.tracking.workspace import build_workspace, plain_workspace, send_workspace
from al_bench.training.interruption import as_command


def main() -> None:
    """Sends it, or writes it and sends nothing."""
    arguments = parse()
    logging.basicConfig(level=logging.WARNING, format="%(message)s", handlers=[Console()])
    cells = cells_of(arguments.experiment, arguments.override)
    workspace = build_workspace(arguments.experiment, cells, arguments.entity, arguments.project)
    if arguments.json is None:
        print(send_workspace(workspace))
        return
    with written_whole(output_file(arguments.json)) as file:
        file.write(json.dumps(plain_workspace(workspace), indent=1).encode())
    print(f"written to {arguments.json}; nothing was sent")


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("experiment", help="such as asal/mnist_two")
    parser.add_argument("override", nargs="*", help="what its sweep was given beside, such as scale=small")
    parser.add_argument("--entity", default="", help="of W&B, a person or a team (the one that is logged in)")
    parser.add_argument("--project", default="al_bench", help="what tracking.project was (al_bench)")
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="writes the view there and sends nothing; needs no login"
    )
    return parser.parse_args()


if __name__ == "__main__":
    with as_command():
        main()
