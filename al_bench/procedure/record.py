"""What is kept of a cycle: plain values for a person, tensors for the next run of the same command."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from al_bench.active import scores
from al_bench.active.pool import Pool
from al_bench.active.query import Lowest, PoolQuery, Query, SyntheticQuery
from al_bench.evaluator import Evaluation
from al_bench.network import Network
from al_bench.network.predict import predict, stream
from al_bench.oracle import Oracle
from al_bench.storage.commit import current_commit
from al_bench.storage.hardware import current_machine
from al_bench.storage.query_record import LowestRecord, QueryRecord
from al_bench.storage.record import CycleRecord, Measurement, PartCost
from al_bench.training.cost import Cost


@dataclass(frozen=True)
class Guesses:
    """What the model that chose a query makes of its rows; (Q,) each. entropies: predictive, in nats. classes: the most
    likely ones; of_guess, of_answer: their probability, and that of the label, NaN where there is none; None where
    labels are no classes, or of synthetic inputs."""

    entropies: Tensor
    classes: Tensor | None = None
    of_guess: Tensor | None = None
    of_answer: Tensor | None = None


def guess_chosen(model: Network | None, pool: Pool, query: Query, labels: Tensor) -> Guesses | None:
    """By the model that chose it, which has seen none of these labels; None for initial ones, which no model chose."""
    if model is None:
        return None
    if isinstance(query, SyntheticQuery):
        rows = query.synthetic.flatten(0, 1)
        parts = [scores.entropy(logits) for logits in stream(model.acquisition_logits, model, rows)]
        return Guesses(torch.cat(parts).unflatten(0, query.synthetic.shape[:2]).mean(1))
    if labels.ndim > 1:
        return Guesses(predict(model, pool.inputs, query.indices, scores.entropy))
    found, first = [], 0
    for logits in stream(model.acquisition_logits, model, pool.inputs, query.indices):
        found.append(_guess(logits, labels[first : first + len(logits)].to(logits.device)))
        first += len(logits)
    return Guesses(*(torch.cat(parts) for parts in zip(*found, strict=True)))


def _guess(logits: Tensor, labels: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """`Guesses` of a batch of (B, K) logits with (B,) labels."""
    probs = logits.float().softmax(1)
    of_guess, classes = probs.max(1)
    known = labels < probs.shape[1]  # a class that was added since has no probability
    of_answer = probs.gather(1, (labels.clamp(min=0) * known)[:, None])[:, 0] * known
    of_answer = of_answer.masked_fill(labels < 0, torch.nan)
    return scores.entropy(logits), classes, of_guess, of_answer


def record_cycle(
    cycle: int,
    pool: Pool,
    query: Query,
    labels: Tensor,
    guesses: Guesses | None,
    evaluation: Evaluation,
    costs: Mapping[str, Cost],
    validation_labels: int,
    observed: Mapping[str, list[float]],
    skipped_pictures: int = 0,
) -> CycleRecord:
    """One cycle's record. guesses: see `guess_chosen`; the last three: see `CycleRecord`."""
    return CycleRecord(
        index=cycle,
        annotations=pool.annotations,
        unlabeled=len(pool.unlabeled),
        validation_labels=validation_labels,
        metrics=_plain(evaluation.metrics),
        test_images=None if evaluation.correct is None else len(evaluation.correct),
        chosen_entropy=None if guesses is None else float(guesses.entropies.mean()),
        class_counts=pool.class_counts(),
        query=_record_query(query, labels, guesses),
        trace={name: _plain(rows) for name, rows in query.trace.items() if is_plain(rows)},
        observed=_plain(dict(observed)),
        losses={
            name: {key: _plain(torch.tensor(values)) for key, values in losses.items()}
            for name, losses in costs["fit"].losses.items()
        },
        skipped_pictures=skipped_pictures,
        effort=_record_costs(costs),
        commit=current_commit(),
        machine=current_machine(),
        measured_by=evaluation.measured_by or None,
    )


