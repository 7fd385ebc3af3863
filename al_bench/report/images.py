"""Images of the page: synthetic ones with their matches, samples of GANs. PNG, pixel for pixel."""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from al_bench.analysis.checking import UnreadableError
from al_bench.analysis.grouping import Group, Section
from al_bench.analysis.pairs import Pairs, pairs_of, png, synthesizing
from al_bench.analysis.reading import Problem, Run
from al_bench.analysis.rebuilding import Rebuilder
from al_bench.analysis.traces import Rows, rows_of
from al_bench.report.figures.svg import Picture
from al_bench.report.paper import add_to_pair
from al_bench.storage.folder import cycle_file
from al_bench.storage.model_file import stored_class_names
from al_bench.storage.query_record import QueryRecord

_PAIRS = 10  # of one cycle
_BESIDE = 8  # images in a row beside each other's matches
_SMALLEST = 48  # CSS pixels of an image on the page, made of whole pixels


def spread(count: int, most: int) -> list[int]:
    """Which of `count` are shown where that are too many: `most` of them, the first, the last, evenly between."""
    return [int(place) for place in np.linspace(0, count - 1, min(count, most)).round()]


@dataclass(frozen=True)
class Pair:
    """A synthetic image, the pool image asked for in its place (None where that cannot be shown), what to say."""

    synthetic: Picture
    match: Picture | None
    words: Sequence[str]


@dataclass(frozen=True)
class CycleImages:
    """What one cycle of one run synthesized; more: how many others that are not shown."""

    cycle: int
    annotations: int
    pairs: Sequence[Pair]
    more: int

    @property
    def width(self) -> int:
        """CSS pixels that a pair takes, or its words where they are wider."""
        images = [self.pairs[0].synthetic, *([self.pairs[0].match] if self.pairs[0].match else [])]
        return max(96 if len(images) > 1 else 72, sum(image.width for image in images) + 2 * len(images))


@dataclass(frozen=True)
class Beside:
    """The same synthetic images with the matches of several groups: ASAL's Figs. 2 and 25 to 28.

    Runs of one seed start alike, so their first searches come to the same images whatever these are matched in.
    """

    seed: int
    cycle: int
    synthetic: Sequence[Picture]
    matches: Sequence[tuple[Group, Sequence[Pair]]]


