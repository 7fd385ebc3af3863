"""What data sets, evaluators and learners promise, held at the place where a run meets it: a part of one's own that
breaks its promise would be stored as a result, or end in a traceback. Of strategies see `ask_strategy`."""

from collections.abc import Iterator, Sequence
from numbers import Real

import torch
from torch import Tensor

from al_bench.active.pool import UNKNOWN, Pool
from al_bench.dataset import Dataset, Split
from al_bench.errors import UserError
from al_bench.evaluator import Evaluation, Evaluator
from al_bench.learner import Learner
from al_bench.network import Network
from al_bench.training.losses import IGNORED

_MAPS = 64  # label maps that are compared at a time


def refuse_dataset(dataset: Dataset) -> None:
    """Raises UserError for what is no data set of which a run can be made. No picture is decoded, and label maps are
    looked at only where they are in memory."""
    if not isinstance(dataset, Dataset):
        raise UserError(f"the data set is a {type(dataset).__name__}: it has to be a Dataset")
    if found := next(_flaws_of(dataset), None):
        raise UserError(f"the data set {found}")


def _flaws_of(dataset: Dataset) -> Iterator[str]:
    """Each the end of a sentence; the next is looked for where there is none before it."""
    if isinstance(dataset.num_classes, bool) or not isinstance(dataset.num_classes, int) or dataset.num_classes < 2:
        yield f"has num_classes={dataset.num_classes}: it has to be a whole number of at least 2"
    if not isinstance(dataset.class_names, Sequence) or len(dataset.class_names) != dataset.num_classes:
        yield f"has class_names={dataset.class_names}: it has to name each of its {dataset.num_classes} classes"
    splits = {"train": dataset.train, "validation": dataset.validation, "test": dataset.test}
    for name, split in splits.items():
        if split is not None or name != "validation":
            yield from _flaws_of_split(name, split, dataset)


def _flaws_of_split(name: str, split: Split | None, dataset: Dataset) -> Iterator[str]:
    if not isinstance(split, Split):
        yield f"has a {name} that is a {type(split).__name__}: it has to be a Split"
        return
    images, labels, kind = split.images, split.labels, split.images.dtype
    counts = {"images": images, "labels": labels, "positions": split.positions}
    lengths = {what: len(rows) for what, rows in counts.items() if rows is not None}
    if len(set(lengths.values())) > 1:
        told = " and ".join(f"{count:,} {what}" for what, count in lengths.items())
        yield f"has {told} in its {name} split: it has to have one for each image"
    if kind != torch.uint8 and not kind.is_floating_point:
        yield f"has {name} images of {kind}: they have to be uint8, or features of float32"
    like = dataset.train.images
    if images.shape[1:] != like.shape[1:] or kind != like.dtype:
        yield (
            f"has {name} images of {_say(images.shape[1:], kind)} and train images of "
            f"{_say(like.shape[1:], like.dtype)}: they have to be alike"
        )
    yield from _flaws_of_labels(name, split, dataset)


def _flaws_of_labels(name: str, split: Split, dataset: Dataset) -> Iterator[str]:
    labels, last = split.labels, dataset.num_classes - 1
    on_maps = len(dataset.train.labels.shape) == 3
    if len(labels.shape) != (3 if on_maps else 1):
        yield f"has {name} labels of shape {tuple(labels.shape)}: classes are (N,) and maps (N, H, W) in all"
    elif labels.dtype != (torch.uint8 if on_maps else torch.int64):
        wanted = "uint8, as label maps are" if on_maps else "int64, as classes are"
        yield f"has {name} labels of {labels.dtype}: they have to be {wanted}"
    elif not isinstance(labels, Tensor):
        if not on_maps:
            yield f"has {name} labels that are a {type(labels).__name__}: classes have to be a tensor"
    elif on_maps:
        if any(((part > last) & (part != IGNORED)).any() for part in labels.split(_MAPS)):
            yield f"has {name} label maps with other values than 0 to {last} and {IGNORED}, which is ignored"
    elif len(labels):
        lowest, highest = int(labels.min()), int(labels.max())
        if lowest < (0 if dataset.unlabeled is None else UNKNOWN) or highest > last:
            yield f"has {name} labels from {lowest} to {highest}: they have to be from 0 to {last}"


def _say(shape: Sequence[int], kind: torch.dtype) -> str:
    return f"{' x '.join(map(str, shape))} {str(kind).removeprefix('torch.')}"


def held_evaluation(evaluator: Evaluator, evaluation: Evaluation, num_images: int) -> Evaluation:
    """The same, held to what `Evaluator.evaluate` promises of that many test images. Raises UserError."""
    if found := _flaw_of_evaluation(evaluator, evaluation, num_images):
        raise UserError(f"{_name(evaluator)}.evaluate {found}")
    return evaluation


def _flaw_of_evaluation(evaluator: Evaluator, evaluation: object, num_images: int) -> str | None:
    if not isinstance(evaluation, Evaluation):
        return f"returned a {type(evaluation).__name__}: it has to return an Evaluation"
    metrics, correct = evaluation.metrics, evaluation.correct
    for name, value in metrics.items():
        if not all(isinstance(one, Real) for one in (value if isinstance(value, list) else [value])):
            return f"returned {name}={value!r}: a metric has to be a number, or a list of them, one of each class"
    declared = [metric.name for metric in evaluator.scalars]
    if missing := [name for name in declared if not isinstance(metrics.get(name), Real)]:
        return (
            f"returned {', '.join(metrics) or 'nothing'} and declares in its scalars {', '.join(declared)}: "
            f"{', '.join(missing)} has to be a number among them"
        )
    if not isinstance(next(iter(metrics.values())), Real):
        return f"returned {next(iter(metrics))} first: one of {', '.join(declared)} has to be the first"
    if correct is None:
        return None
    if not isinstance(correct, Tensor) or correct.dtype != torch.bool or correct.device.type != "cpu":
        return f"returned a correct of {_kind(correct)}: it has to be a tensor of bool on the CPU, or None"
    if correct.shape != (num_images,):
        return f"returned a correct of shape {tuple(correct.shape)}: it has to be one of {num_images:,} images"
    return None


def _kind(value: object) -> str:
    return f"{value.dtype} on {value.device}" if isinstance(value, Tensor) else type(value).__name__


def fit_held(learner: Learner, model: Network, pool: Pool, writes: tuple[int, ...]) -> Network:
    """The same model, held to what `Learner.fit` promises. writes: those of the pool before. Raises UserError."""
    if not isinstance(model, Network):
        raise UserError(f"{_name(learner)}.fit returned a {type(model).__name__}: it has to return a Network")
    if model.training:
        raise UserError(f"{_name(learner)}.fit returned a model in training mode: it has to be in eval mode")
    if pool.writes != writes:
        raise UserError(f"{_name(learner)}.fit wrote into a tensor of the pool: it has to leave it as it is")
    return model


def _name(part: object) -> str:
    return f"{type(part).__module__}.{type(part).__qualname__}"
