"""One line of an experiment minus another: how large the difference is, over seeds and over test images.

Both intervals are of pairs. That over seeds asks what another seed would give: first labels, weights and order of
batches are drawn anew, and the test images stay. That over test images asks what other images would give: the models
stay.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from al_bench.analysis.checking import UnreadableError
from al_bench.analysis.curves import metric
from al_bench.analysis.experiment import Experiment
from al_bench.analysis.grouping import Group
from al_bench.analysis.lines import draw_otherwise
from al_bench.analysis.reading import Problem, Run
from al_bench.analysis.statistics.paired import Interval, interval
from al_bench.config.groups import CONF, name_known
from al_bench.errors import UserError
from al_bench.storage.record import CycleRecord

Lines = tuple[str, str]

_OF_IMAGES = "accuracy"  # the metric that is a mean over test images


@dataclass(frozen=True)
class Contrast:
    """At one number of annotations, in the metric's stored unit.

    mean: first line minus second, over the `seeds` that both have. over_seeds: None for a single one. over_images: over
    test images, of the mean over these seeds; None of another metric than accuracy, and where of any seed a line does
    not keep which of the same images it had right.
    """

    annotations: int
    seeds: Sequence[int]
    mean: float
    over_seeds: Interval | None
    over_images: Interval | None


def read_contrasts(name: str, conf: Path = CONF) -> dict[str, Lines]:
    """The `contrasts` that an experiment's file names: words for each, and the lines of which the second is taken from
    the first. Raises UserError for what is not two lines."""
    path, named = _named(name, "contrasts", conf)
    found: dict[str, Lines] = {}
    for words, pair in (named or {}).items():
        if not isinstance(pair, list) or len(pair) != 2 or not all(isinstance(line, str) for line in pair):
            raise UserError(f"{path}: contrasts has {words}: {pair}, use the names of two lines")
        found[str(words)] = pair[0], pair[1]
    return found


def refuse_unknown_lines(experiment: Experiment, asked: Mapping[str, Lines]) -> None:
    """Raises UserError where a contrast of an experiment names no line of it. Where something given beside chooses
    among its lines, or names them otherwise, one that is not there may have been left out."""
    known = experiment.all_lines
    for words, pair in asked.items() if experiment.is_as_written else ():
        for line in (line for line in pair if line not in known):
            raise UserError(
                f"experiment={experiment.name}: contrasts has {words}: [{', '.join(pair)}], and {line} is no line of "
                f"it: {name_known(line, list(known))}"
            )


def read_contrast_metrics(name: str, conf: Path = CONF) -> list[str]:
    """The `contrast_metrics` that an experiment's file names, of which differences are taken; none: the headline alone.
    Raises UserError for what is no list of names."""
    path, named = _named(name, "contrast_metrics", conf)
    if named is not None and not (isinstance(named, list) and named and all(isinstance(one, str) for one in named)):
        raise UserError(f"{path}: contrast_metrics is {named}, use a list of metrics, such as [gan_test, fid]")
    return named or []


def _named(name: str, key: str, conf: Path) -> tuple[Path, Any]:
    """An experiment's file and what it has under a key, None where it has nothing."""
    path = conf / "experiment" / f"{name}.yaml"
    return path, (yaml.safe_load(path.read_text(encoding="utf-8")) or {}).get(key) if path.exists() else None


def contrast_lines(first: Group, second: Group, name: str, problems: list[Problem]) -> list[Contrast]:
    """At each number of annotations that both lines have measured with one of their seeds, without seeds with which the
    two draw other first labels. name: of the metric; bits that cannot be read are added to `problems`."""
    own, other = ({run.seed: run for run in group.runs} for group in (first, second))
    shared = [(own[seed], other[seed]) for seed in sorted(own.keys() & other.keys())]
    both = [pair for pair in shared if not draw_otherwise(*pair)]
    numbers = sorted({record.annotations for pair in both for record in pair[0].cycles})
    found = [_contrast(both, at, name, problems) for at in numbers]
    return [one for one in found if one is not None]


def right_images(run: Run, record: CycleRecord) -> np.ndarray | None:
    """(M,) bool, which test images a cycle's model had right, in their order; None where that was not kept.

    Raises UnreadableError where a run's tensors are corrupted.
    """
    if record.test_images is None:
        return None
    packed = record.correct if record.correct is not None else _stored_bits(run, record)
    if packed is None:
        return None
    return np.unpackbits(np.asarray(packed, dtype=np.uint8))[: record.test_images].astype(bool)


def _stored_bits(run: Run, record: CycleRecord) -> np.ndarray | None:
    return run.tensors(record.index).get("correct") if run.has_tensors else None


def _contrast(both: Sequence[tuple[Run, Run]], at: int, name: str, problems: list[Problem]) -> Contrast | None:
    pairs = [(pair, records) for pair in both if (records := _records(pair, at)) is not None]
    values = {
        pair[0].seed: (pair, records, a - b)
        for pair, records in pairs
        if (a := metric(name)(records[0])) is not None and (b := metric(name)(records[1])) is not None
    }
    if not values:
        return None
    differences = [difference for *_, difference in values.values()]
    over_images = None
    if name == _OF_IMAGES:
        by_image = [_by_image(pair, records, problems) for pair, records, _ in values.values()]
        kept = [one for one in by_image if one is not None]
        if len(kept) == len(by_image) and len({len(one) for one in kept}) == 1:
            over_images = interval(np.mean(kept, axis=0))
    return Contrast(at, list(values), float(np.mean(differences)), interval(differences), over_images)


def _records(pair: tuple[Run, Run], at: int) -> tuple[CycleRecord, CycleRecord] | None:
    """The cycles of both at a number of annotations, None where one has not got there."""
    found = [next((record for record in run.cycles if record.annotations == at), None) for run in pair]
    return (found[0], found[1]) if found[0] is not None and found[1] is not None else None


def _by_image(
    pair: tuple[Run, Run], records: tuple[CycleRecord, CycleRecord], problems: list[Problem]
) -> np.ndarray | None:
    """(M,) of -1, 0 and 1, None where one of both keeps no bits or of other images."""
    bits: list[np.ndarray] = []
    for run, record in zip(pair, records, strict=True):
        try:
            right = right_images(run, record)
        except UnreadableError as error:
            problems.append(Problem(run.place, str(error)))
            return None
        if right is not None:
            bits.append(right.astype(float))
    return bits[0] - bits[1] if len(bits) == 2 and len(bits[0]) == len(bits[1]) else None


def groups_by_line(groups: Sequence[Group]) -> Mapping[str, Group]:
    """The group of each line, the first where another configuration bears its name too."""
    return {group.method: group for group in groups if group.variant == 0}