def show_synthesized(
    group: Group, rebuilder: Rebuilder, problems: list[Problem]
) -> tuple[Run, list[CycleImages]] | None:
    """What the group's first run with images synthesized, in its first, its middle and its last cycle."""
    run = next((run for run in group.runs if synthesizing(run)), None)
    if run is None:
        return None
    cycles = synthesizing(run)
    found = []
    for index in sorted({cycles[0], cycles[(len(cycles) - 1) // 2], cycles[-1]}):
        try:
            pairs = pairs_of(run, index, _PAIRS, rebuilder)
            if pairs is None:
                return None
            found.append(_cycle_images(run, pairs, class_names(run, rebuilder)))
        except UnreadableError as error:
            problems.append(Problem(run.place, str(error)))
    return (run, found) if found else None


def side_by_side(section: Section, rebuilder: Rebuilder, problems: list[Problem]) -> Beside | None:
    """Of the first seed of which at least two groups synthesized the same images and asked for matches of them."""
    seeds = sorted({run.seed for group in section.groups for run in group.runs})
    for seed in seeds:
        found = [
            (group, run, pairs)
            for group in section.groups
            for run in group.runs
            if run.seed == seed and (pairs := _first(run, rebuilder, problems)) is not None
        ]
        same = [one for one in found if _same(one[2], found[0][2])]
        if len(same) > 1:
            return _beside(seed, same, rebuilder)
    return None


def _first(run: Run, rebuilder: Rebuilder, problems: list[Problem]) -> Pairs | None:
    cycles = synthesizing(run)
    try:
        pairs = pairs_of(run, cycles[0], _BESIDE, rebuilder) if cycles else None
    except UnreadableError as error:
        problems.append(Problem(run.place, str(error)))
        return None
    return pairs if pairs is not None and pairs.matches is not None else None


def _same(one: Pairs, other: Pairs) -> bool:
    """Whether the images that both have are the same: an exported cell carries fewer."""
    both = min(len(one.rows), len(other.rows))
    same_rows = (one.cycle, list(one.rows[:both])) == (other.cycle, list(other.rows[:both]))
    return same_rows and np.array_equal(one.synthetic[:both], other.synthetic[:both])


def _beside(seed: int, found: Sequence[tuple[Group, Run, Pairs]], rebuilder: Rebuilder) -> Beside:
    most = min(len(pairs.rows) for *_, pairs in found)
    matches = [(group, _pairs(run, pairs, class_names(run, rebuilder))[:most]) for group, run, pairs in found]
    return Beside(seed, found[0][2].cycle, [pair.synthetic for pair in matches[0][1]], matches)


def _cycle_images(run: Run, pairs: Pairs, names: Sequence[str]) -> CycleImages:
    record = run.cycles[pairs.cycle]
    size = record.annotations - run.cycles[pairs.cycle - 1].annotations
    return CycleImages(pairs.cycle, record.annotations, _pairs(run, pairs, names), max(0, size - len(pairs.rows)))


def _pairs(run: Run, pairs: Pairs, names: Sequence[str]) -> list[Pair]:
    record = run.cycles[pairs.cycle]
    indices, traces = record.query.indices, rows_of(run, record)
    found = []
    for place, row in enumerate(pairs.rows):
        synthetic = picture(pairs.synthetic[place], f"synthetic image {row + 1} of cycle {pairs.cycle}")
        match = None
        if pairs.matches is not None and indices is not None:
            match = picture(pairs.matches[place], f"pool image {indices[row]}, its match")
        found.append(Pair(synthetic, match, _words(record.query, traces, row, names)))
    return found


def class_names(run: Run, rebuilder: Rebuilder) -> Sequence[str]:
    """Those of the data set; where it cannot be loaded those that one of the run's models says, or none."""
    dataset = rebuilder.dataset(run)
    if dataset is not None:
        return tuple(dataset.class_names)
    last = len(run.records) - 1
    said = (stored_class_names(cycle_file(run.place, one, ".model.safetensors"), run.id) for one in range(last, -1, -1))
    return next((names for names in said if names), ())


def section_class_names(section: Section, rebuilder: Rebuilder) -> list[str]:
    """Those of the run that has the most, for a person adds classes, which come last; their numbers, told from names
    that are digits, where fewer names are known."""
    run = max((run for group in section.groups for run in group.runs), key=_count_classes)
    names, count = class_names(run, rebuilder), _count_classes(run)
    return list(names[:count]) if len(names) >= count else [f"class {number}" for number in range(count)]


def _count_classes(run: Run) -> int:
    return len(run.cycles[0].class_counts)


def _words(query: QueryRecord, traces: Rows, row: int, names: Sequence[str]) -> list[str]:
    """Label and position of what was asked for, its rank, what papers say: what is known of them."""
    words = []
    if query.labels is not None:
        words.append(describe_label(query.labels[row], names))
    if query.indices is not None:
        words.append(f"image {query.indices[row]}")
    if query.ranks is not None:
        words.append(f"rank {query.ranks[row]}")
    return [*words, *add_to_pair(traces, row)]


def describe_label(answer: int | list[int], names: Sequence[str]) -> str:
    """What was answered for a row of a query, of several images for the first. names: see `class_names`."""
    label = int(np.ravel(answer)[0])
    return "no label" if label < 0 else f"label {names[label]}" if label < len(names) else f"class {label}"


def smaller(image: np.ndarray, widest: int) -> np.ndarray:
    """A (C, H, W) uint8 image, at most `widest` wide: means over squares of pixels where it is wider."""
    times = -(-image.shape[2] // widest)
    if times == 1:
        return image
    channels, height, width = image.shape[0], image.shape[1] // times, image.shape[2] // times
    squares = image[:, : height * times, : width * times].reshape(channels, height, times, width, times)
    return np.asarray(squares.mean((2, 4)).round(), dtype=np.uint8)


def picture(image: np.ndarray, alt: str) -> Picture:
    """A (C, H, W) uint8 image of 1 or 3 channels; small ones are shown enlarged by a whole number."""
    _, height, width = image.shape
    times = max(1, -(-_SMALLEST // width))
    return Picture(_uri(image), alt, width * times, height * times)


def photo(image: np.ndarray, alt: str) -> Picture:
    """The same, but of larger images in a tenth of the bytes, and nearly as they are."""
    found = picture(image, alt)
    if image.shape[2] <= _SMALLEST:
        return found
    buffer = io.BytesIO()
    pixels = image[0] if len(image) == 1 else image.transpose(1, 2, 0)
    Image.fromarray(np.ascontiguousarray(pixels)).save(buffer, "WEBP", quality=80)
    return replace(found, uri="data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode())


def sample_grid(images: np.ndarray, columns: int, alt: str) -> Picture:
    """(M, C, H, W) uint8 images beside and below each other, a pixel apart."""
    count, channels, height, width = images.shape
    rows = -(-count // columns)
    grid = np.zeros((channels + 1, rows * (height + 1) - 1, columns * (width + 1) - 1), dtype=np.uint8)
    for number, image in enumerate(images):
        top, left = (number // columns) * (height + 1), (number % columns) * (width + 1)
        grid[:channels, top : top + height, left : left + width] = image
        grid[channels, top : top + height, left : left + width] = 255  # what is between them is transparent
    times = max(1, round(380 / grid.shape[2]))
    return Picture(_uri(grid), alt, grid.shape[2] * times, grid.shape[1] * times)


def _uri(image: np.ndarray) -> str:
    return "data:image/png;base64," + base64.b64encode(png(image, optimize=False)).decode()
