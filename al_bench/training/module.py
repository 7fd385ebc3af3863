"""A module that is trained: its `step` is the arithmetic, whatever drives it."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from inspect import signature
from typing import Any, ClassVar, NamedTuple

import pytorch_lightning as pl
from torch import Tensor, nn
from torch.optim import Optimizer

from al_bench.training.account import Account
from al_bench.training.loss_record import Losses


class Part(NamedTuple):
    """One device's part of a batch. weight: its rows by those that it would have if all had as many."""

    rows: Any
    weight: float


class Module(pl.LightningModule, ABC):
    """A LightningModule whose arithmetic is one `step`.

    schedule: maps the fraction of the training done, in [0, 1), to a factor on every learning rate. capture: whether
    the loop of our own replays the step as a CUDA graph (`cuda_graph.Captured`); it may then not look at a value on the
    device, and its optimizers have to be able to (Adam). On a CPU it changes nothing. account: of the training that
    goes on, or of the last one. divisible: whether every loss that it minimises is a mean over the rows of its batch,
    so that gradients on parts of a batch, averaged, are those on the whole one.
    """

    schedule: Callable[[float], float] | None = None
    capture: bool = False
    divisible: ClassVar[bool] = False

    def __init__(self) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.account = Account()
        self.fraction_of_mean = 1.0  # of the loss of a part, so that the mean over devices is the mean over rows

    def begin(self, account: Account) -> None:
        """Starts a training, which `account` follows: training mode, nothing done."""
        self.account = account
        self.train()

    @abstractmethod
    def step(self, batch: Any, optimizers: Sequence[Optimizer]) -> Losses:
        """One step of the algorithm: every update that it makes, in its order; returns the losses to record."""

    @abstractmethod
    def configure_optimizers(self) -> list[Optimizer]:
        """The optimizers, in the order in which `step` takes them."""

    def training_step(self, batch: Any, batch_idx: int) -> None:
        """What a Trainer calls: the same `step`, on several devices with a part of the batch each."""
        self.fraction_of_mean = 1.0
        if isinstance(batch, Part):
            batch, self.fraction_of_mean = batch
        optimizers: Any = self.optimizers()
        listed = optimizers if isinstance(optimizers, list) else [optimizers]
        self.set_rates(self.account.fraction, listed)
        ends = self.account.add_step(self.step(batch, listed))
        if self.trainer.world_size > 1:  # buffers differ between devices, and so may what a callback measures
            ends = self.trainer.strategy.reduce_boolean_decision(ends, all=False)
        if ends:
            self.trainer.should_stop = True

    def set_rates(self, fraction: float, optimizers: Sequence[Any]) -> None:
        """Sets every learning rate to its first value times the schedule's factor."""
        if self.schedule is None:
            return
        for optimizer in optimizers:
            for group in optimizer.param_groups:
                rate = group.setdefault("initial_lr", group["lr"]) * self.schedule(fraction)
                if isinstance(group["lr"], Tensor):  # which a CUDA graph reads
                    group["lr"].fill_(rate)
                else:
                    group["lr"] = rate

    def optimizer_of(self, factory: Callable[..., Optimizer], part: nn.Module) -> Optimizer:
        """The optimizer of a part's parameters, whose updates are one kernel where it knows how, as Adam and SGD do.

        What `factory` says of its own implementation stands. Fused updates differ from others by rounding.
        """
        own = getattr(factory, "keywords", {})
        fusing = "fused" in signature(getattr(factory, "func", factory)).parameters
        if not fusing or any(own.get(name) is not None for name in ("fused", "foreach", "differentiable")):
            return factory(part.parameters())
        return factory(part.parameters(), fused=True)

    def update(self, optimizer: Optimizer, loss: Tensor, *others: Optimizer) -> None:
        """Gradients of `loss` from zero, and one step of `optimizer`, and of `others` where each part has its own: one
        update."""
        for each in (optimizer, *others):
            each.zero_grad()
        self.manual_backward(loss if self.fraction_of_mean == 1.0 else loss * self.fraction_of_mean)
        for each in (optimizer, *others):
            each.step()
        self.account.updates += 1


@contextmanager
def frozen(*modules: nn.Module) -> Iterator[None]:
    """Inside the block no parameter of the modules takes a gradient: the other player stands still."""
    parameters = [p for module in modules for p in module.parameters() if p.requires_grad]
    for parameter in parameters:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in parameters:
            parameter.requires_grad_(True)
