"""A module that is trained: its `step` is the arithmetic, whatever drives it.

Nothing of Lightning is imported here: learners and strategies are asked what they are where nothing is trained.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from inspect import signature
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from torch import Tensor, nn
from torch.optim import Optimizer

from al_bench.errors import UserError
from al_bench.training.account import Account
from al_bench.training.loss_record import Losses

if TYPE_CHECKING:
    from pytorch_lightning import Trainer

    TrainerFactory = Callable[..., Trainer]
else:  # a signature is a schema, whose annotations are read without Lightning
    TrainerFactory = Callable[..., Any]


class Part(NamedTuple):
    """One device's part of a batch. weight: what of it counts, rows or pixels of label maps, by what it would be if all
    had as much."""

    rows: Any
    weight: float


class Module(nn.Module, ABC):
    """Networks that are trained together, by one `step`.

    schedule: maps the fraction of the training done, in [0, 1), to a factor on every learning rate. capture: whether
    the loop of our own replays the step as a CUDA graph (`cuda_graph.Captured`); it may then not look at a value on the
    device, and its optimizers have to be able to (Adam). On a CPU it changes nothing. account: of the training that
    goes on, or of the last one. divisible: whether every loss that it minimises is a mean over the rows of its batch,
    so that gradients on parts of a batch, each by its weight, are on average those on the whole one.
    """

    schedule: Callable[[float], float] | None = None
    capture: bool = False
    divisible: ClassVar[bool] = False

    def __init__(self) -> None:
        super().__init__()
        self.account = Account()
        self.backward: Callable[[Tensor], object] = Tensor.backward
        self.precision = "32-true"
        self.fraction_of_mean = 1.0  # of the loss of a part, so that the mean over devices is the mean over rows

    def begin(self, account: Account) -> None:
        """Starts a training, which `account` follows: training mode, nothing done."""
        self.account = account
        self.train()

    def propagate_by(self, backward: Callable[[Tensor], object], precision: str) -> None:
        """Has `update` ask a driver for the gradients of a loss, which scales it first where its precision asks so."""
        self.backward, self.precision = backward, precision

    @abstractmethod
    def step(self, batch: Any, optimizers: Sequence[Optimizer]) -> Losses:
        """One step of the algorithm: every update that it makes, in its order; returns the losses to record."""

    @abstractmethod
    def configure_optimizers(self) -> list[Optimizer]:
        """The optimizers, in the order in which `step` takes them."""

    def step_on_part(self, part: Part, optimizers: Sequence[Optimizer]) -> Losses:
        """The same `step` on one device's part of a batch, whose losses weigh what it does."""
        self.fraction_of_mean = part.weight
        return self.step(part.rows, optimizers)

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
        update. Raises UserError where gradients of several optimizers are scaled: the scale may move between them."""
        if others and self.precision == "16-mixed":
            raise UserError("precision=16-mixed cannot be where one update moves several optimizers: use bf16-mixed")
        for each in (optimizer, *others):
            each.zero_grad()
        self.backward(loss if self.fraction_of_mean == 1.0 else loss * self.fraction_of_mean)
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
