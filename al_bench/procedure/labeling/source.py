"""Where the loop's labels come from in a run with a person: it asks ahead, and takes what was answered by then."""

from collections.abc import Mapping
from dataclasses import replace

import torch

from al_bench.active.pool import UNKNOWN, Pool
from al_bench.active.view import InputsView
from al_bench.dataset import Dataset, Split
from al_bench.errors import UserError
from al_bench.files import read_json, write_json
from al_bench.network import Network
from al_bench.procedure.labeling.asking import Asking
from al_bench.procedure.labeling.session import Labels
from al_bench.procedure.loop import Given, restore_model
from al_bench.storage.grown import TAKEN
from al_bench.storage.store import RunStore
from al_bench.training.cost import Cost

_LINES = "answers_read"  # among a cycle's tensors: of labels.jsonl


class FromPerson:
    """The loop's source of labels: a cycle begins once enough was answered of what was asked that no cycle has seen."""

    grows = True

    def __init__(self, asking: Asking) -> None:
        self.asking = asking
        self.parts, self.person, self.session = asking.parts, asking.person, asking.session
        self._held: Mapping[int, int] = {}  # what the last cycle was trained on

    def restore(self, store: RunStore) -> tuple[Pool, Network | None]:
        """As `LabelSource.restore` says it."""
        if (last := store.last) is None:
            return self._pool(replace(self.session.labels(0), class_names=self.session.class_names)), None
        labels = self.session.labels(int(store.tensors(last.index)[_LINES]))
        self._held = _by_position(labels)
        then = Pool.unlabeled_from(self.parts.dataset.train.images, len(last.class_counts))
        return self._pool(labels), restore_model(store, self.parts, then, self.asking.seed)

    def give(self, cycle: int, model: Network | None, pool: Pool) -> Given | None:
        """As `LabelSource.give` says it; returns once there are answers enough, after a kill those that were taken."""
        cost = self.asking.ask(cycle, model, pool)
        labels = self._taken_before(cycle)
        if labels is None and self._is_exhausted(self.session.labels()):
            return None
        self.person.begin(self.session.folder)
        while labels is None:
            found = self._next_labels()
            if not self.asking.unanswered() and not self._asks_next(found):
                cost.add(self.asking.ask(cycle, model, self._pool(found)))
            if self._is_exhausted(found):
                return None
            if self._is_enough(found):
                labels = found
                write_json(self.session.folder / TAKEN, {"cycle": cycle, "lines": labels.num_lines})
            else:
                self._wait_for_more(found)
        return self._given(labels, cost)

    def _next_labels(self) -> Labels:
        self.session.read_new()
        return self.session.labels()

    def _wait_for_more(self, found: Labels) -> None:
        """Returns once there are other lines than these labels are from: nothing else makes them enough, and looking
        through a hundred thousand takes a core while the person labels."""
        self.person.wait(self.session.folder)
        while self.session.answers.num_lines == found.num_lines and not self.session.read_new():
            self.person.wait(self.session.folder)

    def _given(self, labels: Labels, cost: Cost) -> Given:
        held = _by_position(labels)
        new = {place: label for place, label in held.items() if self._held.get(place) != label}
        self._held = held
        pool = self._pool(labels)
        query, answers = self.asking.query(list(new)), torch.tensor(list(new.values()), dtype=torch.int64)
        kept = {_LINES: torch.tensor(labels.num_lines)}
        self.asking.say_training(len(labels.positions))
        return Given(query, answers.to(pool.device), pool, self._dataset(labels), cost, kept)

    def _taken_before(self, cycle: int) -> Labels | None:
        """The answers that a cycle had taken before its training was killed, so that it goes on as it was."""
        path = self.session.folder / TAKEN
        try:
            taken = read_json(path)
            lines = int(taken["lines"]) if taken["cycle"] == cycle else 0
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return None
        if not 0 < lines <= self.session.answers.num_lines:
            return None
        labels = self.session.labels(lines)
        return labels if self._num_changed(labels) else None

    def _is_exhausted(self, labels: Labels) -> bool:
        """Whether a cycle has all answers, and no picture is left that can be shown."""
        return bool(self._held) and self._held == _by_position(labels) and not self.asking.unanswered()

    def _asks_next(self, labels: Labels) -> bool:
        """Whether nobody labels beside a training, so that the model that can be trained now asks, not the last."""
        known = labels.labels[labels.labels != UNKNOWN].unique()
        return self.person.ahead == 0 and len(known) >= 2 and self._has_number(labels)

    def _has_number(self, labels: Labels) -> bool:
        """Whether there are as many labels as a cycle begins with; what the person could not tell is none."""
        wanted = self.asking.query_size if self._held else self.asking.initial_size
        return self._num_changed(labels, told=True) >= wanted

    def _is_enough(self, labels: Labels) -> bool:
        """Whether a cycle can begin. Raises UserError where it never will."""
        left = self.asking.unanswered()
        known = labels.labels[labels.labels != UNKNOWN].unique()
        if not left and len(known) < 2:
            raise UserError(
                f"every picture to train on ({len(labels.positions):,}) is answered, and fewer than two classes are "
                f"among them, which teaches nothing: put more pictures into {self.session.pictures.root}, or take "
                f"answers back by python scripts/annotate.py {self.session.folder}"
            )
        if any(one.audit for one in left):
            return False
        left_over = not left and (not self._held or self._num_changed(labels) > 0)
        return len(known) >= 2 and (self._has_number(labels) or left_over)

    def _num_changed(self, labels: Labels, told: bool = False) -> int:
        """How many of the labels to train on the last cycle had not, or others in their place. told: of those alone
        that the person could tell."""
        changed = (label for place, label in _by_position(labels).items() if self._held.get(place) != label)
        return sum(not told or label != UNKNOWN for label in changed)

    def _pool(self, labels: Labels) -> Pool:
        pool = Pool.unlabeled_from(self.parts.dataset.train.images, len(labels.class_names))
        return replace(
            pool,
            labeled=labels.positions.to(pool.device),
            labels=labels.labels.to(pool.device),
            annotations=labels.annotations,
            withheld=self.session.withheld(self.session.images.broken).to(pool.device),
        )

    def _dataset(self, labels: Labels) -> Dataset:
        """With the audit set's answers, those that the person could tell, as the test split."""
        names = labels.class_names
        dataset = replace(self.parts.dataset, num_classes=len(names), class_names=names)
        told = labels.audit_labels != UNKNOWN
        rows, images = labels.audited[told].to(dataset.train.images.device), dataset.train.images
        none = torch.empty((0, *images.shape[1:]), dtype=images.dtype, device=images.device)
        return replace(dataset, test=Split(InputsView(images, none, rows), labels.audit_labels[told].to(images.device)))


def _by_position(labels: Labels) -> dict[int, int]:
    """The labels to train on, in the order in which they were given."""
    return dict(zip(labels.positions.tolist(), labels.labels.tolist(), strict=True))
