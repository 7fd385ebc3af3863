"""A folder of pictures, and a run that a person labels."""

from pathlib import Path

import numpy as np
import pytest
from composing import compose
from pictures import save
from procedure.labeling.person import FAST, Person

from al_bench.active.part import hash_of
from al_bench.config.identity import identify
from al_bench.oracle.human import Human
from al_bench.storage.record import CycleRecord
from al_bench.storage.store import RunStore
from run import instantiated


@pytest.fixture
def pictures(tmp_path) -> Path:
    """Twenty red ones and twenty blue ones, some in a folder of their own."""
    root = tmp_path / "pictures"
    for number in range(20):
        for place, color in enumerate(("red", "", "blue")):
            if color:
                pixels = np.random.default_rng(number + place).integers(0, 90, (8, 8, 3), dtype=np.uint8)
                pixels[..., place] += 100
                save(root / ("deeper" if number % 2 else "") / f"{color}-{number}.png", pixels)
    return root


@pytest.fixture
def label(tmp_path, pictures, monkeypatch):
    """Runs, or goes on with, a run that a person labels; gives its records."""

    def start(*overrides: str, before=lambda person, times: None, classes="[red,blue]") -> list[CycleRecord]:
        config = compose(
            "dataset=image_folder", f"dataset.root={pictures}", f"dataset.class_names={classes}", "oracle=human",
            "strategy=margin", "oracle.audit_size=8", "oracle.ahead=6", *FAST, f"paths.outputs={tmp_path}",
            "device=cpu", "tracking=none", *overrides,
        )  # fmt: skip
        identity = identify(config)
        start.folder = tmp_path / hash_of(identity)
        start.person = Person(start.folder, before)
        monkeypatch.setattr(Human, "begin", lambda self, folder: None)
        monkeypatch.setattr(Human, "wait", lambda self, folder: start.person.wait())
        with RunStore(start.folder, identity, {}) as store:
            instantiated(config.procedure).run(store)
            return store.cycle_records

    return start
