"""The pool: what is labeled, in which order."""

from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import Tensor

from al_bench.active.inputs import Inputs, fingerprint
from al_bench.active.part import hash_of
from al_bench.active.query import Query, SyntheticQuery
from al_bench.active.view import InputsView

_COUNTED = 1 << 6  # labels that are counted at a time: maps as integers of 64 bits are eight times as large

UNKNOWN = -1  # the label of an annotation that the oracle could not give


@dataclass(frozen=True)
class Pool:
    """All training inputs and the labels bought so far; immutable. Hidden labels are not in it.

    inputs: (N, ...) of the whole training split. labeled: (L,) int64, the annotated positions in the order of
    annotation. labels: (L,) int64, or (L, H, W) uint8 label maps; UNKNOWN where the oracle could not tell. synthetic:
    (S, ...) labeled synthetic inputs, as `inputs` are stored. synthetic_labels: (S,) int64 or (S, H, W) uint8.
    annotations: what was paid for, at least L. synthetic_sizes: how many synthetic inputs each annotation of some
    has, in order: 11 for a line of ADBA. validation: inputs and labels that a learner may watch its training
    by, labels read by index too; None where it does not, and for strategies. withheld: (W,) int64 positions that are
    never asked for: of an audit set, of pictures that are gone; None: there are none.
    """

    inputs: Inputs
    num_classes: int
    labeled: Tensor
    labels: Tensor
    synthetic: Tensor
    synthetic_labels: Tensor
    annotations: int = 0
    synthetic_sizes: tuple[int, ...] = ()
    validation: tuple[Inputs, Inputs] | None = None
    withheld: Tensor | None = None

    @classmethod
    def unlabeled_from(cls, inputs: Inputs, num_classes: int, map_shape: tuple[int, ...] = ()) -> "Pool":
        """The pool before the first annotation; map_shape: (H, W) of the label maps, () for class labels."""
        device = inputs.device
        empty = torch.empty((0, *map_shape), dtype=torch.uint8 if map_shape else torch.int64, device=device)
        none = torch.empty(0, dtype=torch.int64, device=device)
        synthetic = torch.empty((0, *inputs.shape[1:]), dtype=inputs.dtype, device=device)
        return cls(inputs, num_classes, none, empty, synthetic, empty)

    def __len__(self) -> int:
        return len(self.inputs)

    @property
    def device(self) -> torch.device:
        """Where inputs and labels live, and so where a model is trained."""
        return self.inputs.device

    @cached_property
    def unlabeled(self) -> Tensor:
        """(U,) int64 positions that were never asked for and may be, ascending."""
        free = torch.ones(len(self.inputs), dtype=torch.bool, device=self.device)
        free[self.labeled] = False
        if self.withheld is not None:
            free[self.withheld] = False
        return free.nonzero().squeeze(1)

    @property
    def readable(self) -> Inputs:
        """(N', ...) all inputs but the withheld, for a learner that reads more than what is labeled."""
        if self.withheld is None:
            return self.inputs
        kept = torch.ones(len(self.inputs), dtype=torch.bool, device=self.device)
        kept[self.withheld] = False
        return InputsView(self.inputs, self.synthetic, kept.nonzero().squeeze(1))

    @property
    def answers_id(self) -> str:
        """A short hash of what is labeled, and how: what a training that was begun on it can be gone on with for."""
        answered = {"indices": self.labeled, "labels": self.labels, "made": self.synthetic, "of": self.synthetic_labels}
        return hash_of({name: fingerprint(tensor) for name, tensor in answered.items()})

    @property
    def writes(self) -> tuple[int, ...]:
        """How often each of its tensors was written into, of those of which torch keeps a count."""
        held = (self.inputs, self.labeled, self.labels, self.synthetic, self.synthetic_labels, self.unlabeled)
        return tuple(one._version for one in held if isinstance(one, Tensor) and not one.is_inference())

    def with_labels(self, query: Query, labels: Tensor) -> "Pool":
        """A pool that also holds the answers to a query.

        labels: (Q, ...) for a query of indices, (Q, V, ...) for synthetic inputs. Raises ValueError when an index was
        labeled before or occurs twice.
        """
        labels = labels.to(self.labels)
        paid = self.annotations + query.size
        if isinstance(query, SyntheticQuery):
            return replace(
                self,
                synthetic=torch.cat([self.synthetic, query.synthetic.flatten(0, 1).to(self.synthetic)]),
                synthetic_labels=torch.cat([self.synthetic_labels, labels.flatten(0, 1)]),
                synthetic_sizes=self.synthetic_sizes + (query.synthetic.shape[1],) * query.size,
                annotations=paid,
            )
        labeled = torch.cat([self.labeled, query.indices.to(self.labeled)])
        if len(labeled.unique()) < len(labeled):
            raise ValueError("a query returned an index twice or one that was labeled before")
        return replace(self, labeled=labeled, labels=torch.cat([self.labels, labels]), annotations=paid)

    def training_set(self) -> tuple[InputsView, Tensor]:
        """Inputs (L', ...) and labels (L', ...): all that a learner reads of labels. No image is read here.

        Pool images in order of annotation, then synthetic ones; those that the oracle could not label are left out.
        """
        made = _known(self.synthetic_labels).nonzero().squeeze(1)
        rows = torch.cat([self.labeled[_known(self.labels)], len(self.inputs) + made])
        return InputsView(self.inputs, self.synthetic, rows), self.training_labels()

    def lines(self) -> list[tuple[Tensor, Tensor]]:
        """Inputs (V, ...) and labels (V, ...) of each synthetic annotation, in its own order, UNKNOWN among them."""
        sizes = list(self.synthetic_sizes)
        return list(zip(self.synthetic.split(sizes), self.synthetic_labels.split(sizes), strict=True)) if sizes else []

    def training_labels(self) -> Tensor:
        """The labels of the training set, without reading an image."""
        return torch.cat([labels[_known(labels)] for labels in (self.labels, self.synthetic_labels)])

    def class_counts(self) -> list[int]:
        """How many labels of each class the training set holds, K numbers; pixels where labels are maps."""
        counts = torch.zeros(256 if self.labels.dim() > 1 else self.num_classes, dtype=torch.int64, device=self.device)
        for part in self.training_labels().split(_COUNTED):
            counts += torch.bincount(part.flatten(), minlength=len(counts))
        return counts[: self.num_classes].tolist()


def _known(labels: Tensor) -> Tensor:
    """(L,) bool: which annotations the oracle could give; all of them where labels are maps."""
    if labels.dtype == torch.int64:
        return labels != UNKNOWN
    return torch.ones(len(labels), dtype=torch.bool, device=labels.device)
