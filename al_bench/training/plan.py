"""A plan of training: the fields that learners share, and the part of `fit` that is the same in all of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from torch.optim import Optimizer

from al_bench import seeding
from al_bench.active.pool import Pool
from al_bench.config.ranges import BatchSize, Epochs, Iterations, Precision
from al_bench.errors import UserError
from al_bench.network import Network
from al_bench.training.batches import Augmentation, Batches, try_on_zeros
from al_bench.training.early_stopping import EarlyStopping, callback_of
from al_bench.training.fit import Fitter
from al_bench.training.labeled_batches import LabeledBatches, least_batch
from al_bench.training.module import Module, TrainerFactory
from al_bench.training.observation import Observer
from al_bench.training.sampler import LastBatch, steps_of_a_pass


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How long and by what a learner trains; a learner inherits it, so that these are its own arguments.

    optimizer: of (parameters) -> optimizer. schedule: factor on the learning rates by the fraction of the training
    done. augmentation: of stored batches. early_stopping: by the validation split. precision, trainer: see `Fitter`.
    last_batch: what becomes of the inputs that an epoch's whole batches leave over, see `LastBatch`.
    """

    epochs: Epochs
    batch_size: BatchSize
    optimizer: Callable[..., Optimizer]
    schedule: Callable[[float], float] | None = None
    augmentation: Augmentation | None = None
    early_stopping: EarlyStopping | None = None
    last_batch: LastBatch = field(default="smaller", metadata={"label": True})
    precision: Precision = "32-true"
    trainer: TrainerFactory | None = field(default=None, metadata={"identity": False})

    @property
    def validates(self) -> bool:
        """Whether the training looks at the validation split."""
        return self.early_stopping is not None

    def check_batches(
        self, model: Network, input_shape: Sequence[int], labeled: float, unlabeled: float, on_maps: bool
    ) -> None:
        """Refuses what `least_batch` does of the labeled inputs, and what the augmentation does of such inputs."""
        least_batch(model, labeled, self.batch_size, input_shape, on_maps)
        if self.augmentation is not None:
            try_on_zeros(self.augmentation, input_shape, on_maps)

    def train(
        self,
        module: Module,
        batches: Batches,
        model: Network,
        pool: Pool,
        *,
        seed: int,
        name: str,
        scratch: Path | None,
        epochs: int | None = None,
        observe: Observer | None = None,
    ) -> None:
        """Trains `module`, which `model` is a part of, and leaves it in eval mode with the best weights of `model`.

        seed: of the learner's whole fit. name: for the progress and the checkpoint. scratch: see `Fitter.fit`. epochs:
        other than the plan's. observe: looks at `model`.
        """
        per_epoch = batches.per_epoch or max(1, len(batches) // (epochs or self.epochs))
        callback = callback_of(self.early_stopping, model, pool, len(batches), per_epoch)
        if observe is not None:
            callback = observe.watching(model, len(batches), callback)
        Fitter(pool.device, self.precision, self.trainer).fit(
            module,
            batches,
            seed=seeding.seed_for(seed, 0, "training"),
            name=name,
            scratch=scratch,
            callback=callback,
        )


@dataclass(frozen=True, kw_only=True)
class LabeledPlan(Plan):
    """A plan whose epoch is one pass over the labeled inputs.

    match_steps: an epoch has as many steps as WAAL's, whose pass is over the unlabeled ones while these are more.
    steps: a training has so many, whatever is labeled and however many epochs these are; not with match_steps.
    """

    match_steps: bool = field(default=False, metadata={"label": True})
    steps: Iterations | None = None

    def __post_init__(self) -> None:
        if self.match_steps and self.steps is not None:
            raise UserError(
                f"learner.steps={self.steps} and learner.match_steps=true both say how long: use one of them"
            )

    def labeled_batches(self, pool: Pool, model: Network, seed: int, epochs: int | None = None) -> LabeledBatches:
        """The labeled inputs of the whole training, in batches that `model` can be trained on.

        seed: of the learner's whole fit. epochs: other than the plan's. Raises UserError for too few of them, or
        batches too small, see `least_batch`.
        """
        inputs, labels = pool.training_set()
        least = least_batch(model, len(labels), self.batch_size, pool.inputs.shape[1:], on_maps=labels.dim() > 1)
        larger = max(len(labels), len(pool.unlabeled))
        return LabeledBatches(
            inputs,
            labels,
            batch_size=self.batch_size,
            epochs=epochs or self.epochs,
            seed=seeding.seed_for(seed, 0, "batches"),
            augmentation=self.augmentation,
            last_batch=self.last_batch,
            least=least,
            per_epoch=steps_of_a_pass(larger, self.batch_size, least) if self.match_steps else None,
            steps=self.steps,
        )
