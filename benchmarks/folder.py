"""A folder of a hundred thousand pictures without labels: until a run of a person can ask, and what it holds."""

import os
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from PIL import Image

from al_bench.dataset import Dataset
from al_bench.dataset.image_folder import image_folder
from al_bench.procedure.labeling.session import Session
from benchmarks import Goal, Measured, interleaved
from benchmarks.memory import apart, peak_above

NUM_FILES = 100_000
_PER_FOLDER = 1000
_ASKED = 1000  # pictures, of which the decoded rows are then in memory


def measure(num_files: int = NUM_FILES, pairs: int = 3) -> list[Measured]:
    """The start of a run that goes on, beside a look at every file; and the peak of a first start, of all it does."""
    with TemporaryDirectory() as place:
        pictures, run = Path(place) / "pictures", Path(place) / "run"
        make(pictures, num_files)
        first = start(pictures, run)
        runs = interleaved(lambda _: start(pictures, run), lambda _: look(pictures), pairs)
        ours, bare = runs.medians
        agree = runs.results[-1] == (first, num_files) and first == num_files
        how = f"{num_files:,} files: {ours:.1f} s, a look at every file {bare:.1f} s"
        row = Measured("labeling: start / look at every file", runs.ratio, Goal(8.0), how, agree)
        used = apart(peak, pictures, Path(place) / "another") / 2**30
        per_file = f"{used * 2**30 / num_files:,.0f} bytes a file, 1,000 of them decoded to 64 x 64"
        return [row, Measured("labeling: memory of the pool", used, Goal(0.2, "GiB"), per_file)]


def make(folder: Path, count: int) -> None:
    """One small picture under many names, a thousand a folder."""
    for first in range(0, count, _PER_FOLDER):
        above = folder / f"{first // _PER_FOLDER:05}"
        above.mkdir(parents=True)
        picture = above / f"{first:08}.png"
        Image.new("RGB", (8, 8), "red").save(picture)
        for number in range(first + 1, min(count, first + _PER_FOLDER)):
            os.link(picture, above / f"{number:08}.png")


def start(pictures: Path, run: Path) -> int:
    """What a labeling run does before it asks; how many pictures it knows."""
    return len(_opened(pictures, run).train)


def _opened(pictures: Path, run: Path) -> Dataset:
    run.mkdir(exist_ok=True)
    dataset = image_folder(pictures, 64, "center", "rgb", 0.2, 0, "never", run / "decoded", class_names=("cat", "dog"))
    assert dataset.unlabeled is not None
    session = Session(run, dataset.unlabeled, dataset.class_names)
    session.look()
    return session.dataset(dataset)


def peak(pictures: Path, run: Path) -> int:
    """Bytes that the start and a thousand pictures take above those of two files."""
    few = pictures.parent / "few"
    make(few, 2)

    def whole() -> None:
        images = _opened(pictures, run).train.images
        images[torch.arange(0, len(images), max(1, len(images) // _ASKED))]

    return peak_above(whole, lambda: _opened(few, run.with_name("few run")))


def look(pictures: Path) -> int:
    """Names and sizes of all files, as the system gives them."""
    return sum(
        entry.stat().st_size >= 0 for place, _, _ in os.walk(pictures) for entry in os.scandir(place) if entry.is_file()
    )
