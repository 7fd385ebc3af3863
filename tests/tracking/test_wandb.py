"""What W&B holds of a run, read back from its files, and that nothing of it can stop one."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import forked
import numpy as np
import pytest
import torch
import wandb
from composing import compose, part
from made_runs import made_record
from PIL import Image
from safetensors.torch import load_file

from al_bench.active.part import hash_of
from al_bench.config.identity import identify, label_of, metrics_of
from al_bench.config.values import plain
from al_bench.storage.store import RunStore
from al_bench.tracking import naming
from al_bench.tracking.cycle_values import numbers, synthesized
from run import instantiated

ROOT = Path(__file__).parents[2]
FAST = ("learner.epochs=3", "loop.initial_size=20", "loop.query_size=15", "dataset.max_images=300", "device=cpu")
SMOKE = ("scale=smoke", "gan=none", "strategy=random", "device=cpu")
DUMMY_KEY = "0123456789abcdef" * 3


@pytest.fixture(autouse=True)
def nobody(monkeypatch, tmp_path):
    """No key, no home and no network of a person's; W&B's own process ends with the test."""
    for name in [name for name in os.environ if name.startswith("WANDB_")]:
        monkeypatch.delenv(name)
    home = tmp_path / "home"
    home.mkdir()
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(home))
    yield
    wandb.teardown()


@pytest.fixture
def silent_server(monkeypatch):
    """A server that takes a call and never answers, the network at its worst."""
    with socket.create_server(("127.0.0.1", 0), backlog=100) as server:
        monkeypatch.setenv("WANDB_BASE_URL", f"http://127.0.0.1:{server.getsockname()[1]}")
        yield


def run(folder, *overrides, budget=65):
    """Runs a cell of digits in this process; returns its folder and its records."""
    arguments = (*FAST, f"loop.budget={budget}", f"paths.outputs={folder}", *overrides)
    config = compose(*(arguments if "strategy=asal_auto" in overrides else ("gan=none", *arguments)))
    choices, identity = dict(config.hydra.runtime.choices), identify(config)
    whole = {key: plain(config[key]) for key in config if key != "hydra"}
    about = {
        "label": label_of(choices, config),
        "metrics": [metric.plain() for metric in metrics_of(config)],
        "records": [],
        "config": whole,
        "choices": choices,
        "commit": "c0ffee",
    }
    with RunStore(folder / hash_of(identity), identity, about) as store:
        instantiated(config.procedure).run(store)
        return store.folder, [record.plain() for record in store.records]


def held(folder):
    """All records of the one W&B run under a folder, by W&B's own reader; and the folder of its files."""
    (path,) = folder.rglob("*.wandb")
    command = [sys.executable, "-m", "wandb", "leet", "inspect", "--json", str(path)]
    environment = {**os.environ, "WANDB_MODE": "offline", "WANDB_ERROR_REPORTING": "false"}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    return [json.loads(line) for line in done.stdout.splitlines()], path.parent / "files"


def history(folder):
    return [record["history"]["item"] for record in held(folder)[0] if record["type"] == "history"]


def comparable(records):
    clocks = ("effort", "commit", "sha256_record")
    return [{key: value for key, value in record.items() if key not in clocks} for record in records]


def test_what_is_held_of_a_run_is_what_is_stored(tmp_path, capfd):
    folder, stored = run(tmp_path, "strategy=entropy", "tracking.project=mine")
    assert capfd.readouterr() == ("", ""), "W&B writes into the terminal"
    records, _ = held(tmp_path)
    (begun,) = [record["run"] for record in records if record["type"] == "run"]
    assert begun["run_id"] == folder.name
    assert begun["display_name"] == "digits/entropy/seed=0"
    assert (begun["project"], begun["run_group"]) == ("mine", "digits")
    config = json.dumps(begun["config"]["update"])
    for word in ('"query_size": 15', '"identity": {"dataset"', '"commit": "c0ffee"', '"lr": 0.001'):
        assert word in config
    axes = [record["metric"] for record in records if record["type"] == "metric"]
    assert [axis.get("step_metric") for axis in axes if axis.get("glob_name") == "*"] == ["annotations"]
    rows = [record["history"]["item"] for record in records if record["type"] == "history"]
    assert [row["annotations"] for row in rows] == [20, 35, 50, 65]
    assert [row["_step"] for row in rows] == [0, 1, 2, 3]
    for row, record in zip(rows, stored, strict=True):
        for name, value in record["metrics"].items():
            assert row[f"test/{name}"] == pytest.approx(value), name
        assert row["train/labels.values"] == record["class_counts"]
        assert np.allclose(row["train/labels.bins"], np.arange(11) - 0.5)
        for cost, value in record["effort"]["fit"].items():
            assert row[f"fit/{cost}"] == pytest.approx(value), cost
        assert not any("images" in name and "seen" not in name for name in row)
    assert "query/entropy" not in rows[0]  # initial labels are not chosen by a model
    assert rows[2]["query/entropy"] == pytest.approx(stored[2]["chosen_entropy"])


