"""UHerding: MaxHerding whose coverage is weighted by calibrated uncertainty (Bae et al. 2025)."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Protocol

import torch
from torch import Tensor

from al_bench.active.part import declare
from al_bench.active.pool import UNKNOWN, Pool
from al_bench.active.query import PoolQuery
from al_bench.active.scores import refuse_no_score
from al_bench.config.ranges import Bins, Moderate, ProperFraction, Temperatures, UpToAll
from al_bench.dataset import Dataset
from al_bench.errors import UserError
from al_bench.network import Network
from al_bench.network.predict import predict, stream
from al_bench.storage.artifacts import Artifacts
from al_bench.strategy import Strategy
from al_bench.strategy.maxherding import herd, unit_embeddings
from al_bench.strategy.ranking import draw_candidates
from al_bench.training.losses import IGNORED

_ROWS = 256  # labeled images compared with all of them at once
_STEP = 0.1  # from temperature to temperature
_LEAST = 1e-6  # the distance below which numbers in float32 do not tell vectors of length 1 apart


class Training(Protocol):
    """What is asked of a learner here, which a strategy does not know."""

    @property
    def validates(self) -> bool:
        """Whether it looks at `Pool.validation` while it trains."""

    def prepare(self, dataset: Dataset, artifacts: Artifacts) -> None:
        """Trains or loads what it needs before the first training."""

    def empty(self, pool: Pool, seed: int) -> Network:
        """An untrained model for the pool's inputs and classes."""

    def check_batches(
        self, model: Network, input_shape: Sequence[int], labeled: float, unlabeled: float, on_maps: bool
    ) -> None:
        """Raises UserError where such a model cannot be trained on so many inputs; trains nothing."""

    def fit(self, pool: Pool, previous: Network | None, seed: int) -> Network:
        """A model trained on the pool from new weights, in eval mode."""


