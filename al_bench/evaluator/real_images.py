"""What is known of the real images that generated ones are compared with, found once for every run."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from al_bench import seeding
from al_bench.active.inputs import Inputs, fingerprint
from al_bench.dataset import Split
from al_bench.evaluator.extractor import Extract, extract_by, extract_by_inception, in_batches, weights_id
from al_bench.evaluator.generation import Moments
from al_bench.network import Network
from al_bench.storage.artifacts import Artifacts, Made

_SHORT = 12  # digits of a hash, as a run's id has them


@dataclass(frozen=True)
class Real:
    """moments: of all images. features: (M, D) of some. judge_accuracy: of the judge, on the test images. measured_by:
    see `Evaluation`."""

    moments: Moments
    features: Tensor
    judge_accuracy: float
    measured_by: str


def know_real(
    images: Inputs, test: Split, judge: Network, inception: nn.Module | None, most: int, seed: int, artifacts: Artifacts
) -> Real:
    """From an artifact, made first where it is not there.

    images: (N, C, H, W) uint8. judge: a classifier; inception: whose features count, the judge's where it is None.
    most: how many images' features are kept, drawn by `seed`.
    """
    by = [weights_id(judge), None if inception is None else weights_id(inception)]
    spec = {
        "judge": by[0],
        "extractor": by[1],
        "images": fingerprint(images),
        "test": [fingerprint(test.images), fingerprint(test.labels)],
        "kept": min(most, len(images)),
        "seed": seed,
    }
    extract = extract_by(judge) if inception is None else extract_by_inception(inception)
    rng = seeding.generator(seeding.seed_for(seed, 0, "real images"))
    rows = torch.randperm(len(images), generator=rng)[:most].sort().values

    def make(_: object) -> Made:
        with torch.no_grad():
            moments, features = moments_and_rows(images, extract, rows)
            accuracy = torch.tensor(accuracy_of(judge, test), dtype=torch.float64)
        found = {"mean": moments.mean, "scatter": moments.scatter, "features": features, "accuracy": accuracy}
        return found, {}

    found = {name: value.to(images.device) for name, value in artifacts.get("real_images", spec, make).items()}
    moments = Moments(len(images), found["mean"], found["scatter"])
    return Real(moments, found["features"], float(found["accuracy"]), "+".join(one[:_SHORT] for one in by if one))


def moments_and_rows(images: Inputs, extract: Extract, rows: Tensor) -> tuple[Moments, Tensor]:
    """Moments of all images and (M, D) features of those at ascending (M,) rows, on the CPU or not; images go by in
    batches."""
    moments, kept, first = None, list[Tensor](), 0
    for batch in in_batches(images):
        features, _ = extract(batch)
        moments = (moments or Moments.none(features.shape[1], features.device)).with_rows(features)
        inside = rows[(rows >= first) & (rows < first + len(batch))] - first
        kept.append(features[inside.to(features.device)])
        first += len(batch)
    assert moments is not None, "no image"
    return moments, torch.cat(kept)


def accuracy_of(model: Network, split: Split) -> float:
    """The fraction of a split's images that a classifier in eval mode has right."""
    answers = torch.cat([extract_by(model)(batch)[1].argmax(1) for batch in in_batches(split.images)])
    return float((answers == split.classes.to(answers.device)).double().mean())