def test_looks_into_a_training_are_a_table(tmp_path):
    folder, stored = run(tmp_path, "strategy=random", "loop.observe_every=3", budget=35)
    records, files = held(folder)
    rows = [record["history"]["item"] for record in records if record["type"] == "history"]
    for row, record in zip(rows, stored, strict=True):
        table = json.loads((files / row["train/observed.path"]).read_text())
        observed = record["observed"]
        assert table["columns"] == list(observed)
        assert [list(column) for column in zip(*table["data"], strict=True)] == list(observed.values())


def test_losses_of_a_training_are_a_table(tmp_path):
    folder, stored = run(tmp_path, "strategy=random", budget=35)
    records, files = held(folder)
    rows = [record["history"]["item"] for record in records if record["type"] == "history"]
    assert len(rows) == len(stored) > 1
    for row, record in zip(rows, stored, strict=True):
        table = json.loads((files / row["train/losses of classifier.path"]).read_text())
        losses = record["losses"]["classifier"]
        assert table["columns"] == list(losses) == ["iteration", "cross_entropy"]
        assert [list(column) for column in zip(*table["data"], strict=True)] == list(losses.values())


def test_watching_changes_nothing(tmp_path):
    _, watched = run(tmp_path / "watched", "strategy=entropy")
    _, alone = run(tmp_path / "alone", "strategy=entropy", "tracking=none")
    assert comparable(watched) == comparable(alone)
    assert list((tmp_path / "watched").rglob("*.wandb"))
    assert not list((tmp_path / "alone").rglob("*wandb*"))


@pytest.mark.parametrize("images", [True, False])
def test_synthesized_images_stand_beside_their_matches_unless_switched_off(tmp_path, images):
    folder, stored = run(
        tmp_path, "strategy=asal_auto", "scale=smoke", f"tracking.images={str(images).lower()}", budget=35
    )
    records, files = held(folder)
    second = [record["history"]["item"] for record in records if record["type"] == "history"][1]
    tensors = load_file(folder / "cycles" / "001.safetensors")
    for name in ("entropy_after", "distance_to_match"):
        assert second[f"query/{name}"] == pytest.approx(float(tensors[f"trace.{name}"].mean()), rel=1e-5)
    if not images:
        assert not list(files.rglob("*.png"))
        return
    query = stored[1]["query"]
    assert second["query/images.count"] == 10
    assert (
        second["query/images.captions"][3]
        == f"match {query['indices'][3]}, rank {query['ranks'][3]}, label {query['labels'][3]}"
    )
    shown = np.array(Image.open(files / second["query/images.filenames"][3]))
    train = part("dataset", "scale=smoke", *FAST).train
    match = train.images[torch.tensor(query["indices"][3:4])][0, 0]
    assert np.array_equal(shown, np.hstack([tensors["trace.generated"][3, 0], match]))


def test_what_counts_as_synthesized():
    block = torch.arange(2 * 11 * 3 * 4 * 5).reshape(2, 11, 3, 4, 5).to(torch.uint8)
    row = synthesized({"synthetic": torch.zeros(2, 11, 7), "shown": block})  # lines of latents
    assert row.shape == (2, 3, 4, 55)
    assert torch.equal(row[1, :, :, 10:15], block[1, 2])
    assert torch.equal(synthesized({"synthetic": block[:, :1]}), block[:, 0])
    assert synthesized({"synthetic": torch.zeros(2, 1, 7)}) is None
    assert synthesized({"labels": torch.zeros(2)}) is None