@declare("strategy/uherding")
@dataclass(frozen=True)
class UHerding(Strategy):
    """Asks again and again for the image that adds most to the mean similarity, weighted by uncertainty, of all
    candidates to the nearest image that is labeled or asked for ("Uncertainty Herding: One Active Learning Method for
    All Label Budgets").

    With few labels probabilities are softened until they are calibrated, which leaves coverage; with many the kernel
    becomes narrow, which leaves uncertainty. score: (B, K[, H, W]) logits to (B,), at least 0, higher is more
    uncertain. learner, held_out, max_temperature, bins: a model that the learner trains without the fraction
    `held_out` of what is labeled has its expected calibration error, in `bins`, on that; logits are divided by the
    temperature from 1 to below `max_temperature` that makes it least. temperature: in place of that. bandwidth: of
    `MaxHerding`; None: the least distance between two labeled images that are not one, 1 where there are none. subset:
    of `MaxHerding`. Scores are what each image adds.
    """

    score: Callable[[Tensor], Tensor]
    learner: Training
    held_out: ProperFraction
    max_temperature: Temperatures
    bins: Bins
    temperature: Moderate | None = None
    bandwidth: Moderate | None = None
    subset: UpToAll | None = None
    needs: ClassVar[frozenset[str]] = frozenset({"embedding"})
    order_invariant: ClassVar[bool] = False  # of a larger pool a subset is drawn by position

    def check(self, pool: Pool, labeled: float) -> None:
        refuse_no_score(self.score, pool)
        if self.temperature is not None:
            return
        kept, on_maps = labeled - int(self.held_out * labeled), pool.labels.dim() > 1
        try:
            model = self.learner.empty(pool, 0)
            self.learner.check_batches(model, pool.inputs.shape[1:], kept, math.inf, on_maps)
        except UserError as error:
            raise UserError(
                f"strategy.learner trains on {kept:g} of the first {labeled:g} labels, and the others calibrate its "
                f"model (strategy.held_out={self.held_out}): {error}, or strategy.temperature=1 for no such training"
            ) from error

    def prepare(self, dataset: Dataset, artifacts: Artifacts) -> None:
        self.learner.prepare(dataset, artifacts)

    def query(self, model: Network, pool: Pool, size: int, rng: torch.Generator) -> PoolQuery:
        candidates = draw_candidates(pool.unlabeled, self.subset, size, rng)
        temperature = self.temperature or self._calibrated(pool, rng)
        weights = predict(model, pool.inputs, candidates, lambda logits: self.score(logits / temperature))
        points = unit_embeddings(model, pool, candidates)
        labeled = unit_embeddings(model, pool, pool.labeled)
        bandwidth = self.bandwidth or least_distance(labeled)
        chosen, gains = herd(points, labeled, weights.float(), bandwidth, size, rng)
        return PoolQuery(candidates[chosen.to(pool.device)], scores=gains)

    def _calibrated(self, pool: Pool, rng: torch.Generator) -> float:
        """The temperature of least calibration error on labels that a model was not trained on; 1 where there are too
        few to hold any out."""
        on_maps = pool.labels.dim() > 1  # of which the oracle knows every one
        rows = torch.arange(len(pool.labels)) if on_maps else (pool.labels != UNKNOWN).nonzero().squeeze(1).cpu()
        rows = rows[torch.randperm(len(rows), generator=rng)].to(pool.device)
        held, kept = rows.split([count := int(self.held_out * len(rows)), len(rows) - count])
        seed = int(torch.randint(2**62, (), generator=rng))
        if count < 1 + self.learner.validates:
            return 1.0
        part = replace(pool, labeled=pool.labeled[kept], labels=pool.labels[kept])
        if self.learner.validates:  # what chose the best weights would find them better calibrated than they are
            watched, held = held.tensor_split(2)
            part = replace(part, validation=(pool.inputs[pool.labeled[watched]], pool.labels[watched]))
        positions, labels = pool.labeled[held], pool.labels[held]
        model = self.learner.fit(part, None, seed)
        logits = stream(model.acquisition_logits, model, pool.inputs, positions)
        return best_temperature(logits, labels, torch.arange(1, self.max_temperature, _STEP), self.bins)


def best_temperature(batches: Iterable[Tensor], labels: Tensor, temperatures: Tensor, bins: int) -> float:
    """The temperature that logits are divided by for the least expected calibration error, the first of equal ones.

    batches: of (B, K[, H, W]) logits; labels: (N[, H, W]) of all of them, in order, where IGNORED pixels of maps do not
    count; temperatures: (T,). The error is the sum over bins of confidence of |right - confidence|, each summed (Guo et
    al. 2017, Eq. 3, times N).
    """
    gaps, first = torch.zeros(len(temperatures), bins, dtype=torch.float64, device=labels.device), 0
    for batch in batches:
        answers = labels[first : first + len(batch)].flatten()
        counted = answers != IGNORED if labels.dim() > 1 else torch.ones_like(answers, dtype=torch.bool)
        first += len(batch)
        logits = batch.movedim(1, -1).flatten(0, -2)[counted]  # (B, K[, H, W]) -> (M, K)
        right = (logits.argmax(1) == answers[counted]).double()
        for row, temperature in enumerate(temperatures.tolist()):
            confidences = (logits / temperature).softmax(1).amax(1).double()
            places = (confidences * bins).ceil().long().sub_(1).clamp_(0, bins - 1)
            gaps[row] += torch.bincount(places, weights=right - confidences, minlength=bins)
    return float(temperatures[gaps.abs().sum(1).argmin()])


def least_distance(points: Tensor) -> float:
    """The least distance between two of (L, D) points that are not in one place, 1 where no two are."""
    least = torch.inf
    for part in points.split(_ROWS) if len(points) else ():
        apart = torch.cdist(part, points, compute_mode="donot_use_mm_for_euclid_dist")
        least = min(least, float(apart.where(apart > _LEAST, torch.inf).min()))
    return least if least < torch.inf else 1.0
