"""What a person is asked: pictures ahead of the model that is being trained, and what is known so far."""

import logging
import math
from collections.abc import Sequence
from dataclasses import replace
from statistics import median
from typing import Literal

import torch
from torch import Tensor

from al_bench import seeding
from al_bench.active.pool import UNKNOWN, Pool
from al_bench.active.query import PoolQuery
from al_bench.active.view import in_memory
from al_bench.errors import UserError, amount
from al_bench.network import Network
from al_bench.network.predict import predict
from al_bench.oracle import Person
from al_bench.procedure.compatibility import find_missing
from al_bench.procedure.labeling.known import curve_of, forecast_sentence, second_looks
from al_bench.procedure.labeling.session import Session
from al_bench.procedure.loop import finite
from al_bench.procedure.parts import Parts
from al_bench.storage.asked import Asked, AskedPicture, read_asked, write_asked
from al_bench.storage.store import RunStore
from al_bench.strategy import ask_strategy
from al_bench.training.cost import Cost, measure_cost

logger = logging.getLogger(__name__)

_MOST_AHEAD = 1000  # pictures, however fast a person is
_RECENT = 50  # answers by which a person's pace is told
_SPARE = 1.5  # how many times as long as the last cycle took the pictures ahead should last


class Asking:
    """Keeps `query.json`.

    query_size: how many answers a cycle begins with; initial_size: the first one, beside the audit set's.
    asked: by position, in the order to show them: all that no stored cycle has an answer to.
    """

    def __init__(
        self,
        parts: Parts,
        person: Person,
        session: Session,
        store: RunStore,
        query_size: int,
        initial_size: float,
        seed: int,
    ) -> None:
        self.parts, self.person, self.session, self.store = parts, person, session, store
        self.query_size, self.initial_size, self.seed = query_size, initial_size, seed
        self.asked = self._asked_before()
        self._scores = {place: one.score for place, one in self.asked.items()}  # of what is asked no more, too

    def unanswered(self) -> list[AskedPicture]:
        """What waits for an answer and can be shown."""
        return [one for one in self._shown() if self.session.answers.answer(one.position) is None]

    def _shown(self) -> list[AskedPicture]:
        """All that is asked but pictures that are gone or cannot be read."""
        hidden = self.session.list.gone | set(self.session.images.broken.tolist())
        return [one for place, one in self.asked.items() if place not in hidden]

    def ask(self, cycle: int, model: Network | None, pool: Pool) -> Cost:
        """Asks for as many pictures as are to stand ready, by the model, which is the last cycle's and was trained on
        the pool; returns what choosing cost."""
        self.session.read_new()
        self._forget(pool)
        self.session.images.away.intersection_update(self.session.left_out)  # others that could not be read may be back
        with measure_cost() as cost, finite(f"cycle {cycle}, seed {self.seed}"):
            waiting = sum(not one.audit for one in self.asked.values()) if self.unanswered() else 0
            rest = _without(pool, list(self.asked))
            size = min(self._wanted(cycle, pool) - waiting, len(rest.unlabeled))
            if size > 0:
                self._add(self._choose(cycle, model, rest, size), None if model is None else cycle - 1)
        self._guess(model)
        self._say("waiting", self._what_follows(cycle, pool))
        return cost

    def query(self, positions: Sequence[int]) -> PoolQuery:
        """What was asked and is answered now, with the scores that it was chosen by, NaN where it was drawn."""
        scores = [math.nan if (score := self._scores.get(place)) is None else score for place in positions]
        known = not all(map(math.isnan, scores))
        device = self.parts.dataset.train.images.device
        indices = torch.tensor(positions, dtype=torch.int64, device=device)
        return PoolQuery(indices, scores=torch.tensor(scores) if known else None)

    def say_training(self, count: int) -> None:
        """Says that a model is being trained on so many answers."""
        self._say("training", f"A model is being trained on {amount(count, 'answer')}: go on labeling.")

    def say_finished(self, reason: str) -> None:
        """Says that nothing more is asked, and why."""
        self._say("finished", f"The run is finished: {reason}. What you answer now is kept.")

    def _asked_before(self) -> dict[int, AskedPicture]:
        try:
            before = read_asked(self.session.folder)
        except UserError as error:
            logger.warning(error)
            before = None
        names = self.session.list.names  # by now
        asked = [one for one in before.pictures if one.position < len(names)] if before else []
        return {one.position: one.model_copy(update={"file": names[one.position]}) for one in asked}

    def _forget(self, pool: Pool) -> None:
        """What a cycle was trained on is asked no more, nor what of the audit set is answered; what was taken back, and
        the audit set's others, are asked."""
        answer, trained = self.session.answers.answer, set(pool.labeled.tolist())
        audit = {place: one for place in self.session.drawn if answer(place) is None and (one := self._new(place))}
        back = {
            place: self._new(place) for place in self.session.answers.taken_back() if place < len(self.session.list)
        }
        kept = {place: one for place, one in self.asked.items() if place not in trained and not one.audit}
        self.asked = {**audit, **back, **kept}

    def _new(self, place: int, asked_by: int | None = None, score: float | None = None) -> AskedPicture:
        audit = place in self.session.audit
        return AskedPicture(
            position=place, file=self.session.list.names[place], audit=audit, asked_by=asked_by, score=score
        )

    def _wanted(self, cycle: int, pool: Pool) -> int:
        """How many pictures are asked for and not trained on: those of the cycle, and those to label meanwhile. What
        the person could not tell counts as none of the cycle's."""
        told = int((pool.labels != UNKNOWN).sum())
        needed = max(0.0, self.initial_size - told)
        if cycle and (last := self.store.last) is not None:
            needed = min(self.query_size, max(1, self.query_size - told + sum(last.class_counts)))
        return int(min(needed + self._ahead(), len(pool)))

    def _ahead(self) -> int:
        recent = [one.seconds for one in self.session.answers.given()[-_RECENT:] if one.seconds]
        if self.store.last is None or not recent:
            return self.person.ahead
        took = sum(cost.seconds for cost in self.store.last.costs.values())
        return max(self.person.ahead, min(_MOST_AHEAD, math.ceil(_SPARE * took / median(recent))))

    def _choose(self, cycle: int, model: Network | None, pool: Pool, size: int) -> PoolQuery:
        if model is None:
            return self._choose_first(pool, size)
        rng = seeding.generator(seeding.seed_for(self.seed, cycle, "query"))
        candidates = self._candidates(pool, size, rng)
        query = ask_strategy(self.parts.strategy, model, candidates, size, rng)
        assert isinstance(query, PoolQuery)  # of strategies that synthesize a person is not asked
        return query

    def _choose_first(self, pool: Pool, size: int) -> PoolQuery:
        """Without a model: of features by the `first` strategy, which begins at one that is drawn and looks at as many
        as a query does; else drawn."""
        rng = seeding.generator(seeding.seed_for(self.seed, 0, "initial"))
        drawn = pool.unlabeled[torch.randperm(len(pool.unlabeled), generator=rng).to(pool.device)]
        untrained = self.parts.learner.empty(pool, self.seed).to(pool.device).eval()
        if (
            pool.inputs.dtype == torch.uint8
            or size == 1
            or find_missing(self.person.first, self.parts.learner, untrained)
        ):
            return PoolQuery(drawn[:size])
        candidates = self._candidates(_without(pool, drawn[:1].tolist()), size - 1, rng)
        rest = self.person.first.query(untrained, candidates, size - 1, rng)
        assert isinstance(rest, PoolQuery)
        return PoolQuery(torch.cat([drawn[:1], rest.indices]))

    def _candidates(self, pool: Pool, size: int, rng: torch.Generator) -> Pool:
        """The pool with as many unlabeled pictures as a query looks at, drawn."""
        most, free = self.person.candidates, pool.unlabeled
        if most is None or len(free) <= max(most, size) or in_memory(pool.inputs):
            return pool
        others = free[torch.randperm(len(free), generator=rng).to(free.device)[max(most, size) :]]
        return replace(pool, withheld=others if pool.withheld is None else torch.cat([pool.withheld, others]))

    def _add(self, query: PoolQuery, asked_by: int | None) -> None:
        scores = [None] * query.size if query.scores is None else query.scores.tolist()
        for place, score in zip(query.indices.tolist(), scores, strict=True):
            self._scores[place] = score if score is not None and math.isfinite(score) else None
            self.asked[place] = self._new(place, asked_by, self._scores[place])

    def _guess(self, model: Network | None) -> None:
        """What the model takes for what all that waits, but for the audit set."""
        waiting = [one for one in self.unanswered() if not one.audit]
        if model is None or not waiting:
            return
        images = self.parts.dataset.train.images
        positions = torch.tensor([one.position for one in waiting], device=images.device)
        found = predict(model, images, positions, _most_probable)
        for one, (probability, label) in zip(waiting, found.tolist(), strict=True):
            known = {"guess": self.session.class_names[int(label)], "probability": min(1.0, probability)}
            self.asked[one.position] = one.model_copy(update=known)

    def _what_follows(self, cycle: int, pool: Pool) -> str:
        if cycle:
            first = sum(one.audit for one in self.unanswered())
            audit = f", with {amount(first, 'picture')} of the audit set answered" if first else ""
            return f"The next model is trained on {amount(self.query_size, 'answer')} more than the last one{audit}."
        audit = f"the {amount(len(self.session.audit), 'picture')} of the audit set and " if self.session.audit else ""
        first = int(min(self.initial_size, len(pool) - len(self.session.audit)))
        others = amount(first, "more picture")
        return f"The first model is trained with {audit}{others} answered, with two classes among them."

    def _say(self, state: Literal["training", "waiting", "finished"], said: str) -> None:
        records, count = self.store.cycle_records, len(self.session.list) - len(self.session.list.gone)
        audited = len(self.session.audit)
        asked = Asked(
            root=str(self.session.pictures.root),
            classes=list(self.session.class_names),
            pictures=self._shown(),
            audit_size=audited,
            state=state,
            said=said,
            annotations=records[-1].annotations if records else 0,
            cycle=records[-1].index if records else None,
            curve=curve_of(records),
            second_looks=second_looks(records, self.session),
            forecast=forecast_sentence(records, count - audited, self.person.goal),
        )
        write_asked(self.session.folder, asked)


def _without(pool: Pool, positions: Sequence[int]) -> Pool:
    """The pool as if these were annotated, by someone who could not tell."""
    places = torch.tensor(positions, dtype=torch.int64, device=pool.device)
    unknown = torch.full_like(places, UNKNOWN)
    return replace(pool, labeled=torch.cat([pool.labeled, places]), labels=torch.cat([pool.labels, unknown]))


def _most_probable(logits: Tensor) -> Tensor:
    """(B, 2) the largest probability and its class, of (B, K) logits."""
    probability, label = logits.float().softmax(1).max(1)
    return torch.stack([probability, label.float()], dim=1)
