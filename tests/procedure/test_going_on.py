"""A run that goes on from an exported cell, which has no model, ends as one that was never cut."""

import pytest
from composing import compose
from forked import ROOT
from omegaconf import OmegaConf

from al_bench.active.part import hash_of
from al_bench.analysis.provenance import hardware_of, say_mixed
from al_bench.analysis.reading import stored
from al_bench.config.identity import identify
from al_bench.config.values import plain
from al_bench.files import digest
from al_bench.storage.cell import pack, unpack
from al_bench.storage.exported import export
from al_bench.storage.hardware import current_machine, hardware
from al_bench.storage.known import begun_cell, known_cycles
from al_bench.storage.record import without_sums
from al_bench.storage.store import RunStore
from run import describe, instantiated

FAST = ("gan=none", "learner.epochs=2", "loop.initial_size=20", "loop.query_size=15", "dataset.max_images=200")
CLOCKS = {"costs": {}, "commit": "", "losses": {}}  # losses travel with the last cycle alone
begun_cell_of = begun_cell


def composed(tmp_path, *overrides, budget):
    paths = (f"paths.outputs={tmp_path / 'outputs'}", f"paths.cells={tmp_path / 'cells'}", "device=cpu")
    return compose(*FAST, f"loop.budget={budget}", *paths, *overrides)


def run(tmp_path, *overrides, budget=65):
    """As `run.py` does it; returns the records without clocks, and the sum of the last model."""
    config = composed(tmp_path, *overrides, budget=budget)
    identity = identify(config)
    own = {key: value for key, value in config.items() if key != "hydra"}
    about = describe(config, plain(OmegaConf.create(own)), config.hydra.runtime.choices)
    with RunStore(
        tmp_path / "outputs" / about["label"] / hash_of(identity), identity, about, hardware=hardware
    ) as store:
        store.go_on()
        store.exported = begun_cell(tmp_path / "cells", identity)
        instantiated(config.procedure).run(store)
        found = [without_sums(record).model_copy(update=CLOCKS) for record in store.cycle_records]
        weights = store.weights(len(found) - 1)
    return found, digest(b"".join(weights[name].numpy().tobytes() for name in sorted(weights)))


def travel(tmp_path, there):
    """To a place that has the exported cell alone."""
    (path,) = export(tmp_path / "outputs", there / "cells")
    return path


@pytest.mark.parametrize(
    ("overrides", "first"),
    [
        (("strategy=entropy",), 50),
        (("strategy=entropy",), 40),  # its last query is cut, of 5 and not 15
        (("strategy=random", "oracle=noisy", "oracle.abstain=0.3"), 35),
        (("strategy=waal",), 35),
        (("strategy=mal", "learner.carry_over=false"), 35),
        (("strategy=entropy", "dataset=shapes_seg"), 35),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, tuple) else str(value),
)
def test_it_ends_as_an_uncut_one(tmp_path, caplog, overrides, first):
    caplog.set_level("INFO")
    uncut = run(tmp_path / "uncut", *overrides)
    run(tmp_path / "here", *overrides, budget=first)
    travel(tmp_path / "here", tmp_path / "there")
    assert run(tmp_path / "there", *overrides) == uncut
    last = 1 if first < 50 else 2
    assert f"going on from an exported cell: the model of its cycle {last} is trained again" in caplog.text
    assert f"going on after cycle {last}" not in caplog.text, "it was not stored here"
    (said,) = [line for line in caplog.messages if line.endswith("in the cell")]
    again, stored = said.split(" of cycle ")[0].split()[1], said.split(", ")[1].split()[0]
    assert again == stored, "on one processor it is the same model"
    assert not list((tmp_path / "there").rglob("*.corrupted*")), "nothing is set aside"


def test_what_was_stored_is_what_the_cell_says_and_travels_on(tmp_path):
    run(tmp_path / "here", "strategy=entropy", budget=35)
    cell = travel(tmp_path / "here", tmp_path / "there")
    known = begun_cell(cell.parent, identify(composed(tmp_path / "here", "strategy=entropy", budget=35)))
    run(tmp_path / "there", "strategy=entropy", budget=50)
    assert travel(tmp_path / "there", tmp_path / "there") == cell, "which has more cycles now"
    longer = begun_cell(cell.parent, identify(composed(tmp_path / "here", "strategy=entropy", budget=50)))
    assert [list(one.losses) for one in (*known, *longer)] == [[], ["classifier"], [], [], ["classifier"]]
    assert longer[0] == known[0], "seconds included"
    assert longer[1] == known[1].model_copy(update={"losses": {}})
    assert len(longer) == 3


