"""DCGAN's game: cross entropy with a generator that does not saturate (Radford et al. 2016; in the form in
which ASAL's appendix compares it with WGAN-GP)."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from al_bench.active.part import declare
from al_bench.gan import Gan
from al_bench.network.critic import Critic


@declare("gan/dcgan", revision=2)
@dataclass(frozen=True)
class Dcgan(Gan):
    """The discriminator's values are logits of "real"."""

    def discriminator_loss(self, discriminator: Critic, real: Tensor, fake: Tensor) -> Tensor:
        """Half of -log D(real) - log(1 - D(fake)): log 2 where it cannot tell."""
        return (_cross_entropy(discriminator(real), 1) + _cross_entropy(discriminator(fake), 0)) / 2

    def generator_loss(self, discriminator: Critic, fake: Tensor) -> Tensor:
        """-log D(fake), whose gradient does not vanish where the discriminator is sure (Goodfellow et al. 2014)."""
        return _cross_entropy(discriminator(fake), 1)


def _cross_entropy(logits: Tensor, target: float) -> Tensor:
    logits = logits.float()
    return binary_cross_entropy_with_logits(logits, torch.full_like(logits, target))
