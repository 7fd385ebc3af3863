"""`keep_weights=all` says where it comes too late."""

import forked
import pytest
import torch
from made_runs import made_record

from al_bench.storage.cycle import Cycle
from al_bench.storage.kept_models import warn_of_gone
from al_bench.storage.store import RunStore

SMOKE = ("dataset=digits", "scale=smoke", "gan=none", "device=cpu", "tracking=none", "strategy=random")
TOLD = "keep_weights=all comes too late for {} of {} of "


def stored(folder, count, **options):
    """The records of a run whose cycles have a model."""
    with RunStore(folder, {"seed": 0}, {"commit": "abc"}, **options) as store:
        for index in range(count):
            store.write(Cycle(made_record(index=index), {}, {"w": torch.zeros(1)}))
        return store.records


@pytest.mark.parametrize(("kept", "asked", "gone"), [("last", "all", 2), ("last", "last", 0), ("all", "all", 0)])
def test_models_that_were_taken_away_are_told_of_where_all_are_asked_for(tmp_path, caplog, kept, asked, gone):
    warn_of_gone(tmp_path, stored(tmp_path, 4, keep_weights=kept), asked)
    assert (TOLD.format(f"{gone} cycles", 4) in caplog.text) == bool(gone), caplog.text


def test_a_cycle_without_a_model_lacks_none_and_an_exported_one_does(tmp_path, caplog):
    with RunStore(tmp_path, {"seed": 0}, {"commit": "abc"}) as store:
        store.write(Cycle(made_record(index=0), {}, None))
        warn_of_gone(tmp_path, store.records, "all")
    assert not caplog.text
    warn_of_gone(tmp_path / "elsewhere", [made_record(index=0)], "all")
    assert TOLD.format("1 cycle", 1) + str(tmp_path / "elsewhere") in caplog.text


def test_of_cycles_that_a_run_went_on_from_it_is_said_too(tmp_path, caplog):
    """Those of an exported cell, whose last model alone is trained again."""
    with RunStore(tmp_path, {"seed": 0}, {"commit": "abc"}, keep_weights="all") as store:
        weights = ({}, {}, {"w": torch.zeros(1)})
        store.adopt([Cycle(made_record(index=index), {}, one) for index, one in enumerate(weights)])
        warn_of_gone(tmp_path, store.records, "all")
    assert TOLD.format("2 cycles", 3) in caplog.text


@pytest.mark.slow
def test_a_run_and_a_sweep_say_it(tmp_path):
    own = (*SMOKE, f"paths.outputs={tmp_path}")
    assert forked.run(*own).returncode == 0
    for again in (forked.run(*own, "keep_weights=all"), forked.run("-m", *own, "keep_weights=all")):
        assert again.returncode == 0 and "keep_weights=all comes too late for " in again.stdout, again.stdout
