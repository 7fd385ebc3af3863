"""WGAN-CT: WGAN-GP whose critic also has to agree with itself on real images, whatever its dropout leaves out (Wei et
al. 2018, the GAN of ASAL on CIFAR-10, ten classes; settings in docs/papers/asal.md, GANs)."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.modules.dropout import _DropoutNd

from al_bench.active.part import declare
from al_bench.config.ranges import ModerateOrZero
from al_bench.errors import UserError
from al_bench.gan.wgan_gp import WganGp
from al_bench.network.critic import Critic
from al_bench.training.losses import consistency


@declare("gan/wgan_ct", revision=2)
@dataclass(frozen=True, kw_only=True)
class WganCt(WganGp):
    """The discriminator has dropout layers, which are on in every pass of the training, the generator's too, and off
    when features are taken.

    consistency_weight: lambda_2, 2 in the code. feature_weight: of the features beside the values, 0.1. margin: M', 0.
    """

    consistency_weight: ModerateOrZero
    feature_weight: ModerateOrZero
    margin: ModerateOrZero

    def discriminator_loss(self, discriminator: Critic, real: Tensor, fake: Tensor) -> Tensor:
        """WGAN-GP's, with the first of two passes on the real images, and the consistency of both."""
        features = discriminator.features(torch.cat([real, real]))  # two passes: each row has a dropout of its own
        values = discriminator.score(features).float()
        first, second = values.chunk(2)
        one, other = features.float().chunk(2)
        wasserstein = self.discriminator_loss_of(first, discriminator(fake))
        penalty = self.penalty(discriminator, real, fake)
        weights = self.consistency_weight, self.feature_weight, self.margin
        return wasserstein + penalty + consistency((first, second), (one, other), *weights)

    def check_discriminator(self, discriminator: Critic) -> None:
        """Raises UserError as that of WGAN-GP, and where it has no dropout: the term would be 0 in silence."""
        super().check_discriminator(discriminator)
        if not any(isinstance(part, _DropoutNd) and part.p > 0 for part in discriminator.modules()):
            raise UserError(
                "a consistency term compares two dropout passes and the discriminator has no dropout: set "
                "gan.discriminator.dropout above 0, or use gan=wgan_gp or gan=res_wgan_gp"
            )

    def check_told_classes(self) -> None:
        """Raises UserError: a training with classes makes one pass over the real images."""
        raise UserError(
            "gan=wgan_ct and gan=res_wgan_ct compare two passes over the real images, and learner=acgan makes one: use "
            "gan=ac_wgan_gp"
        )
