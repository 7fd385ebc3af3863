"""WGAN-GP: a Wasserstein critic held near slope 1 by a gradient penalty (Gulrajani et al. 2017, the GAN of ASAL
Sec. 4.2; settings in docs/papers/asal.md, GANs)."""

from dataclasses import dataclass

from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm

from al_bench.active.part import declare
from al_bench.config.ranges import ModerateOrZero
from al_bench.errors import UserError
from al_bench.gan import Gan
from al_bench.network.critic import Critic
from al_bench.training.losses import gradient_penalty, interpolates


@declare("gan/wgan_gp", revision=2)
@dataclass(frozen=True, kw_only=True)
class WganGp(Gan):
    """penalty_weight: lambda of the penalty, 10 in the paper."""

    penalty_weight: ModerateOrZero

    def check_discriminator(self, discriminator: Critic) -> None:
        """Raises UserError for a critic with batch norm, whose value of an image depends on the others of its batch
        (Gulrajani et al. 2017, Sec. 4: the penalty is of each image's gradient)."""
        if any(isinstance(part, _BatchNorm) for part in discriminator.modules()):
            raise UserError(
                "gan.discriminator has batch norm, by which the images of a batch change each other's values, and a "
                "gradient penalty is of each image alone: use gan.discriminator.norm=none or spectral"
            )

    def discriminator_loss(self, discriminator: Critic, real: Tensor, fake: Tensor) -> Tensor:
        """mean D(fake) - mean D(real) + lambda mean (|grad D| - 1)^2, at one point on each line from real to fake."""
        of_fake = discriminator(fake)  # first: gradients are summed in this order, and trained GANs are stored
        return self.discriminator_loss_of(discriminator(real), of_fake) + self.penalty(discriminator, real, fake)

    def discriminator_loss_of(self, real: Tensor, fake: Tensor) -> Tensor:
        """mean D(fake) - mean D(real)."""
        return fake.float().mean() - real.float().mean()

    def penalty(self, critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
        """lambda mean (|grad D| - 1)^2, the gradient taken along images in the range that the critic works in."""
        points = interpolates(critic.to_own_range(real), critic.to_own_range(fake))
        return self.penalty_weight * gradient_penalty(critic.values, points)

    def generator_loss_of(self, fake: Tensor) -> Tensor:
        """-mean D(fake)."""
        return -fake.float().mean()
