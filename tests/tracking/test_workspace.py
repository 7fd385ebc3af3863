"""The view of an experiment is built offline, and plots what a run of it logs, by the same names."""

import json
import runpy
import subprocess
import sys
from pathlib import Path

import forked
import pytest
import wandb

from al_bench.config.experiment import Cell, cells_of
from al_bench.errors import UserError
from al_bench.tracking.workspace import build_workspace, plain_workspace, send_workspace

EXPERIMENT = "waal/digits"
LINE = ("scale=smoke", "device=cpu")


@pytest.fixture(scope="module")
def cells() -> list[Cell]:
    return cells_of(EXPERIMENT, LINE)


@pytest.fixture(scope="module")
def logged(tmp_path_factory: pytest.TempPathFactory) -> list[dict]:
    """What one cell of the experiment logs, by W&B's own reader, from where `docs/usage.md` says it lies."""
    folder = tmp_path_factory.mktemp("outputs")
    one = (f"experiment={EXPERIMENT}", "hydra.mode=RUN", "strategy=random", "seed=3", *LINE)
    with pytest.MonkeyPatch.context() as nobodys:
        nobodys.setenv("WANDB_MODE", "offline")
        done = forked.run(*one, f"paths.outputs={folder}")
    assert done.returncode == 0, done.stdout + done.stderr
    (run,) = folder.glob("digits/*/seed=3/*")
    (path,) = run.glob("wandb/offline-run-*/run-*.wandb")
    assert path.stem == f"run-{run.name}"
    command = [sys.executable, "-m", "wandb", "leet", "inspect", "--json", str(path)]
    read = subprocess.run(command, capture_output=True, text=True, check=True)
    return [json.loads(line) for line in read.stdout.splitlines()]


def view(cells: list[Cell], name: str = EXPERIMENT) -> dict:
    found = plain_workspace(build_workspace(name, cells, "", "al_bench"))
    return json.loads(json.dumps(found))["spec"]["section"]


def panels(section: dict) -> list[dict]:
    return [panel["config"] for one in section["panelBankConfig"]["sections"] for panel in one["panels"]]


def test_every_plot_is_of_something_that_a_run_logs(cells: list[Cell], logged: list[dict]) -> None:
    rows = [record["history"]["item"] for record in logged if record["type"] == "history"]
    plots = panels(view(cells))
    assert {"test/accuracy", "fit/seconds", "query/seconds"} < {key for plot in plots for key in plot["metrics"]}
    for plot in plots:
        assert {*plot["metrics"], plot["xAxis"]} <= rows[-1].keys()


def test_every_metric_of_the_evaluator_has_a_section(cells: list[Cell]) -> None:
    names = [section["name"] for section in view(cells)["panelBankConfig"]["sections"]]
    assert names == [*(metric.heading for metric in cells[0].metrics), "costs of a cycle"]


def test_a_run_is_found_by_its_tags_and_is_a_seed_of_its_line(cells: list[Cell], logged: list[dict]) -> None:
    (begun,) = [record["run"] for record in logged if record["type"] == "run"]
    section = view(cells)
    (runs,) = section["runSets"]
    asked = [tag for one in runs["filters"]["filters"] for tag in one["value"]]
    assert asked == [f"experiment:{EXPERIMENT}", "scale:smoke"]
    assert set(asked) < set(begun["tags"])
    assert {"paper:waal", "dataset:digits", "strategy:random", "learner:supervised"} < set(begun["tags"])
    assert (begun["run_group"], begun["job_type"]) == (EXPERIMENT, "loop")
    assert begun["config"]["update"]["line"].startswith("digits/random ")
    assert [key["name"] for key in runs["grouping"]] == ["line.value"]
    assert {(p["groupBy"], p["groupAgg"], p["groupArea"]) for p in panels(section)} == {
        ("line.value", "mean", "minmax")
    }


def test_images_have_a_section_where_a_strategy_has_a_gan() -> None:
    of_images = panels(view(cells_of("asal/mnist_two", ["seed=0"]), "asal/mnist_two"))[-1]
    assert of_images["mediaKeys"] == ["query/images"]


def test_what_wandb_is_shown_nothing_of_has_no_view() -> None:
    with pytest.raises(UserError, match=r"waal/toy has procedure=toy, of which W&B is shown nothing"):
        build_workspace("waal/toy", cells_of("waal/toy"), "", "al_bench")


def test_without_a_login_it_is_said_what_lacks(cells: list[Cell], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wandb, "login", lambda **_: False)
    with pytest.raises(UserError, match=r"no API key here: `wandb login` or WANDB_API_KEY"):
        send_workspace(build_workspace(EXPERIMENT, cells, "me", "al_bench"))


def test_without_the_package_it_is_said_which_extra_has_it(cells: list[Cell], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"pip install 'al_bench\[dashboards\]'"):
        build_workspace(EXPERIMENT, cells, "", "al_bench")


def test_a_view_is_sent_to_the_one_who_is_logged_in(cells: list[Cell], monkeypatch: pytest.MonkeyPatch) -> None:
    """The server is pretended; what it is asked to keep is what is written to a file."""
    sent = []

    def keep(shown: object) -> dict:
        sent.append(shown)
        return {"upsertView": {"view": {"name": "nw-abc-v", "id": "1"}}}

    class Api:
        default_entity = "me"

        def __init__(self, **_: object) -> None:
            self.client = self

    monkeypatch.setattr(wandb, "login", lambda **_: True)
    monkeypatch.setattr(wandb, "Api", Api)
    monkeypatch.setattr("wandb_workspaces.workspaces.internal.upsert_view2", keep)
    monkeypatch.setattr("wandb_workspaces.workspaces.interface.get_app_url", lambda _: "https://wandb.test")
    address = send_workspace(build_workspace(EXPERIMENT, cells, "", "mine"))
    assert address.startswith("https://wandb.test/me/mine?nw=abc")
    assert (sent[0].entity, sent[0].project, sent[0].display_name) == ("me", "mine", "waal/digits, smoke")


def test_the_script_writes_a_view_and_sends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    script, to = Path(__file__).parents[2] / "scripts" / "workspace.py", tmp_path / "view.json"
    monkeypatch.setattr("sys.argv", [str(script), EXPERIMENT, *LINE, "--json", str(to)])
    monkeypatch.setattr(wandb, "login", lambda **_: pytest.fail("it asks for a login"))
    runpy.run_path(str(script))["main"]()
    assert capsys.readouterr().out == f"written to {to}; nothing was sent\n"
    assert panels(json.loads(to.read_text())["spec"]["section"])[0]["metrics"] == ["test/accuracy"]
