"""Labels out of a run, and into it: `scripts/labels.py export RUN`, `scripts/labels.py import RUN FILE`."""

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from al_bench.annotation.exchange import LABEL_CONFIG, read_answers, refuse_answered, write_csv, write_label_studio
from al_bench.annotation.importing import import_answers
from al_bench.errors import UserError, printable
from al_bench.files import Console
from al_bench.training.interruption import as_command


def main(arguments: Sequence[str]) -> int:
    """Exports or imports, and says what; returns the exit code."""
    asked = parse(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(message)s", handlers=[Console()])
    print(printable(export(asked) if asked.command == "export" else bring_in(asked)))
    return 0


def export(asked: argparse.Namespace) -> str:
    """Writes the file; says what was written."""
    path = asked.to or asked.run / ("tasks.csv" if asked.query else "labels.csv")
    if asked.query:
        refuse_answered(path)
    if path.suffix.lower() == ".json":
        count = write_label_studio(asked.run, path, asked.query, asked.pictures_at)
        beside = f", and {LABEL_CONFIG} is beside it"
    elif path.suffix.lower() == ".csv":
        count, beside = write_csv(asked.run, path, asked.query), ""
    else:
        raise UserError(f"--to={path} is neither CSV nor Label Studio's JSON: end the name in .csv or .json")
    what = f"picture{'' if count == 1 else 's'} to label" if asked.query else f"answer{'' if count == 1 else 's'}"
    return f"{count:,} {what} written to {path}{beside}"


def bring_in(asked: argparse.Namespace) -> str:
    """Appends the answers of the file; says how many, and how many of others they take the place of."""
    rows = read_answers(asked.file)
    if not rows:
        raise UserError(f"{asked.file} has no answer: fill in its column label, or label its tasks first")
    return str(import_answers(asked.run, rows, asked.new_classes, keep=asked.keep))


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("export", help="the answers that hold, or the query, as CSV or for Label Studio")
    two = commands.add_parser("import", help="answers from CSV, or from Label Studio's JSON or JSON-MIN")
    for command in (one, two):
        command.add_argument("run", type=Path, metavar="RUN", help="the folder of a run that a person labels")
    one.add_argument("--to", type=Path, metavar="FILE", help="ends in .csv or .json (RUN/labels.csv)")
    one.add_argument("--query", action="store_true", help="what is to be labeled now, in place of the answers")
    prefix = "what comes before a picture's name in Label Studio's tasks (/data/local-files/?d=FOLDER/)"
    one.add_argument("--pictures-at", metavar="PREFIX", help=prefix)
    two.add_argument("file", type=Path, metavar="FILE", help="which answers to take")
    two.add_argument("--keep", action="store_true", help="leave pictures as they are that have an answer already")
    two.add_argument("--new-classes", action="store_true", help="add classes that the run does not have")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    with as_command():
        sys.exit(main(sys.argv[1:]))
