"""What a tracker shows of one cycle: its numbers, and the images that it synthesized."""

from collections.abc import Mapping
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from al_bench.active.inputs import Inputs
from al_bench.storage.query_record import QueryRecord
from al_bench.storage.record import CycleRecord
from al_bench.tracking.naming import AXIS, cost_key, metric_key

_MOST_IMAGES = 10  # of one cycle


def numbers(record: CycleRecord, tensors: Mapping[str, Tensor]) -> dict[str, Any]:
    """A cycle's figures by the names under which W&B draws them; what has no value is left out.

    Metrics of the test images, what each part cost, and of the query the mean of all that was measured in it.
    """
    trace = {
        f"query/{name.removeprefix('trace.')}": float(tensor.mean())
        for name, tensor in tensors.items()
        if name.startswith("trace.") and tensor.ndim == 1 and tensor.is_floating_point()
    }
    costs = {cost_key(part, name): value for part, cost in record.costs.items() for name, value in cost}
    found = {
        AXIS: record.annotations,
        "unlabeled": record.unlabeled,
        **{metric_key(name): value for name, value in record.metrics.items()},
        "query/entropy": record.chosen_entropy,
        **trace,
        **costs,
    }
    return {name: value for name, value in found.items() if value is not None}


def pictures(record: CycleRecord, tensors: Mapping[str, Tensor], images: Inputs) -> list[tuple[Image.Image, str]]:
    """The first images that a cycle synthesized, each left of its match where one was asked for, with what to say.

    images: (N, C, H, W) uint8 of the training split. Empty where nothing was synthesized or it is not images.
    """
    made = synthesized(tensors)
    if made is None:
        return []
    rows, indices = made[:_MOST_IMAGES], record.query.indices
    if indices is not None:
        matches = images[torch.tensor(indices[:_MOST_IMAGES], device=images.device)].cpu()
        rows = torch.cat([rows, matches], dim=3)
    return [(_image(row), _caption(record.query, number)) for number, row in enumerate(rows)]


def synthesized(tensors: Mapping[str, Tensor]) -> Tensor | None:
    """(Q, C, H, V * W) uint8, the V images of an annotation in a row; None where a cycle has none."""
    found = tensors.get("trace.generated")
    found = tensors.get("shown", tensors.get("synthetic")) if found is None else found.unsqueeze(1)
    if found is None or found.ndim != 5 or found.dtype != torch.uint8:
        return None
    return found.movedim(1, 3).flatten(3)  # (Q, V, C, H, W) -> (Q, C, H, V * W)


def _image(pixels: Tensor) -> Image.Image:
    """(C, H, W) uint8 of 1 or 3 channels; W&B itself would stretch the range of an array."""
    return Image.fromarray((pixels[0] if len(pixels) == 1 else pixels.movedim(0, 2)).numpy())


def _caption(query: QueryRecord, row: int) -> str:
    words = {"match": query.indices, "rank": query.ranks, "label": query.labels}
    return ", ".join(f"{word} {rows[row]}" for word, rows in words.items() if rows is not None)
