"""Segmentation on the page: test images with their truth and what each method's model said, IoU of each class."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from statistics import fmean

import numpy as np

from al_bench.analysis.checking import UnreadableError
from al_bench.analysis.curves import curve, last_common, point
from al_bench.analysis.grouping import Group, Section
from al_bench.analysis.predictions import IGNORED, Scenes, mean_iou, predicted_maps, scenes_of
from al_bench.analysis.reading import Problem, Run
from al_bench.analysis.rebuilding import Rebuilder
from al_bench.report.figures.palette import NEUTRAL, area_colors
from al_bench.report.figures.svg import Picture
from al_bench.report.images import picture, smaller
from al_bench.report.measures import measure
from al_bench.report.tables import Cell, Table
from al_bench.storage.record import CycleRecord

_METRIC = "iou"  # of the evaluator that measures label maps: one number per class
_WIDEST = 400  # pixels of a camera image, a little more than the page shows


@dataclass(frozen=True)
class Prediction:
    """What one method's model said of a test image. words: what is known of it."""

    group: Group
    shot: Picture
    words: str


@dataclass(frozen=True)
class Scene:
    """One test image; image and truth None where the data set is not here."""

    number: int
    image: Picture | None
    truth: Picture | None
    predictions: Sequence[Prediction]


@dataclass(frozen=True)
class Segmentation:
    """table: IoU, a method a row and a class a column; scenes: none where no run kept predictions; colors: of the
    classes in these, by name; complete: whether images and truth are there."""

    table: Table
    scenes: Sequence[Scene]
    colors: Sequence[tuple[str, str]]
    complete: bool


def show_segmentation(
    section: Section, classes: Sequence[str], rebuilder: Rebuilder, problems: list[Problem]
) -> Segmentation | None:
    """What there is to see of a section's label maps, None where it measured no IoU. classes: their names; what cannot
    be read is added to `problems`."""
    if not any(_ious(record) for group in section.groups for record in group.first.cycles):
        return None
    found = [(group, *kept) for group in section.groups if (kept := _first_kept(group, problems)) is not None]
    scenes = _scenes(found, rebuilder)
    colors = [*zip(classes, area_colors(len(classes)), strict=True), ("not labeled", NEUTRAL)]
    shown = _show(found, scenes, area_colors(len(classes))) if found else []
    return Segmentation(tabulate_iou(section, classes), shown, colors, scenes is not None)


def tabulate_iou(section: Section, classes: Sequence[str]) -> Table:
    """IoU of each class, in percent, where each method ends: mean, and deviation over seeds where it has several; None
    for a class without a test pixel."""
    rows = [_row(group, len(classes)) for group in section.groups]
    about = (
        f"{section.title}: intersection over union of each class on the test images, %, mean and standard deviation "
        "over seeds, at the last number of annotations that all seeds of a method reached"
    )
    return Table("iou", about, ["method", "annotations", "seeds", "mean", *classes], rows)


def _row(group: Group, count: int) -> list[Cell]:
    end = last_common(curve(group.runs, lambda record: 1.0 if _ious(record) else None))
    if end is None:
        return [group.name, None, None, *[None] * (count + 1)]
    records = [record for run in group.runs for record in run.cycles if record.annotations == end.at]
    measured = [values for record in records if (values := _ious(record))]
    means = [fmean(known) for values in measured if (known := [value for value in values if value is not None])]
    columns = [[value for value in column if value is not None] for column in zip_longest(*measured)]
    columns += [[]] * (count - len(columns))  # of classes that other runs have more
    return [group.name, end.at, end.seeds, _written(means), *(_written(column) for column in columns)]


def _ious(record: CycleRecord) -> list[float | None]:
    found = record.metrics.get(_METRIC)
    return found if isinstance(found, list) else []


def _written(values: Sequence[float]) -> str | None:
    if not values:
        return None
    shown, found = measure(_METRIC), point(0, values)
    text = shown.text(found.mean)
    return text if found.deviation is None else f"{text} ± {shown.text(found.deviation)}"


def _first_kept(group: Group, problems: list[Problem]) -> tuple[Run, np.ndarray] | None:
    """The first run of a group that kept predictions, and these."""
    for run in group.runs:
        try:
            maps = predicted_maps(run)
        except UnreadableError as error:
            problems.append(Problem(run.place, str(error)))
            continue
        if maps is not None:
            return run, maps
    return None


def _scenes(found: Sequence[tuple[Group, Run, np.ndarray]], rebuilder: Rebuilder) -> Scenes | None:
    """Images and truth of all that was predicted; None where there is none of the same size here."""
    if not found:
        return None
    most = max(len(maps) for *_, maps in found)
    scenes = scenes_of(found[0][1], most, rebuilder)
    sizes = {maps.shape[1:] for *_, maps in found}
    return scenes if scenes is not None and sizes == {scenes.truths.shape[1:]} else None


def _show(found: Sequence[tuple[Group, Run, np.ndarray]], scenes: Scenes | None, colors: Sequence[str]) -> list[Scene]:
    shown = []
    for number in range(max(len(maps) for *_, maps in found)):
        image = truth = None
        if scenes is not None:
            image = picture(smaller(scenes.images[number], _WIDEST), f"test image {number + 1}")
            truth = picture(paint(scenes.truths[number], colors), f"true classes of test image {number + 1}")
        predictions = [
            _prediction(group, run, maps[number], number, scenes, colors)
            for group, run, maps in found
            if number < len(maps)
        ]
        shown.append(Scene(number, image, truth, predictions))
    return shown


def _prediction(
    group: Group, run: Run, found: np.ndarray, number: int, scenes: Scenes | None, colors: Sequence[str]
) -> Prediction:
    iou = mean_iou(scenes.truths[number], found) if scenes is not None else None
    words = f"seed {run.seed}, {run.cycles[-1].annotations:,} annotations"
    alt = f"classes of test image {number + 1} by {group.name}"
    return Prediction(
        group, picture(paint(found, colors), alt), words if iou is None else f"IoU {100 * iou:.1f} %, {words}"
    )


def paint(classes: np.ndarray, colors: Sequence[str]) -> np.ndarray:
    """(3, H, W) uint8 of an (H, W) uint8 label map; what is no class, IGNORED above all, is NEUTRAL.

    colors: "#rrggbb" of each class.
    """
    table = np.tile(np.frombuffer(bytes.fromhex(NEUTRAL[1:]), np.uint8), (IGNORED + 1, 1))
    for label, color in enumerate(colors):
        table[label] = np.frombuffer(bytes.fromhex(color[1:]), np.uint8)
    return np.ascontiguousarray(table[classes].transpose(2, 0, 1))