def _record_query(query: Query, labels: Tensor, guesses: Guesses | None) -> QueryRecord:
    return QueryRecord(
        indices=_plain(query.indices) if isinstance(query, PoolQuery) else None,
        labels=_plain(labels) if labels.dtype == torch.int64 else None,
        scores=_plain(query.scores),
        ranks=_plain(query.ranks) if isinstance(query, PoolQuery) else None,
        entropies=_plain(guesses.entropies) if guesses else None,
        guesses=_plain(guesses.classes) if guesses else None,
        of_guess=_plain(guesses.of_guess) if guesses else None,
        of_answer=_plain(guesses.of_answer) if guesses else None,
        lowest=_record_lowest(query.lowest) if isinstance(query, PoolQuery) else None,
    )


def _record_lowest(lowest: Lowest | None) -> LowestRecord | None:
    return None if lowest is None else LowestRecord(indices=_plain(lowest.indices), scores=_plain(lowest.scores))


def record_measurement(
    finished: str,
    metrics: Mapping[str, Any],
    tables: Mapping[str, Mapping[str, Any]],
    costs: Mapping[str, Cost],
    skipped_pictures: int = 0,
) -> Measurement:
    """All that a procedure without cycles found; of the arguments see `Measurement`."""
    return Measurement(
        metrics=_plain(dict(metrics)),
        tables=_plain({name: dict(table) for name, table in tables.items()}),
        finished=finished,
        skipped_pictures=skipped_pictures,
        effort=_record_costs(costs),
        commit=current_commit(),
        machine=current_machine(),
    )


def _record_costs(costs: Mapping[str, Cost]) -> dict[str, PartCost]:
    return {part: PartCost.model_validate(cost.plain()) for part, cost in costs.items()}


def is_plain(rows: Tensor) -> bool:
    """Whether a trace is one number per row, so that it goes into the record: images stay tensors."""
    return rows.ndim == 1 and rows.is_floating_point()


def tensors_of(query: Query, labels: Tensor | None, evaluation: Evaluation) -> dict[str, Tensor]:
    """What of a cycle is too large or too exact for JSON; of each test image a bit, 1 where it is right, eight to a
    byte, and `predicted` and `samples`, see `Evaluation`. labels: None where the oracle gives the same again."""
    asked = {"synthetic": query.synthetic, "shown": query.shown} if isinstance(query, SyntheticQuery) else {}
    correct = None if evaluation.correct is None else torch.from_numpy(np.packbits(evaluation.correct.numpy()))
    seen = {"correct": correct, "predicted": evaluation.predicted, "samples": evaluation.samples}
    found = {**asked, "labels": labels, **seen}
    return {
        **{name: tensor for name, tensor in found.items() if tensor is not None},
        **{f"trace.{name}": tensor for name, tensor in query.trace.items()},
    }


def tensors_in_cell(record: CycleRecord, is_truth: bool) -> dict[str, Tensor] | None:
    """What an exported cycle tells of `tensors_of`; None where its answers are not in it. is_truth: whether the oracle
    gives them again."""
    kept = {} if record.correct is None else {"correct": torch.tensor(record.correct, dtype=torch.uint8)}
    if is_truth:
        return kept
    labels = record.query.labels
    return None if labels is None else {**kept, "labels": torch.tensor(labels, dtype=torch.int64)}


def answered(
    record: CycleRecord, tensors: Mapping[str, Tensor], device: torch.device, oracle: Oracle
) -> tuple[Query, Tensor]:
    """A stored cycle's query and its labels, without what was measured.

    oracle: gives the labels where they are the truth and so not stored; cells from before that hold them all.
    """
    synthetic, labels = tensors.get("synthetic"), tensors.get("labels")
    indices = torch.tensor(record.query.indices or [], dtype=torch.int64)
    query = PoolQuery(indices) if synthetic is None else SyntheticQuery(synthetic.to(device))
    return query, oracle.label(query) if labels is None else labels


def _plain(value: Any) -> Any:
    """Tensors as lists; NaN, which JSON has no word for, as None."""
    if isinstance(value, Tensor) and value.dtype == torch.float32:
        return _plain(_shortest(value))
    if isinstance(value, Tensor):
        return _plain(value.tolist())
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _shortest(rows: Tensor) -> Any:
    """As `tolist`, each number by the fewest digits that lead back to the same float32: half as many."""
    texts = rows.detach().cpu().numpy().astype(str)
    return texts.astype(float).tolist()
