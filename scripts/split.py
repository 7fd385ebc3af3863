"""Writes an index file: which of the published images are in which split of a data set, for others to take it back.

  python scripts/split.py dataset=stl10 splits/stl10.json
  python run.py dataset=stl10 dataset.split=splits/stl10.json strategy=random

It is JSON: the lists train, validation and test of positions among all published images, those for training counted
first, and a mark of their labels, by which a file that was made of other images is refused.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from al_bench.config.experiment import made, node_of
from al_bench.dataset import Dataset, index_file
from al_bench.training.interruption import as_command


def main(arguments: Sequence[str]) -> None:
    """Writes the file and says what it holds; exit code 2 where that cannot be done."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("overrides", nargs="+", metavar="KEY=VALUE", help="as for run.py, such as dataset=stl10")
    parser.add_argument("file", type=Path, metavar="FILE", help="where to write it; an existing one is replaced")
    chosen = parser.parse_args(arguments)
    if chosen.file.is_dir() or "=" in chosen.file.parts[0]:
        parser.error(f"{chosen.file} is no file: name the one to write last")
    dataset: Dataset = made(node_of("dataset", chosen.overrides))
    index_file.write(chosen.file, dataset)
    counts = [0 if split is None else len(split) for split in (dataset.train, dataset.validation, dataset.test)]
    said = ", ".join(f"{count:,} {name}" for count, name in zip(counts, index_file.Positions._fields, strict=True))
    print(f"{chosen.file} holds the positions of {said} images: dataset.split={chosen.file} takes it back")


if __name__ == "__main__":
    with as_command():
        main(sys.argv[1:])
