"""The fakes that train a class-conditional GAN: of what classes they are drawn, and which candidates of adversarial
sampling are chosen (ALCG Sec. 3.4). No shape depends on a value, so that a CUDA graph can be made of it."""

from typing import Literal

import torch
from torch import Tensor

from al_bench.network.class_conditional import ClassConditionalGan
from al_bench.network.predict import batch_statistics, evaluating

FakeClasses = Literal["even", "labeled"]
Select = Literal["together", "per_class"]
NewFakes = Literal["each_critic_step", "each_iteration"]


def classes_to_draw(labels: Tensor, fake_classes: FakeClasses) -> Tensor:
    """Int64 classes, each of which is drawn as often: of (L,) labels every class once, (P,), or, "labeled", as often as
    it is labeled, (L,)."""
    return labels.unique() if fake_classes == "even" else labels


def rank(model: ClassConditionalGan, latents: Tensor, wanted: Tensor) -> Tensor:
    """(M,) int64 rows of M candidates, those of highest D(x) first.

    Their images are made for this alone: batch norm takes the statistics of all candidates and spectral norm the
    vectors that it has, and neither keeps anything of them. The chosen are made again, as a batch of their own, so
    that batch norm sees those alone where they train.
    """
    with torch.no_grad(), evaluating(model), batch_statistics(model):
        features = model.features(model.generate(latents, wanted))
        with torch.autocast(features.device.type, enabled=False):  # values of fewer bits would often be equal
            values = model.critic.score(features.float())
    return values.sort(descending=True, stable=True).indices


def first_of_each_class(ranked: Tensor, wanted: Tensor, gamma: int) -> Tensor:
    """(M / gamma,) rows: of each class the first of those in `ranked`, one for `gamma` candidates of it.

    ranked: (M,) rows; wanted: (M,) their classes, a multiple of `gamma` of each.
    """
    by_class = ranked[wanted[ranked].sort(stable=True).indices]
    kept = wanted[by_class][::gamma].contiguous()  # (M,) -> (M / gamma,): the classes of those to choose, sorted
    before = torch.searchsorted(kept, kept)  # of classes before its own
    return by_class[torch.arange(len(kept), device=kept.device) + (gamma - 1) * before]
