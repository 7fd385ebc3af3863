"""Procedures: what one run does from beginning to end."""

from abc import ABC, abstractmethod

from al_bench.storage.store import RunStore


class Procedure(ABC):
    """One run; its parts are its arguments."""

    @abstractmethod
    def run(self, store: RunStore) -> None:
        """Does whatever is not stored yet."""
