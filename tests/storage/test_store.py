import errno
import json
import os

import pytest
import torch
from made_runs import made_record

from al_bench.active.part import hash_of
from al_bench.errors import UserError
from al_bench.storage.cycle import Cycle
from al_bench.storage.holding import runner_of
from al_bench.storage.store import RunStore

IDENTITY = {"seed": 0, "learner": {"epochs": 20}}


def cycle(index):
    tensors = {"labels": torch.full((2,), index)}
    record = made_record(index=index, metrics={"accuracy": 0.1 * index})
    return Cycle(record, tensors, {"w": torch.full((3,), float(index))})


def open_store(folder, identity=IDENTITY, about=None, **options):
    return RunStore(folder, identity, about or {"commit": "abc"}, **options)


def written(folder, count=4, **options):
    with open_store(folder, **options) as store:
        for index in range(len(store.records), count):
            store.write(cycle(index))
    return folder


def damage(path, how):
    data = bytearray(path.read_bytes())
    if how == "truncated":
        path.write_bytes(data[: len(data) // 2])
    elif how == "corrupted":
        data[-3] ^= 4
        path.write_bytes(data)
    else:
        path.unlink()


def test_what_is_written_is_read_back(tmp_path):
    written(tmp_path)
    with open_store(tmp_path) as store:
        assert [record.metrics["accuracy"] for record in store.records] == [0.0, 0.1, 0.2, pytest.approx(0.3)]
        assert store.tensors(2)["labels"].tolist() == [2, 2]
        assert store.weights(3)["w"].tolist() == [3, 3, 3]
        store.write(cycle(4))
    with open_store(tmp_path) as store:
        assert len(store.records) == 5


def test_models_of_the_last_two_cycles_are_kept_unless_all_are_asked_for(tmp_path):
    written(tmp_path / "last")
    written(tmp_path / "all", keep_weights="all")
    kept = [len(list((tmp_path / name / "cycles").glob("*.model.safetensors"))) for name in ("last", "all")]
    assert kept == [2, 4]


def test_a_person_can_read_a_cycle(tmp_path):
    written(tmp_path)
    assert json.loads((tmp_path / "cycles" / "002.json").read_text())["metrics"]["accuracy"] == 0.2
    assert json.loads((tmp_path / "config.json").read_text()) == {"identity": IDENTITY, "commit": "abc"}


@pytest.mark.parametrize("how", ["truncated", "corrupted", "missing"])
@pytest.mark.parametrize("name", ["003.json", "003.safetensors", "003.model.safetensors"])
def test_a_bad_last_cycle_is_set_aside_and_done_again(tmp_path, name, how, caplog):
    written(tmp_path)
    before = {path.name: path.read_bytes() for path in (tmp_path / "cycles").iterdir()}
    damage(tmp_path / "cycles" / name, how)
    with open_store(tmp_path) as store:
        store.go_on()
        assert len(store.records) == 3
        assert store.weights(2)["w"].tolist() == [2, 2, 2]
        store.write(cycle(3))
    if (name, how) != ("003.json", "missing"):  # without its JSON a cycle was never whole
        assert "cycle 3" in caplog.text and "corrupted" in caplog.text
        assert list((tmp_path / "cycles").glob("003*corrupted-1"))
    assert all((tmp_path / "cycles" / name).read_bytes() == data for name, data in before.items())


@pytest.mark.parametrize("how", ["truncated", "corrupted", "missing"])
@pytest.mark.parametrize("name", ["001.json", "001.safetensors"])
def test_a_bad_cycle_is_set_aside_with_those_that_build_on_it(tmp_path, name, how, caplog):
    written(tmp_path, keep_weights="all")
    damage(tmp_path / "cycles" / name, how)
    with open_store(tmp_path, keep_weights="all") as store:
        store.go_on()
        assert [record.index for record in store.records] == [0]
        for index in (1, 2, 3):
            store.write(cycle(index))
    assert f"cycle 1 in {tmp_path / 'cycles'} is missing or corrupted: kept as 001." in caplog.text
    assert "with those that build on it, to cycle 3" in caplog.text
    assert (tmp_path / "cycles" / "003.model.safetensors.corrupted-1").exists(), "nothing is deleted"
    with open_store(tmp_path) as store:
        assert len(store.records) == 4


def test_what_was_set_aside_stays_as_it_is_named(tmp_path):
    for _ in range(2):
        written(tmp_path)
        damage(tmp_path / "cycles" / "001.json", "corrupted")
        with open_store(tmp_path) as store:
            assert len(store.records) == 1
            store.go_on()
    asides = {path.name for path in (tmp_path / "cycles").iterdir()}
    assert {"001.json.corrupted-1", "001.json.corrupted-2"} <= asides
    assert not any(name.count("corrupted") > 1 for name in asides)


def test_a_run_that_goes_on_says_the_stop_rules_that_it_goes_on_by(tmp_path):
    """Else it counts as finished wherever it is killed: its first budget is spent. One that is shown stays as it is."""
    for budget, goes_on in ((30, True), (50, True), (70, False)):
        loop = {"budget": budget, "query_size": 10}
        about = {"commit": "abc", "config": {"loop": loop, "procedure": {"settings": loop, "seed": 0}}}
        with open_store(tmp_path, about=about) as store:
            if goes_on:
                store.go_on()
    stored = json.loads((tmp_path / "config.json").read_text())
    assert stored["config"]["loop"]["budget"] == stored["config"]["procedure"]["settings"]["budget"] == 50
    assert stored["config"]["procedure"]["seed"] == 0 and stored["commit"] == "abc"


@pytest.mark.parametrize(("budgets", "noted"), [((300, 20), 20), ((30, 20), 30)])
def test_a_larger_budget_that_was_given_up_ends_a_run_no_more(tmp_path, budgets, noted):
    """The smaller one is asked for again, and shown: it is exported by that. A run at its own end keeps its own."""
    for budget in budgets:
        loop = {"budget": budget, "max_cycles": None, "stop_at": None}
        with open_store(tmp_path, about={"commit": "abc", "config": {"loop": loop}}) as store:
            if not store.records:
                for index, annotations in enumerate((10, 20, 30)):
                    record = made_record(index=index, annotations=annotations)
                    store.write(Cycle(record, {"labels": torch.zeros(1)}, {"w": torch.zeros(1)}))
            else:
                store.end_here([])
    assert json.loads((tmp_path / "config.json").read_text())["config"]["loop"]["budget"] == noted


def test_a_run_begins_anew_where_no_cycle_has_its_model(tmp_path, caplog):
    written(tmp_path)
    damage(tmp_path / "cycles" / "001.json", "missing")
    with open_store(tmp_path) as store:
        assert len(store.records) == 1, "what was measured can be shown"
        store.go_on()
        assert store.records == []
    assert "the model of cycle 0" in caplog.text and "is missing or corrupted: kept as 000.json" in caplog.text


def test_a_run_that_is_only_shown_needs_no_model(tmp_path):
    written(tmp_path)
    for index in (2, 3):
        damage(tmp_path / "cycles" / f"00{index}.model.safetensors", "missing")
    with open_store(tmp_path) as store:
        assert len(store.records) == 4


def test_cycles_of_another_run_are_set_aside(tmp_path):
    written(tmp_path)
    with open_store(tmp_path / "other", {"seed": 1}) as store:
        store.write(cycle(0))
    for name in ("000.json", "000.safetensors"):
        (tmp_path / "other" / "cycles" / name).replace(tmp_path / "cycles" / name)
    with open_store(tmp_path) as store:
        assert store.records == []


def test_another_run_under_the_name_of_this_one_is_set_aside(tmp_path, caplog):
    folder, other = tmp_path / hash_of(IDENTITY), {"seed": 0, "learner": {"epochs": 30}}
    with open_store(tmp_path / hash_of(other), other) as store:
        store.write(cycle(0))
    (tmp_path / hash_of(other)).rename(folder)
    with open_store(folder) as store:
        assert store.records == []
        store.write(cycle(0))
    assert "learner.epochs is 30 there and 20 here" in caplog.text
    assert (folder / "cycles.corrupted-1" / "000.json").exists()


def test_a_first_cycle_without_its_model_is_done_again(tmp_path):
    written(tmp_path, 1)
    damage(tmp_path / "cycles" / "000.model.safetensors", "truncated")
    with open_store(tmp_path) as store:
        assert store.records == []


def test_a_folder_of_another_run_is_refused_with_the_difference(tmp_path):
    written(tmp_path)
    other = {"seed": 0, "learner": {"epochs": 30}}
    with (
        pytest.raises(UserError, match=r"learner\.epochs .*20 .*30"),
        open_store(tmp_path, other),
    ):
        pass


def test_a_folder_that_is_named_for_another_configuration_is_refused(tmp_path):
    label = "digits/random/seed=0"
    about, other = {"label": label}, tmp_path / label / "0123456789ab"
    with pytest.raises(UserError, match="another configuration"), open_store(other, about=about):
        pass
    with open_store(tmp_path / label / hash_of(IDENTITY), about=about):
        pass


def test_a_folder_that_a_user_named_by_twelve_digits_is_none_of_another_configuration(tmp_path):
    with open_store(tmp_path / "202611270240", about={"label": "digits/random/seed=0"}) as store:
        assert store.records == []


def test_what_no_run_wrote_is_named_once_and_passed_over(tmp_path, caplog):
    written(tmp_path, 2)
    cycles = tmp_path / "cycles"
    for name in ("001 (copy).json", ".002.json.4711", "007.json~"):
        (cycles / name).write_text("{}")
    for name in ("002.json", "003.safetensors"):
        (cycles / name).mkdir()
    with open_store(tmp_path) as store:
        assert len(store.records) == 2
        assert caplog.messages == [
            f"passed over in {cycles}, for no run writes such names: "
            ".002.json.4711, 001 (copy).json, 002.json, 003.safetensors, 007.json~"
        ]
        store.write(cycle(2))
        store.write(cycle(3))
    assert (cycles / "002.json.corrupted-1").is_dir() and (cycles / "002.json").is_file()
    assert f"{cycles / '003.safetensors'} is a folder where a file should be" in caplog.text
    with open_store(tmp_path) as store:
        assert len(store.records) == 4


@pytest.mark.parametrize("code", [errno.EROFS, errno.ENOSPC, errno.EACCES, errno.ENOLCK])
def test_what_is_stored_is_read_where_nothing_can_be_written(tmp_path, monkeypatch, code):
    """As on a disk that is read-only: no file can be opened to be written, none removed."""
    written(tmp_path)
    before = {path: path.stat() for path in tmp_path.rglob("*")}

    def fail(path, *arguments):
        raise OSError(code, os.strerror(code), str(path))

    opened = os.open
    monkeypatch.setattr(os, "open", lambda path, flags, *rest: fail(path) if flags & os.O_RDWR else opened(path, flags))
    monkeypatch.setattr(os, "unlink", fail)
    with open_store(tmp_path) as store:
        assert len(store.records) == 4
        with pytest.raises(UserError, match=str(tmp_path / "lock")):
            store.refuse_unwritable()
    with pytest.raises(UserError, match=str(tmp_path / "new" / "lock")), open_store(tmp_path / "new"):
        pass
    (tmp_path / "new" / "cycles").rmdir()
    (tmp_path / "new").rmdir()
    assert {path: path.stat() for path in tmp_path.rglob("*")}.keys() == before.keys()


def test_a_corrupted_cycle_is_passed_over_where_nothing_can_be_written(tmp_path, monkeypatch):
    written(tmp_path)
    damage(tmp_path / "cycles" / "002.json", "truncated")
    before = set(tmp_path.rglob("*"))
    opened = os.open

    def fail(path, flags, *rest):
        if flags & os.O_RDWR:
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))
        return opened(path, flags, *rest)

    monkeypatch.setattr(os, "open", fail)
    with open_store(tmp_path) as store:
        assert [record.index for record in store.records] == [0, 1]
    assert set(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("kind", ["tensors", "weights"])
def test_a_file_that_is_damaged_while_a_run_goes_on_is_not_read(tmp_path, kind):
    with open_store(written(tmp_path)) as store:
        name = {"tensors": "003.safetensors", "weights": "003.model.safetensors"}[kind]
        damage(tmp_path / "cycles" / name, "corrupted")
        with pytest.raises(UserError, match=f"{name} is corrupted: put it back"):
            getattr(store, kind)(3)


def test_an_owner_that_is_no_process_and_an_identity_that_is_none(tmp_path, caplog):
    with open_store(written(tmp_path)):
        (tmp_path / "owner").write_bytes(b"\xff\x1b[2J")
        assert runner_of(tmp_path) == "one that has just begun"
    for number, identity in enumerate(("5", "null", "[1]"), start=1):
        (tmp_path / "config.json").write_text(f'{{"identity": {identity}}}')
        with open_store(tmp_path) as store:
            assert len(store.records) == 4, "cycles say whose they are"
        assert (tmp_path / f"config.json.corrupted-{number}").exists()


def test_a_garbled_config_is_set_aside(tmp_path, caplog):
    written(tmp_path)
    damage(tmp_path / "config.json", "truncated")
    with open_store(tmp_path) as store:
        assert len(store.records) == 4
    assert (tmp_path / "config.json.corrupted-1").exists()
    assert "config.json is corrupted" in caplog.text


def test_two_at_once_in_one_folder(tmp_path):
    with open_store(tmp_path):
        with pytest.raises(UserError, match=r"\(process \d+\)"), open_store(tmp_path):
            pass
    with open_store(tmp_path):
        pass


def test_a_cycle_cut_before_its_json_is_not_there(tmp_path, monkeypatch):
    written(tmp_path, 2)

    def die(path, value):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("al_bench.storage.store.write_json", die)
        with open_store(tmp_path) as store, pytest.raises(KeyboardInterrupt):
            store.write(cycle(2))
    with open_store(tmp_path) as store:
        assert len(store.records) == 2
        store.write(cycle(2))
        assert store.weights(2)["w"].tolist() == [2, 2, 2]
