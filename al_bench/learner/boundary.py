"""ADBA's joint training on labels and on points of the boundary (Huijser and van Gemert 2017, Sec. 3)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from al_bench import seeding
from al_bench.active.inputs import read_all, to_float
from al_bench.active.part import declare
from al_bench.active.pool import UNKNOWN, Pool
from al_bench.config.groups import name_chosen
from al_bench.config.ranges import Epochs, Moderate, ModerateOrZero, Precision
from al_bench.errors import UserError
from al_bench.learner import Learner
from al_bench.network import Network, NetworkFactory
from al_bench.network.hyperplane import flip, hyperplane
from al_bench.training import losses
from al_bench.training.batches import Batches
from al_bench.training.fit import Fitter
from al_bench.training.loss_record import Losses
from al_bench.training.module import Module, TrainerFactory
from al_bench.training.observation import Observer

Batch = tuple[Tensor, Tensor, Tensor]


@declare("learner/boundary", revision=2)
@dataclass(frozen=True)
class Boundary(Learner):
    """Minimises hinge_weight hinge(labeled) + boundary_weight mean s(boundary points)^2 + l2 |w|^2 of a linear model
    s(x) = w x + b, the difference of its logits; while there is no boundary point, the hinge loss alone, as the
    authors' code does.

    loss: what a line gives; `boundary`, as in ADBA: one boundary point, where its labels flip, and its labels only
    where they do not; `labels`: each of its labeled inputs, eleven in ASAL Sec. 5.3. The label of the pool input that
    the line leads through, which ADBA's annotator gives too, is in neither, as ASAL counts the line alone.
    epochs: at most, each one step on everything. cut, cut_patience: factor on the learning rate after so many epochs
    without a lower loss; stop_patience: after so many, nothing more is trained. The authors' code cuts like this too,
    but overwrites it in every epoch by a decay of 0.9 per five epochs. pad: first make the shorter set as long as the
    longer one, see `pad_shorter`, as that code does. without_points: `joint` keeps the factor of the hinge loss and the
    L2 while there is no boundary point, too: the control of what lines teach.
    """

    network: NetworkFactory
    epochs: Epochs
    optimizer: Callable[..., Optimizer]
    loss: Literal["boundary", "labels"]
    hinge_weight: ModerateOrZero
    boundary_weight: ModerateOrZero
    l2: ModerateOrZero
    cut: Moderate
    cut_patience: Epochs
    stop_patience: Epochs
    pad: bool = False
    without_points: Literal["hinge", "joint"] = "hinge"
    precision: Precision = "32-true"
    trainer: TrainerFactory | None = field(default=None, metadata={"identity": False})

    def __post_init__(self) -> None:
        if self.loss not in ("boundary", "labels"):
            raise UserError(f"learner.loss={self.loss} is not known: use boundary or labels")
        if self.without_points not in ("hinge", "joint"):
            raise UserError(f"learner.without_points={self.without_points} is not known: use hinge or joint")

    @property
    def begins_anew(self) -> bool:
        """As `Learner` says it."""
        return True

    def empty(self, pool: Pool, seed: int) -> Network:
        """Raises UserError for anything but two classes and a linear model."""
        if pool.num_classes != 2 or pool.labels.dim() > 1:
            raise UserError(
                f"learner=boundary fits one boundary between two classes and this data set has {pool.num_classes}"
                f"{' on label maps' if pool.labels.dim() > 1 else ''}: use one of two classes such as mnist_two"
            )
        with seeding.fork(seeding.seed_for(seed, 0, "weights")):
            network = self.network(input_shape=tuple(pool.inputs.shape[1:]), num_classes=pool.num_classes)
        if "hyperplane" not in network.provides:
            raise UserError(
                f"learner=boundary fits a hyperplane, which {name_chosen(network)} is not: use network=linear"
            )
        return network

    def fit(
        self,
        pool: Pool,
        previous: Network | None,
        seed: int,
        scratch: Path | None = None,
        observe: Observer | None = None,
    ) -> Network:
        module = Joint(self.empty(pool, seed), self)
        known = material(pool, self.loss)
        batches = Everything(pad_shorter(*known) if self.pad else known, self.epochs)
        training_seed = seeding.seed_for(seed, 0, "training")
        fitter = Fitter(pool.device, self.precision, self.trainer)
        watching = observe.watching(module.network, len(batches)) if observe else None
        fitter.fit(module, batches, seed=training_seed, name="boundary", scratch=scratch, callback=watching)
        return module.network


def material(pool: Pool, loss: str) -> Batch:
    """Labeled inputs (L', ...), their labels (L',), and boundary points (P, ...); what nobody could label is left out.

    loss: `boundary` or `labels`, see `Boundary`.
    """
    view, labels = pool.training_set()
    inputs = read_all(view)
    if loss == "labels":
        return inputs, labels, inputs[:0]
    num_real = int((pool.labels != UNKNOWN).sum())
    kept, points = [(inputs[:num_real], labels[:num_real])], []
    for line, answers in pool.lines():
        told, classes = line[answers != UNKNOWN], answers[answers != UNKNOWN]
        point = flip(told, 2 * classes - 1)
        if point is None:
            kept.append((told, classes))
        else:
            points.append(point)
    found = torch.stack(points) if points else inputs[:0]
    return torch.cat([rows for rows, _ in kept]), torch.cat([rows for _, rows in kept]), found


def pad_shorter(inputs: Tensor, labels: Tensor, points: Tensor) -> Batch:
    """Labeled inputs (L', ...), their labels (L',) and boundary points (P, ...), the fewer of them made as many as the
    others: inputs and labels by going round, points by copies of their mean, each of which so weighs P / L' of what it
    does without (Huijser and van Gemert 2017, in code). As they are where one set is empty."""
    missing = len(labels) - len(points)
    if len(labels) and len(points) and missing > 0:
        points = torch.cat([points, points.mean(0, keepdim=True).expand(missing, *points.shape[1:])])
    elif len(labels) and missing < 0:
        rows = torch.arange(len(points), device=labels.device) % len(labels)
        inputs, labels = inputs[rows], labels[rows]
    return inputs, labels, points


class Joint(Module):
    """One epoch: a step on all that is known."""

    def __init__(self, network: Network, settings: Boundary) -> None:
        super().__init__()
        self.network, self.settings = network, settings
        self.plateau = Plateau(settings.cut, settings.cut_patience, settings.stop_patience)

    def step(self, batch: Batch, optimizers: Sequence[Optimizer]) -> Losses:
        inputs, labels, points = batch
        hinge = losses.hinge(self.network(inputs), labels) if len(labels) else points.new_zeros(())
        alone = len(points) == 0 and self.settings.without_points == "hinge"
        loss = hinge if alone else self.joint(hinge, points)
        if not self.plateau.stopped:
            self.update(optimizers[0], loss)
            self.plateau.see(float(loss.detach()))
        return {"hinge": hinge.detach(), "loss": loss.detach()}

    def joint(self, hinge: Tensor, points: Tensor) -> Tensor:
        """The objective of labels and boundary points (P, ...)."""
        normal, _ = hyperplane(self.network, points.shape[1:].numel())
        settings = self.settings
        square = points.new_zeros(())
        if len(points):
            square = settings.boundary_weight * losses.on_boundary(self.network(points))
        return settings.hinge_weight * hinge + square + settings.l2 * normal.square().sum()

    def set_rates(self, fraction: float, optimizers: Sequence[Any]) -> None:
        """By the plateau, whatever the fraction."""
        for optimizer in optimizers:
            for group in optimizer.param_groups:
                group["lr"] = group.setdefault("initial_lr", group["lr"]) * float(self.plateau.factor)

    def configure_optimizers(self) -> list[Optimizer]:
        return [self.optimizer_of(self.settings.optimizer, self.network)]


class Plateau(nn.Module):
    """Counts epochs without a lower loss; a module, so that a checkpoint keeps the counts."""

    best: Tensor
    factor: Tensor
    since_cut: Tensor
    since_best: Tensor

    def __init__(self, cut: float, cut_patience: int, stop_patience: int) -> None:
        super().__init__()
        self.cut, self.cut_patience, self.stop_patience = cut, cut_patience, stop_patience
        for name, value in {"best": float("inf"), "factor": 1.0, "since_cut": 0, "since_best": 0}.items():
            self.register_buffer(name, torch.tensor(value, dtype=torch.float64))

    @property
    def stopped(self) -> bool:
        """Whether training is over."""
        return bool(self.since_best >= self.stop_patience)

    def see(self, loss: float) -> None:
        """Takes the loss of the next epoch."""
        lower = loss < float(self.best)
        self.since_best.add_(1).mul_(not lower)
        self.since_cut.add_(1).mul_(not lower)
        if lower:
            self.best.fill_(loss)
        elif self.since_cut >= self.cut_patience:
            self.factor.mul_(self.cut)
            self.since_cut.zero_()


class Everything(Batches):
    """The same float inputs, labels and points in every step."""

    def __init__(self, material: Batch, epochs: int) -> None:
        inputs, labels, points = material
        self.batch, self.epochs = (to_float(inputs), labels, to_float(points)), epochs

    def __len__(self) -> int:
        return self.epochs

    def load(self, step: int) -> Batch:
        return self.batch

    @property
    def images_per_step(self) -> float:
        return float(len(self.batch[0]) + len(self.batch[2]))
