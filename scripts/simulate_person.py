"""A person who labels, simulated: on the page of a run, in a browser, with the key of each picture's true class.

    python scripts/simulate_person.py flatten ROOT CLASS CLASS... --into DIR    a flat folder, and what is true of it
    python scripts/simulate_person.py answer RUN TRUTH.csv [--answers 300] [--seconds 0.2]

Needs the extras annotate and dev, and Chromium. `flatten` takes the class folders of a folder of pictures; the names
that the pictures get say nothing of their class, which stands in `DIR.csv`.
"""

import argparse
import csv
import hashlib
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from al_bench.annotation.exchange import read_answers
from al_bench.annotation.keys import keys_of
from al_bench.errors import UserError
from al_bench.sources.listing import picture_files
from al_bench.storage.answers import LABELS, Answers, LabelLog
from al_bench.storage.asked import open_page, read_asked
from al_bench.training.interruption import as_command

_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_PATIENCE = 600.0  # seconds that a run may take to ask for more


def main(arguments: Sequence[str]) -> int:
    """The exit code. Raises UserError for what is not there."""
    asked = parse(arguments)
    if asked.do == "flatten":
        flatten(asked.root, asked.classes, asked.into)
    else:
        truth = {row.file: row.label or "" for row in read_answers(asked.truth)}
        print(f"{answer(asked.run, truth, asked.answers, asked.seconds)} answers given")
    return 0


def flatten(root: Path, classes: Sequence[str], into: Path) -> None:
    """Copies the pictures of some class folders into one folder, and writes which class each is of beside it."""
    into.mkdir(parents=True)
    with into.with_suffix(".csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["file", "label"])
        for name in classes:
            if not (root / name).is_dir():
                raise UserError(f"{root} has no folder {name}: name folders of classes in it")
            for picture in picture_files(root / name):
                source = root / name / picture.name
                flat = hashlib.sha256(source.read_bytes()).hexdigest()[:12] + source.suffix
                shutil.copyfile(source, into / flat)
                writer.writerow([flat, name])


def answer(run: Path, truth: Mapping[str, str], count: int, seconds: float) -> int:
    """Presses the key of the true class of whatever is on the screen, so many times or until nothing more is asked;
    returns how many answers that were. seconds: from a picture to its key."""
    from playwright.sync_api import sync_playwright

    browser = next((found for name in _BROWSERS if (found := shutil.which(name))), None)
    if browser is None:
        raise UserError(f"no browser is here: install one of {', '.join(_BROWSERS)}")
    address = _await_page(run)
    with sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        try:
            tab = opened.new_page()
            tab.goto(address)
            return _press(tab, run, truth, count, seconds)
        finally:
            opened.close()


def _press(tab: Any, run: Path, truth: Mapping[str, str], count: int, seconds: float) -> int:
    log, answers, given, idle_since = LabelLog(run / LABELS), Answers(), 0, time.monotonic()
    while given < count and time.monotonic() - idle_since < _PATIENCE:
        asked = read_asked(run)
        if asked is None or asked.state == "finished":
            break
        for line in log.read_new():
            answers.add(line)
        stage = tab.query_selector(".stage[data-position]")
        position = None if stage is None else int(stage.get_attribute("data-position"))
        file = next((one.file for one in asked.pictures if one.position == position), None)
        if file is None or answers.answer(position or 0) is not None:
            time.sleep(0.01)
            continue
        time.sleep(seconds)
        tab.keyboard.press(keys_of(answers.classes, answers.classes)[truth[file]])
        tab.wait_for_selector(f'.stage:not([data-position="{position}"])')
        given, idle_since = given + 1, time.monotonic()
    else:
        if given < count:
            raise UserError(
                f"{run} asked for nothing more for {_PATIENCE:.0f} s after {given} answers: see its run.log"
            )
    return given


def _await_page(run: Path) -> str:
    end = time.monotonic() + _PATIENCE
    while (page := open_page(run)) is None:
        if time.monotonic() > end:
            raise UserError(f"no page is open for {run}: start its run, or python scripts/annotate.py {run}")
        time.sleep(0.2)
    return page.address


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="do", required=True)
    flat = commands.add_parser("flatten", help="a flat folder of the pictures of some classes")
    flat.add_argument("root", type=Path, help="has a folder for each class")
    flat.add_argument("classes", nargs="+")
    flat.add_argument("--into", type=Path, required=True, help="a folder that is not there yet")
    person = commands.add_parser("answer", help="on the page of a run")
    person.add_argument("run", type=Path, help="folder of a labeling run")
    person.add_argument("truth", type=Path, help="CSV of file,label")
    person.add_argument("--answers", type=int, default=300)
    person.add_argument("--seconds", type=float, default=0.2, help="from a picture to its key")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    with as_command():
        sys.exit(main(sys.argv[1:]))
