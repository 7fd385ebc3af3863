"""The supervised training of a network: one loss of its logits."""

from collections.abc import Callable, Sequence

from torch import Tensor
from torch.optim import Optimizer

from al_bench.network import Network
from al_bench.training.cut_mix import CutMix
from al_bench.training.loss_record import Losses
from al_bench.training.module import Module

Loss = Callable[[Tensor, Tensor], Tensor]


class Classification(Module):
    """Loss of (B, ...) inputs and their labels; of mixed ones that of both labels, by their shares."""

    divisible = True

    def __init__(
        self,
        network: Network,
        loss: Loss,
        optimizer: Callable[..., Optimizer],
        schedule: Callable[[float], float] | None,
        mixing: CutMix | None = None,
    ) -> None:
        super().__init__()
        self.network, self.loss, self.optimizer, self.schedule = network, loss, optimizer, schedule
        self.mixing = mixing

    def step(self, batch: tuple[Tensor, Tensor], optimizers: Sequence[Optimizer]) -> Losses:
        inputs, labels = batch
        if self.mixing is None:
            loss = self.loss(self.network(inputs), labels)
        else:
            inputs, partners, own = self.mixing(inputs)
            logits = self.network(inputs)
            loss = own * self.loss(logits, labels) + (1 - own) * self.loss(logits, labels[partners])
        self.update(optimizers[0], loss)
        return {getattr(self.loss, "__name__", "loss"): loss.detach()}

    def configure_optimizers(self) -> list[Optimizer]:
        return [self.optimizer_of(self.optimizer, self.network)]
