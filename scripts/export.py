"""`make export`: writes every finished run as a small JSON that a sweep elsewhere counts as finished."""

import argparse
import logging
from functools import partial
from pathlib import Path

from al_bench.analysis.pairs import kept_images
from al_bench.analysis.predictions import kept_predictions
from al_bench.analysis.rebuilding import Rebuilder, own_rebuilder
from al_bench.analysis.samples import kept_samples
from al_bench.errors import printable
from al_bench.files import Console
from al_bench.storage.exported import export
from al_bench.storage.stored import Plain
from al_bench.training.interruption import as_command


def main() -> None:
    """Exports and says what was written."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("outputs", nargs="?", type=Path, default=Path("outputs"), help="where runs are (outputs)")
    parser.add_argument("cells", nargs="?", type=Path, default=Path("results/cells"), help="where to (results/cells)")
    parser.add_argument("--data", type=Path, action="append", metavar="DIR", help="data sets, for matches (data)")
    far = "also runs whose own budget is not spent, as far as they are: whoever asks for no more has them finished"
    parser.add_argument("--unfinished", action="store_true", help=far)
    arguments = parser.parse_args()
    if not arguments.outputs.is_dir():
        parser.error(f"{arguments.outputs} is no folder: name the one that runs are in")
    logging.basicConfig(level=logging.INFO, format="%(message)s", handlers=[Console()])
    rebuilder = own_rebuilder(arguments.data or [Path("data")], arguments.outputs)
    pictures_of = partial(keep_pictures, rebuilder=rebuilder)
    written = export(arguments.outputs, arguments.cells, pictures_of, arguments.unfinished)
    for sentence in rebuilder.words():
        print(f"{sentence}; synthetic images travel without their matches")
    for path in written:
        print(printable(path))
    print(f"{len(written)} {'' if arguments.unfinished else 'finished '}runs written to {arguments.cells}")


def keep_pictures(folder: Path, rebuilder: Rebuilder) -> Plain:
    """The pictures that travel with a run, by what they are; of which there are none is left out."""
    found = {
        "images": kept_images(folder, rebuilder),
        "predicted": kept_predictions(folder),
        "samples": kept_samples(folder),
    }
    return {name: pictures for name, pictures in found.items() if pictures}


if __name__ == "__main__":
    with as_command():
        main()
