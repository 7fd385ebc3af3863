"""What takes long in a run, and the most of it that a cell of scale=smoke may have."""

from collections.abc import Iterator
from typing import Any

MOST = {  # by the last names of the keys; epochs are 1, and 4 for who trains as long as MAL; iterations are 3, and 1.7
    # times as many for who does as adversarial sampling
    "max_images": 200, "max_held_out": 200, "base": 200, "epochs": 4, "iterations": 5, "steps": 3, "samples": 100,
    "repeats": 1, "sizes": 2, "max_cycles": 2, "initial_size": 20, "query_size": 10, "generator.channels": 64,
    "discriminator.channels": 64, "deepfool.strategy.max_iter": 3, "strategy/deepfool.max_iter": 3,
}  # fmt: skip
COUNTED_ELSE = ("feature.epochs", "feature.iterations", "learner.steps")  # a length is in one of two, the other is null


def lengths(node: Any, path: str = "") -> Iterator[tuple[str, str, float]]:
    """Each value in plain containers that `MOST` bounds: where it is, by which key, and itself, of a list the largest;
    of one that cuts nothing infinity."""
    own = node.get("part", "").partition("@")[0] if isinstance(node, dict) else ""
    for key, value in node.items() if isinstance(node, dict) else enumerate(node):
        names = [f"{path}.{key}", f"{own}.{key}"]
        bound = next((most for most in MOST if any(f".{name}".endswith(f".{most}") for name in names)), None)
        if isinstance(value, dict) or (isinstance(value, list) and bound is None):
            yield from lengths(value, f"{path}.{key}")
        elif bound is not None and not isinstance(value, str):
            largest = max(value) if isinstance(value, list) else float("inf") if value is None else value
            yield f"{path}.{key}", bound, largest


def too_long(node: Any, *, unless: tuple[str, ...] = ()) -> list[str]:
    return [
        f"{path} = {value}"
        for path, bound, value in lengths(node)
        if value > MOST[bound] and not (value == float("inf") and path.endswith(unless))
    ]
