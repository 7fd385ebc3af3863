"""`make report`: one HTML page and tables of the stored runs, or of those named only; trains nothing."""

import argparse
import logging
import sys
from pathlib import Path
from typing import Any

from al_bench import compose
from al_bench.errors import InputError
from al_bench.report.images import Sources
from al_bench.report.page import BANDS, write_report
from al_bench.report.reading import stored, stored_at


def main() -> None:
    """Writes the report and says what was left out; exit code 2 where a named run does not exist."""
    arguments = parsed()
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    try:
        where = (arguments.outputs, arguments.cells)
        found = stored_at(arguments.runs, *where) if arguments.runs else stored(*where)
    except InputError as error:
        sys.exit(_refused(error))
    page = write_report(found, arguments.to, arguments.band, Sources(None if arguments.no_images else made))
    for problem in found.problems:
        print(f"left out: {problem.place}: {problem.sentence}")
    print(f"{len(found.runs)} runs, {len(found.artifacts)} artifacts\n{page}")


def parsed() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", nargs="*", metavar="RUN", help="folders, exported files or ids: compares these alone")
    parser.add_argument("--outputs", type=Path, default=Path("outputs"), help="where runs and artifacts are (outputs)")
    parser.add_argument("--cells", type=Path, default=Path("results/cells"), help="exported runs (results/cells)")
    parser.add_argument("--to", type=Path, default=Path("outputs/report"), help="where the page goes (outputs/report)")
    parser.add_argument("--band", choices=BANDS, default="range", help="around means: all seeds, or a deviation")
    parser.add_argument("--no-images", action="store_true", help="no pool images and no GAN samples: loads no data set")
    return parser.parse_args()


def made(node: dict[str, Any]) -> Any:
    """What a stored configuration node describes. Raises InputError where that cannot be made here."""
    from hydra.errors import InstantiationException
    from hydra.utils import instantiate

    compose.register()
    try:
        return instantiate(node, _convert_="all")
    except InstantiationException as error:
        raise InputError(str(error.__cause__ or error)) from error


def _refused(error: InputError) -> int:
    print(f"error: {error}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    main()
