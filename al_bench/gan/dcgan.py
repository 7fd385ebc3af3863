"""DCGAN's game: cross entropy with a generator that does not saturate (Radford et al. 2016; in the form in
which ASAL's appendix compares it with WGAN-GP)."""

from dataclasses import dataclass

from torch import Tensor

from al_bench.active.part import declare
from al_bench.gan import Gan
from al_bench.training.losses import says


@declare("gan/dcgan", revision=2)
@dataclass(frozen=True)
class Dcgan(Gan):
    """The discriminator's values are logits of "real".

    halved: whether its loss is the mean over both halves of its batch, as ASAL's GANs have it, and not their sum, as
    ALCG Eq. 1, beside which a class loss weighs half as much.
    """

    halved: bool = True

    def discriminator_loss_of(self, real: Tensor, fake: Tensor) -> Tensor:
        """-log D(real) - log(1 - D(fake)), or half of it, which is log 2 where the discriminator cannot tell."""
        both = says(real, 1) + says(fake, 0)
        return both / 2 if self.halved else both

    def generator_loss_of(self, fake: Tensor) -> Tensor:
        """-log D(fake), whose gradient does not vanish where the discriminator is sure (Goodfellow et al. 2014)."""
        return says(fake, 1)