def test_what_was_not_measured_is_left_out():
    metrics = {"mean_iou": None, "iou": [0.5, None]}
    record = made_record(annotations=5, unlabeled=1, metrics=metrics, chosen_entropy=None)
    found = numbers(record, {"trace.margin": torch.tensor([1.0, 2.0]), "trace.generated": torch.zeros(2, 3)})
    costs = {f"{part}/{name}" for part, cost in record.costs.items() for name, _ in cost}
    assert {key: value for key, value in found.items() if key not in costs} == {
        "annotations": 5,
        "unlabeled": 1,
        "test/iou": [0.5, None],
        "query/margin": 1.5,
    }


def test_a_run_that_goes_on_has_one_whole_curve(tmp_path):
    run(tmp_path, "strategy=random", budget=35)
    _, stored = run(tmp_path, "strategy=random", budget=65)
    rows = history(tmp_path)
    assert [row["_step"] for row in rows] == [0, 1, 2, 3]
    assert [row["test/accuracy"] for row in rows] == pytest.approx([each["metrics"]["accuracy"] for each in stored])


def test_only_what_the_server_lacks_is_sent(tmp_path, monkeypatch):
    """Online the server says which step is next; that it has the first two is pretended here."""
    run(tmp_path, "strategy=random", budget=50)
    monkeypatch.setattr(wandb.Run, "starting_step", 2)
    run(tmp_path, "strategy=random", budget=65)
    assert [row["annotations"] for row in history(tmp_path)] == [50, 65]


@pytest.mark.parametrize(
    ("key", "reason"), [(None, "no API key"), ("short", "WANDB_API_KEY invalid"), (DUMMY_KEY, "Failed to get")]
)
def test_online_falls_back_in_seconds_with_one_sentence(
    tmp_path, monkeypatch, silent_server, caplog, capfd, key, reason
):
    if key:
        monkeypatch.setenv("WANDB_API_KEY", key)
    began = time.monotonic()
    _, stored = run(tmp_path, "strategy=random", "tracking.mode=online", "tracking.timeout=2")
    assert time.monotonic() - began < 80, "W&B alone waits for 90"
    (said,) = [record.getMessage() for record in caplog.records if record.name == "al_bench.tracking.wandb"]
    assert re.fullmatch(
        rf"W&B goes on offline \({reason}[^\n]*\): `wandb sync [^\n]*/offline-run-\S+` sends it later", said
    )
    assert capfd.readouterr() == ("", "")
    assert [row["annotations"] for row in history(tmp_path)] == [record["annotations"] for record in stored]


@pytest.mark.parametrize("method", ["define_metric", "log", "finish"])
def test_a_failure_inside_wandb_is_said_once_and_stops_nothing(tmp_path, monkeypatch, caplog, method):
    def failing(*arguments, **options):
        raise RuntimeError("the service is gone\nand so is the second line")

    with monkeypatch.context() as broken:
        broken.setattr(wandb.Run, method, failing)
        _, stored = run(tmp_path, "strategy=random")
    assert [record["annotations"] for record in stored] == [20, 35, 50, 65]
    (said,) = [record.getMessage() for record in caplog.records if record.name == "al_bench.tracking.wandb"]
    assert said == (
        "W&B failed and shows no more of this run, which goes on and is stored as ever: "
        "RuntimeError: the service is gone"
    )


