"""The game of spectrally normalized GANs (Miyato et al. 2018), one of ALCG's three bases; the norm itself is the
discriminator's (docs/papers/alcg.md, Bases)."""

from dataclasses import dataclass
from typing import Literal

from torch import Tensor
from torch.nn import functional

from al_bench.active.part import declare
from al_bench.gan import Gan
from al_bench.training.losses import says


@declare("gan/sngan")
@dataclass(frozen=True, kw_only=True)
class Sngan(Gan):
    """loss: "cross_entropy", of logits of "real", with a generator that does not saturate, or "hinge", of values that
    should exceed 1 on real and fall below -1 on fake images."""

    loss: Literal["cross_entropy", "hinge"]

    def discriminator_loss_of(self, real: Tensor, fake: Tensor) -> Tensor:
        """-log D(real) - log(1 - D(fake)), or mean max(0, 1 - D(real)) + mean max(0, 1 + D(fake)): 2 log 2, or 2, where
        the discriminator cannot tell."""
        if self.loss == "hinge":
            return functional.relu(1 - real.float()).mean() + functional.relu(1 + fake.float()).mean()
        return says(real, 1) + says(fake, 0)

    def generator_loss_of(self, fake: Tensor) -> Tensor:
        """-log D(fake), or -mean D(fake)."""
        return -fake.float().mean() if self.loss == "hinge" else says(fake, 1)
