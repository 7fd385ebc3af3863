"""Unpacks archives of data, such as cifar10_jpeg.tar.xz, into a folder; what is there already is left as it is."""

import argparse
import logging
from pathlib import Path

from al_bench.errors import printable
from al_bench.files import Console
from al_bench.sources.archives import Limits, unpack
from al_bench.training.interruption import as_command


def main() -> None:
    """Unpacks each archive and says where it lies; exit code 2 where one cannot be unpacked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("archives", nargs="+", type=Path, help="tar archives; their folder may be read-only")
    parser.add_argument("--into", type=Path, default=Path("data"), help="the folder to unpack into (data)")
    usual = Limits()
    parser.add_argument("--most-gb", type=float, default=usual.gigabytes, help="refuse to unpack more (%(default)g)")
    parser.add_argument("--most-files", type=int, default=usual.files, help="refuse more of them (%(default)d)")
    parser.add_argument(
        "--most-times", type=float, default=usual.times, help="the archive's size, from 1 GiB on (%(default)g)"
    )
    arguments = parser.parse_args()
    limits = Limits(arguments.most_gb, arguments.most_files, arguments.most_times)
    logging.basicConfig(level=logging.INFO, format="%(message)s", handlers=[Console()])
    for archive in arguments.archives:
        folder, is_new = unpack(archive, arguments.into, limits)
        print(f"{printable(folder)} {'is ready' if is_new else 'is there already: nothing to do'}")


if __name__ == "__main__":
    with as_command():
        main()