def test_a_failure_of_ours_ends_the_wandb_run_as_failed(tmp_path, monkeypatch):
    monkeypatch.setattr("al_bench.procedure.active_learning.cycle_line", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        run(tmp_path, "strategy=random")
    (ended,) = [record["exit"] for record in held(tmp_path)[0] if record["type"] == "exit"]
    assert ended["exit_code"] == 1


def test_who_labels_is_the_type_of_the_job():
    assert compose(*SMOKE).tracking.job_type is None  # the procedure then
    folder = ("dataset=image_folder", "dataset.root=made", "dataset.class_names=[cat,dog]", "gan=none")
    for oracle in ("human", "files"):
        assert compose(*folder, "strategy=margin", f"oracle={oracle}").tracking.job_type == "label"


def test_seeds_are_of_one_line_and_settings_are_not():
    def line(*overrides):
        config = compose(*SMOKE, *overrides)
        chosen = dict(config.hydra.runtime.choices)
        method = naming.method_of(chosen, {key: plain(config[key]) for key in config if key != "hydra"})
        return naming.line_of(label_of(chosen, config), identify(config), method)

    assert line("seed=0") == line("seed=7") == line("seed=7", "device=auto", "tracking.job_type=mine")
    assert line("seed=0").startswith("digits/random ")
    assert line("seed=0") != line("seed=0", "learner.epochs=9")
    methods = {name: line("strategy=random", f"method={name}") for name in ("matched/random", "tuned/digits_waal")}
    assert all(named.startswith(f"digits/{name} ") for name, named in methods.items()), "as in the tables"
    assert line("method=waal", "strategy=entropy", "learner=supervised").startswith("digits/entropy ")


def test_a_tag_is_no_longer_than_wandb_takes():
    tags = naming.tags_of({"experiment": "mine/" + "a" * 100, "dataset": "digits"})
    assert tags[0] == "paper:mine" and [len(tag) for tag in tags[1:]] == [64, len("dataset:digits")]


def test_the_environment_sets_the_mode_and_the_command_line_wins(monkeypatch):
    assert compose(*SMOKE).tracking.mode == "offline"
    monkeypatch.setenv("WANDB_MODE", "online")
    assert compose(*SMOKE).tracking.mode == "online"
    for said, mode in {"dryrun": "offline", "run": "online", " ": "offline"}.items():
        monkeypatch.setenv("WANDB_MODE", said)
        assert compose(*SMOKE).tracking.mode == mode
    assert compose(*SMOKE, "tracking=none").tracking.mode == "disabled"
    assert compose(*SMOKE, "tracking.mode=offline").tracking.mode == "offline"


def test_as_a_user_types_it_it_is_on_and_offline_and_says_nothing(tmp_path):
    line = [sys.executable, "run.py", *SMOKE, f"paths.outputs={tmp_path}"]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=True)
    assert [row["annotations"] for row in history(tmp_path)] == [20, 30, 40]
    assert "wandb" not in (done.stdout + done.stderr).lower()
    assert not list(Path(os.environ["HOME"]).rglob("*.wandb"))


@pytest.mark.slow
def test_it_is_imported_only_where_it_is_used(tmp_path):
    for mode, code in (("none", 0), ("wandb", -signal.SIGKILL)):  # killed where wandb is imported
        line = (*SMOKE, f"tracking={mode}", f"paths.outputs={tmp_path / mode}")
        done = forked.run(*line, trap=forked.Trap("wandb", 1, "import"))
        assert done.returncode == code, done.stdout + done.stderr
    assert not list((tmp_path / "none").rglob("*wandb*"))


@pytest.mark.slow
def test_a_killed_run_that_is_started_again_has_one_whole_curve(tmp_path):
    trap = forked.Trap("al_bench.storage.store.write_json", 2, "after")  # cycle 1: not shown yet
    killed = forked.run(*SMOKE, f"paths.outputs={tmp_path}", trap=trap)
    assert killed.returncode == -signal.SIGKILL
    assert len(list(tmp_path.rglob("offline-run-*"))) == 1
    assert forked.run(*SMOKE, f"paths.outputs={tmp_path}").returncode == 0
    assert [row["annotations"] for row in history(tmp_path)] == [20, 30, 40]


@pytest.mark.slow
@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_a_stopped_run_has_told_what_it_stored(tmp_path, signum):
    line = (*SMOKE, f"paths.outputs={tmp_path}", "learner.epochs=100", "loop.max_cycles=15")
    with forked.started(*line) as process:
        process.await_words("cycle   1")
        os.kill(process.pid, signum)
        assert process.wait() == 128 + signum
    stored = [json.loads(path.read_text())["annotations"] for path in sorted(tmp_path.rglob("cycles/*.json"))]
    assert [row["annotations"] for row in history(tmp_path)] == stored


@pytest.mark.slow
def test_a_server_that_never_answers_holds_nobody_up(tmp_path, monkeypatch, silent_server):
    monkeypatch.setenv("WANDB_API_KEY", DUMMY_KEY)
    with forked.started(*SMOKE, f"paths.outputs={tmp_path}", "tracking.mode=online", "tracking.timeout=3") as process:
        process.await_words("\nfinished: ")
        finished = time.monotonic()
        assert process.wait() == 0
        assert time.monotonic() - finished < 10  # W&B's own reports would wait for an answer at the end
        said = process.stdout + process.stderr
    assert said.count("W&B goes on offline") == 1
    assert "wandb:" not in said
