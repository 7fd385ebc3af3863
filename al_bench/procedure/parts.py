"""What the active learning loop turns."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from al_bench.active.query import Query
from al_bench.dataset import Dataset
from al_bench.evaluator import Evaluation, Evaluator
from al_bench.learner import Learner
from al_bench.network import Network
from al_bench.oracle import Annotator
from al_bench.procedure.promises import held_evaluation
from al_bench.storage.model_file import Reads
from al_bench.strategy import Strategy
from al_bench.training.observation import Observer


@dataclass(frozen=True)
class Parts:
    """What the loop turns; all of it prepared.

    first_query: gives the initial labels' query. free_validation: labels of the validation split, where the learner
    looks at it, are not counted as annotations. observe_every: see `active_learning.Settings`.
    """

    dataset: Dataset
    strategy: Strategy
    learner: Learner
    oracle: Annotator
    evaluator: Evaluator
    first_query: Callable[[], Query]
    free_validation: bool = False
    observe_every: int | None = None

    @property
    def validation_labels(self) -> int:
        """How many labels of the validation split the learner looks at."""
        validation = self.dataset.validation
        return len(validation) if self.learner.validates and validation is not None else 0

    def evaluate(self, model: Network) -> Evaluation:
        """What the model is worth on the test split; no number, where there is no test image. Raises UserError for an
        evaluator that breaks its promise."""
        if len(self.dataset.test):
            found = self.evaluator.evaluate(model, self.dataset)
            return held_evaluation(self.evaluator, found, len(self.dataset.test))
        return Evaluation({metric.name: math.nan for metric in self.evaluator.scalars})

    def reads(self, model: Network) -> Reads:
        """What a model reads and answers."""
        dataset = self.dataset
        return Reads(
            shape=tuple(dataset.train.images.shape[1:]),
            class_names=dataset.class_names,
            maps=bool(dataset.map_shape),
            prefix=model.prefix,
            featured=dataset.featured,
        )

    def observer(self, seed: int) -> Observer | None:
        """What looks at a training; None where nobody asks for it."""
        if self.observe_every is None:
            return None
        return Observer(self._scalars, self.observe_every, seed, self.evaluator.scalars)

    def _scalars(self, model: Network) -> dict[str, float]:
        """Those metrics of a look that are one number."""
        found = self.evaluator.look(model, self.dataset)
        named = {metric.name: found.get(metric.name) for metric in self.evaluator.scalars}
        return {name: value for name, value in named.items() if isinstance(value, int | float)}
