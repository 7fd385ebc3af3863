"""al_bench: adversarial active learning, reproduced, compared and used."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from al_bench.api import results, run

__all__ = ["results", "run"]


def __getattr__(name: str) -> Any:
    """`results` and `run`, which nothing is imported for until one of them is asked for."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from al_bench import api

    return getattr(api, name)