def test_what_was_computed_elsewhere_stays_so(tmp_path):
    """Cycles of a cell from before each said its machine are of the one that its run names, here and where it goes."""
    run(tmp_path / "here", "strategy=entropy", budget=35)
    path = travel(tmp_path / "here", tmp_path / "there")
    cell = unpack(path.read_bytes())
    older = [{key: value for key, value in cycle.items() if key != "machine"} for cycle in cell["cycles"]]
    assert len(older[0]) == len(cell["cycles"][0]) - 1
    there = {**cell["hardware"], "processor": "another", "cores": 5}
    path.write_bytes(pack({**cell, "cycles": older, "hardware": there}))
    run(tmp_path / "there", "strategy=entropy", budget=50)
    travel(tmp_path / "there", tmp_path / "there")
    (one,) = stored(tmp_path / "there" / "outputs", tmp_path / "none").runs
    (exported,) = stored(tmp_path / "none", tmp_path / "there" / "cells").runs
    for known in (one, exported):
        assert [record.machine for record in known.records] == ["another, 5 cores"] * 2 + [current_machine()]
        assert hardware_of(known) == ["another, 5 cores", current_machine()]
        (said,) = say_mixed([known])
        assert said.endswith(f"are of 2 machines: another, 5 cores; {current_machine()}")


def test_killed_before_anything_was_stored_it_begins_once_more(tmp_path, monkeypatch):
    uncut = run(tmp_path / "uncut", "strategy=entropy")
    run(tmp_path / "here", "strategy=entropy", budget=50)
    travel(tmp_path / "here", tmp_path / "there")
    whole = RunStore._write

    def killed(self, *arguments):
        if len(self.records) == 2:  # of the three that the cell has
            raise KeyboardInterrupt
        whole(self, *arguments)

    monkeypatch.setattr(RunStore, "_write", killed)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "there", "strategy=entropy")
    monkeypatch.undo()
    assert run(tmp_path / "there", "strategy=entropy") == uncut


def test_another_budget_after_it_was_taken_over_cuts_no_result(tmp_path):
    uncut = run(tmp_path / "uncut", "strategy=entropy")
    run(tmp_path / "here", "strategy=entropy", budget=40)
    travel(tmp_path / "here", tmp_path / "there")
    run(tmp_path / "there", "strategy=entropy", budget=42)
    assert run(tmp_path / "there", "strategy=entropy") == uncut


def foreign(indices, record):
    """The second cycle asks for these instead."""
    return record.model_copy(update={"query": record.query.model_copy(update={"indices": indices})})


@pytest.mark.parametrize(
    "changed",
    [
        lambda first, second: [foreign(second.query.indices, first), second],  # other first labels
        lambda first, second: [first, foreign([*second.query.indices[1:], 200], second)],  # none of the pool's 200
        lambda first, second: [first, foreign([*second.query.indices[1:], first.query.indices[0]], second)],  # twice
        lambda first, second: [first, foreign(second.query.indices[1:], second)],  # fewer than it counts
    ],
)
def test_a_cell_that_asked_for_what_this_run_cannot_is_left_alone(tmp_path, caplog, monkeypatch, changed):
    uncut = run(tmp_path / "uncut", "strategy=entropy", budget=50)
    run(tmp_path / "here", "strategy=entropy", budget=35)
    travel(tmp_path / "here", tmp_path / "there")
    monkeypatch.setitem(globals(), "begun_cell", lambda cells, identity: changed(*begun_cell_of(cells, identity)))
    assert run(tmp_path / "there", "strategy=entropy", budget=50) == uncut
    assert "an exported cell of this run asked for other images than it could: it is left alone" in caplog.text


def test_a_learner_that_goes_on_from_the_model_before_begins_with_the_first_cycle(tmp_path, caplog):
    caplog.set_level("INFO")
    overrides = ("strategy=mal", "learner.carry_over=true")
    uncut = run(tmp_path / "uncut", *overrides, budget=50)
    run(tmp_path / "here", *overrides, budget=35)
    travel(tmp_path / "here", tmp_path / "there")
    assert run(tmp_path / "there", *overrides, budget=50) == uncut
    assert "ends before its stop rules do; it holds no model to go on from" in caplog.text


def test_a_cell_of_one_cycle_or_without_its_indices_is_not_gone_on_from(tmp_path):
    config = composed(tmp_path, "strategy=entropy", budget=65)
    identity = identify(config)
    run(tmp_path, "strategy=entropy", budget=20)
    travel(tmp_path, tmp_path)
    assert begun_cell(tmp_path / "cells", identity) == []
    assert begun_cell(ROOT / "results" / "cells", identity) == []


def test_what_is_known_of_a_sweeps_cell_is_what_it_goes_on_from(tmp_path):
    run(tmp_path / "here", "strategy=entropy", budget=35)
    travel(tmp_path / "here", tmp_path / "there")
    config = composed(tmp_path / "there", "strategy=entropy", budget=65)
    assert [record.annotations for record in known_cycles(config, tmp_path / "there" / "none")] == [20, 35]
