"""The trainings of several small models as one: their weights, stacked, in one tensor for each layer.

A step of a linear model on ten images is overhead and hardly any arithmetic. `torch.vmap` runs the network on all
stacked weights at once, and one optimizer that works on each number by itself updates them (`functional_call` and
`stack_module_state`, as in torch's tutorial on model ensembling). The weights are those of single trainings but for
rounding: the same initial ones, the same batches, another order of additions. Dropout draws other masks than alone.
"""

from collections.abc import Callable, Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.func import functional_call, stack_module_state
from torch.optim import SGD, Adagrad, Adam, AdamW, Optimizer, RMSprop

from al_bench import seeding
from al_bench.active.inputs import to_float
from al_bench.progress import progress
from al_bench.training import losses
from al_bench.training.classification import Classification
from al_bench.training.cost import add_cost
from al_bench.training.interruption import raise_pending
from al_bench.training.labeled_batches import LabeledBatches
from al_bench.training.pack import Request
from al_bench.training.plan import Plan

_BY_NUMBER = (SGD, Adagrad, Adam, AdamW, RMSprop)  # optimizers by which a number moves whatever the others are
_MEANS = (losses.cross_entropy, losses.smoothed_cross_entropy, losses.hinge)  # over rows that know of no other row
_AT_ONCE = 50  # steps whose batches are read together, and after which losses are looked at


class StackedFit(Request):
    """A training that may be one of a stack.

    recipe: says all that the trainings of a stack have in common beside the shapes of their data. module: with its
    network untrained, on the device of its batches. seed: of what a stack draws of which it is the first.
    """

    rank: ClassVar[int] = 1

    def __init__(self, recipe: str, module: Classification, batches: LabeledBatches, seed: int) -> None:
        self.module, self.batches, self.seed = module, batches, seed
        inputs = batches.inputs
        shapes = [tuple(weights.shape) for weights in module.parameters()]
        self.key = (recipe, len(batches), tuple(inputs.shape), inputs.dtype, inputs.device, *shapes)
        self.bad_loss = ""

    def joins(self, other: Request) -> bool:
        return isinstance(other, StackedFit) and self.key == other.key

    def answer(self, others: Sequence["StackedFit"]) -> None:
        """Trains all; of one whose loss is not finite it is noted, and the others are what they are without it."""
        fits = [self, *others]
        stack = Stack([fit.module for fit in fits])
        with seeding.fork(self.seed):
            self._train(stack, fits)
        for fit, weights in zip(fits, stack.unstacked(), strict=True):
            fit.module.load_state_dict(weights)

    def _train(self, stack: "Stack", fits: Sequence["StackedFit"]) -> None:
        steps = range(len(self.batches))
        with progress(f"classifiers of {len(fits)} cells", len(steps)) as bar:
            for block in (steps[first : first + _AT_ONCE] for first in steps[::_AT_ONCE]):
                self._train_block(stack, fits, block)
                bar.advance(len(block))
                raise_pending()

    def _train_block(self, stack: "Stack", fits: Sequence["StackedFit"], block: range) -> None:
        loaded = zip(*(fit.batches.load_rows(block) for fit in fits), strict=True)
        inputs, labels = (torch.stack(rows) for rows in loaded)
        first = 0
        for step in block:
            end = first + len(self.batches.order[step])
            logits = stack.step(step / len(self.batches), to_float(inputs[:, first:end]), labels[:, first:end])
            first = end
        for fit, own_logits, own_labels in zip(fits, logits, labels[:, -logits.shape[1] :], strict=True):
            fit.look(own_logits, own_labels, block[-1])

    def look(self, logits: Tensor, labels: Tensor, step: int) -> None:
        """Notes a loss that is not finite; weights that are not either keep it so until the next look."""
        loss = self.module.loss(logits, labels)
        if not self.bad_loss and not loss.isfinite():
            self.bad_loss = f"{getattr(self.module.loss, '__name__', 'loss')} is {float(loss)} at step {step}"

    def finish(self) -> None:
        """In the cell that asked for it, once it is done. Raises FloatingPointError at a loss that is not finite."""
        self.module.eval()
        add_cost(len(self.batches), round(len(self.batches) * self.batches.images_per_step))
        if self.bad_loss:
            raise FloatingPointError(self.bad_loss)


class Stack:
    """Alike modules that are trained by one step, each on its own batches."""

    def __init__(self, modules: Sequence[Classification]) -> None:
        self.first, self.size = modules[0].train(), len(modules)
        stacked, _ = stack_module_state([module.network for module in modules])
        self.weights = {name: nn.Parameter(weights.detach()) for name, weights in stacked.items()}
        self.optimizer = self.first.optimizer_of(self.first.optimizer, nn.ParameterList(self.weights.values()))
        network = self.first.network
        self.forward = torch.vmap(
            lambda weights, inputs: functional_call(network, weights, (inputs,)), randomness="different"
        )

    def step(self, fraction: float, inputs: Tensor, labels: Tensor) -> Tensor:
        """One update of all: the mean loss of each model's rows, summed. fraction: of the training done; inputs,
        labels: (S, B, ...) and (S, B), a batch for each. Returns (S, B, K) logits before it, detached."""
        self.first.set_rates(fraction, [self.optimizer])
        logits = self.forward(self.weights, inputs)
        loss = self.size * self.first.loss(logits.flatten(0, 1), labels.flatten())
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        detached: Tensor = logits.detach()
        return detached

    def unstacked(self) -> list[dict[str, Tensor]]:
        """The weights of each."""
        return [
            {f"network.{name}": weights[place].detach().clone() for name, weights in self.weights.items()}
            for place in range(self.size)
        ]


def reason_alone(plan: Plan, module: Classification, batches: LabeledBatches) -> str | None:
    """Why a training cannot be one of a stack, in words that follow "for"; None where it can."""
    parts = list(module.network.modules())
    reasons = {
        "it is a Trainer's": plan.trainer is not None,
        f"its precision is {plan.precision}": plan.precision != "32-true",
        "early stopping looks at it": plan.early_stopping is not None,
        "its images are augmented": plan.augmentation is not None or module.mixing is not None,
        "its labels are maps": batches.labels.dim() > 1,
        "its network has buffers, as of batch norm": any(True for _ in module.network.buffers()),
        "its network convolves, which gains on a GPU alone": (
            batches.inputs.device.type == "cpu" and any(isinstance(part, nn.modules.conv._ConvNd) for part in parts)
        ),
        "its loss is not known to be a mean over images": module.loss not in _MEANS,
        "its optimizer is not known to move each weight by itself": not moves_by_number(plan.optimizer),
    }
    return next((reason for reason, holds in reasons.items() if holds), None)


def moves_by_number(optimizer: Callable[..., Optimizer]) -> bool:
    """Whether what this makes moves each number by itself, however many others it is given."""
    return getattr(optimizer, "func", optimizer) in _BY_NUMBER
