"""`make report`: one HTML page and tables of the stored runs, of those named, or of an experiment; trains nothing."""

import argparse
import gc
import logging
import sys
from pathlib import Path

from al_bench.analysis.at_scale import say_not_given
from al_bench.analysis.coverage import place_of
from al_bench.analysis.experiment import Experiment, plan_experiment
from al_bench.analysis.reading import StoredRuns, stored
from al_bench.analysis.rebuilding import Rebuilder, own_rebuilder
from al_bench.analysis.selection import stored_at, stored_of
from al_bench.config.groups import members
from al_bench.errors import UserError, amount, printable
from al_bench.files import Console
from al_bench.report.cells import summarize_cells
from al_bench.report.page import BANDS, write_report
from al_bench.training.interruption import as_command


def main() -> None:
    """Writes the report and says what was left out; exit code 2 where a named run or experiment does not exist."""
    arguments = parse()
    logging.basicConfig(level=logging.WARNING, format="%(message)s", handlers=[Console()])
    experiments = compose(arguments)
    found = read(arguments, experiments)
    data = arguments.data or [Path("data")]
    rebuilder = Rebuilder(None) if arguments.no_images else own_rebuilder(data, arguments.outputs)
    to = arguments.to or Path("outputs/report", *(one.name.replace("/", "-") for one in experiments[:1]))
    page = write_report(found, to, arguments.band, rebuilder, experiments=experiments)
    if not arguments.outputs.is_dir():
        print(f"{arguments.outputs} is no folder: of runs there are the exported ones alone, in {arguments.cells}")
    if not arguments.cells.is_dir() and (arguments.kept or not (found.runs or experiments)):
        print(f"{arguments.cells} is no folder: there are no exported runs")
    for problem in found.problems:
        print(f"left out: {printable(problem.place)}: {problem.sentence}")
    asked = [version for one in experiments for version in (one, *one.versions)]
    for one in asked:
        words = f"{one.name}, {one.version}" if one.version else one.name
        left = " and ".join(one.commands_left(found.runs))
        rest = f"; the rest is made by {left}" if left else ""
        print(f"{words}: {summarize_cells(one, found.runs)}{rest}")
        if rest and (lacking := say_not_given(one.name, one.overrides)):
            print(f"{words}: {lacking}")
    of_cells = {run.place for one in asked for run in one.runs(found.runs)}
    runs = len(of_cells) if asked else len(found.runs)  # the others bear a cell's label and are another's
    print(f"{amount(runs, 'run')}, {amount(len(found.artifacts), 'artifact')}\n{page}")


def compose(arguments: argparse.Namespace) -> list[Experiment]:
    """The experiments that were asked for. Raises UserError where one cannot be composed."""
    if not arguments.experiment:
        return []
    stray = [item for item in arguments.runs if "=" not in item]
    if stray:
        raise UserError(f"{stray[0]} is no override: beside --experiment use KEY=VALUE, such as scale=small")
    return [plan_experiment(name, [*arguments.runs, *_place(name, arguments)]) for name in arguments.experiment]


def _place(name: str, arguments: argparse.Namespace) -> list[str]:
    """Where `--data` has an experiment's data set, unless an override says it."""
    if any(item.startswith("paths.data=") for item in arguments.runs) or name not in members("experiment"):
        return []
    return place_of(name, arguments.data or [])


def read(arguments: argparse.Namespace, experiments: list[Experiment]) -> StoredRuns:
    """What is stored of the experiments, of the runs that are named, or of all of one's own."""
    where = (arguments.outputs, arguments.cells)
    if experiments:
        return stored_of({key: label for one in experiments for key, label in one.labels.items()}, *where)
    if arguments.runs:
        return stored_at(arguments.runs, *where)
    own = stored(arguments.outputs, arguments.outputs)  # exported cells beside them are on request
    return stored(*where) if arguments.kept or not own.runs else own


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    named = "folders, exported files or ids: compares these alone; or KEY=VALUE, see --experiment"
    parser.add_argument("runs", nargs="*", metavar="RUN", help=named)
    parser.add_argument(
        "--experiment", action="append", metavar="NAME",
        help="conf/experiment/NAME.yaml, such as asal/mnist_two: its cells, found by their ids, beside the published "
        "numbers; KEY=VALUE arguments change it as they would change the sweep, such as scale=small",
    )  # fmt: skip
    parser.add_argument("--outputs", type=Path, default=Path("outputs"), help="where runs and artifacts are (outputs)")
    parser.add_argument("--cells", type=Path, default=Path("results/cells"), help="exported runs (results/cells)")
    parser.add_argument(
        "--data", type=Path, action="append", metavar="DIR",
        help="data sets, for pictures and for the ids of experiments on folders of them, what paths.data was (data); "
        "again for another folder that is read below",
    )  # fmt: skip
    kept = "beside one's own runs the exported ones too, which are all there is where nothing was run"
    parser.add_argument("--kept", action="store_true", help=kept)
    parser.add_argument("--to", type=Path, help="where the page goes (outputs/report, and its name for an experiment)")
    parser.add_argument("--band", choices=BANDS, default="range", help="around means: all seeds, or a deviation")
    parser.add_argument("--no-images", action="store_true", help="no pool images and no GAN samples: loads no data set")
    return parser.parse_args()


if __name__ == "__main__":
    gc.disable()  # a fifth of the time, and no memory: what is read is kept until the page is written
    with as_command():
        main()
        if "triton._C" not in sys.modules:  # whose objects would be called leaked
            gc.freeze()  # a tenth of the time: the end of Python looks through all that is left once more
