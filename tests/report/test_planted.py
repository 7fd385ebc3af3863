"""Stored files that someone planted: nothing in them is run, fetched, read or written; each is said in one sentence."""

import json
import os
import pickle
from pathlib import Path
from typing import Any

import pytest
from made_runs import EFFORT, generated, made_measurement, made_run

from al_bench.active.part import hash_of
from al_bench.analysis.reading import stored
from al_bench.analysis.rebuilding import own_rebuilder
from al_bench.files import digest, read_json, write_json
from al_bench.report.page import write_report
from al_bench.storage.cell import pack, read_cell
from al_bench.storage.exported import export

MARK = "<script>alert(1)</script>"


class Bad:
    """Touches a file where it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)

    def __reduce__(self) -> Any:
        return os.mkdir, (self.path,)


def planted_nodes(place: Path) -> dict[str, dict[str, Any]]:
    """Configurations that would make the folder `run` of a place, read /etc, or write a file."""
    run = place / "run"
    batches = place / "cifar-10-batches-py"
    batches.mkdir(parents=True)
    (batches / "batch").write_bytes(pickle.dumps(Bad(run)))
    (place / "bad.pt").write_bytes(pickle.dumps(Bad(run)))
    cifar10 = {"_target_": "al_bench.dataset.cifar10.cifar10", "format": "torchvision", "decoded": str(place)}
    checksums = {"batch": digest(b"")}
    source = (place / "bad.pt").as_uri()
    return {
        "checksums": {**cifar10, "root": str(place), "checksums": checksums, "source": source},
        "load": {"_target_": "torch.load", "f": str(place / "bad.pt"), "weights_only": False},
        "write": {"_target_": "al_bench.files.write_json", "path": str(run), "value": 1},
        "system": {"_target_": "os.system", "command": f"mkdir {run}"},
        "etc": {"_target_": "al_bench.dataset.image_folder.image_folder", "root": "/etc", "test_share": 0.2},
        "above": {**cifar10, "root": "<data>/../../planted"},
        "inside": {
            "_target_": "al_bench.dataset.digits.digits",
            "max_images": {"_target_": "os.mkdir", "path": str(run)},
        },
        "resolver": {"_target_": "al_bench.dataset.digits.digits", "split_seed": "${oc.env:HOME}"},
    }


@pytest.fixture
def planted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run's folder and a cell of each planted configuration, one data set each; a GAN's record that one of them is
    said to use."""
    monkeypatch.chdir(tmp_path)
    nodes = planted_nodes(tmp_path / "planted")
    for number, (name, node) in enumerate(nodes.items()):
        for kind in ("folder", "cell"):
            write_planted(tmp_path, f"{name}_{kind}", kind, node, nodes["system"], number)
    record = {"kind": "gan", "sha256": digest(b""), "effort": EFFORT, "losses": {"loss": [1.0]}}
    spec = {"gan": {"part": "gan/planted@1"}, "images": MARK}
    write_json(tmp_path / "outputs" / "artifacts" / "gan" / f"{hash_of(spec)}.json", {**record, "spec": spec})
    return tmp_path


def write_planted(root: Path, name: str, kind: str, node: Any, gan: Any, seed: int) -> None:
    identity = {
        "part": "made.loop",
        "dataset": {"part": name},
        "strategy": {"part": MARK, "gan": {"part": "gan/planted@1"}},
    }
    outputs = root / ("outputs" if kind == "folder" else "elsewhere")
    folder = made_run(
        outputs,
        f"{MARK}{name}",
        seed,
        tensors=generated(),
        identity={**identity, "seed": seed},
        choices={"dataset": name},
    )
    about = read_json(folder / "config.json")
    about |= {
        "commit": MARK,
        "hardware": {"gpus": [MARK], "machine": MARK},
        "choices": {**about["choices"], "scale": MARK},
    }
    about["choices"] |= {"recipe/../../planted": "x", "recipe": "../../../planted/x"}
    about["config"] |= {"dataset": node, "paths": {"data": str(root / "nowhere"), "other": MARK}}
    about["config"]["procedure"]["strategy"] = {"gan": gan}
    write_json(folder / "config.json", about)
    if kind == "cell":
        (path,) = export(folder.parent, root / "cells")
        cell = read_cell(path)
        cell["config"]["dataset"] = node
        path.write_bytes(pack(cell))
        for file in sorted(folder.rglob("*"), reverse=True):
            file.unlink() if file.is_file() else file.rmdir()
        folder.rmdir()


def test_nothing_that_is_stored_is_run(planted: Path) -> None:
    before = {path: path.read_bytes() for path in planted.rglob("*") if path.is_file()}
    rebuilder = own_rebuilder([planted / "data"], planted / "outputs")
    found = stored(planted / "outputs", planted / "cells")
    assert (len(found.runs), len(found.artifacts), found.problems) == (16, 1, [])
    text = write_report(found, planted / "report", "range", rebuilder).read_text()
    files = [path for path in planted.rglob("*") if path.is_file() and planted / "report" not in path.parents]
    assert {path: path.read_bytes() for path in files} == before, "nothing is written beside the page"
    assert not (planted / "planted" / "run").exists(), "and nothing is run"
    for name in planted_names(planted):
        sentences = [words for words in rebuilder.words() if f"the data set {name}" in words]
        assert len(sentences) == 1, (name, sentences)
    said = " ".join(rebuilder.words())
    assert "the GAN could not be loaded here: os.system is no gan of ours" in said
    assert MARK not in text and "&lt;script&gt;" in text
    for table in (planted / "report" / "tables").glob("*.md"):
        assert "<script" not in table.read_text()


NAMES = ("../../../escaped", "/../../escaped", "nul\0", "x" * 3000, "\ud800", "..")


def test_no_file_is_written_by_a_stored_name_that_is_a_path(tmp_path: Path) -> None:
    table = {"about": MARK, "columns": ["a"], "rows": [[1]]}
    made_measurement(tmp_path / "outputs", {"a": 1.0}, tables=dict.fromkeys(NAMES, table))
    before = {path for path in tmp_path.rglob("*") if path.is_file()}
    found = stored(tmp_path / "outputs", tmp_path / "cells")
    write_report(found, tmp_path / "a" / "report", "range", own_rebuilder([tmp_path / "data"], tmp_path / "outputs"))
    written = {path for path in tmp_path.rglob("*") if path.is_file()} - before
    assert len(found.runs) == 1 and not (tmp_path / "escaped.csv").exists()
    tables = tmp_path / "a" / "report" / "tables"
    assert {path.parent for path in written} == {tables, tables.parent}
    assert len(list(tables.glob("*.csv"))) == len(NAMES) + 2, "each its own, what was measured, and all runs"


def test_parts_of_another_family_in_a_stored_configuration_stop_no_page(tmp_path: Path) -> None:
    digits = {"_target_": "al_bench.dataset.digits.digits", "test_share": 0.2, "split_seed": 0}
    write_planted(tmp_path, "digits", "folder", digits | {"_partial_": True}, digits, 0)
    record = {"kind": "gan", "sha256": digest(b""), "effort": EFFORT, "losses": {}}
    spec = {"gan": {"part": "gan/planted@1"}}
    write_json(tmp_path / "outputs" / "artifacts" / "gan" / f"{hash_of(spec)}.json", {**record, "spec": spec})
    rebuilder = own_rebuilder([tmp_path / "data"], tmp_path / "outputs")
    write_report(stored(tmp_path / "outputs", tmp_path / "cells"), tmp_path / "report", "range", rebuilder)
    assert [words.partition(" could not be loaded here: ")[2].partition(",")[0] for words in rebuilder.words()] == [
        "its dataset._partial_=True is none of ours",
        "al_bench.dataset.digits.digits is no gan of ours",
    ]


def planted_names(root: Path) -> list[str]:
    """The data sets that are named in labels."""
    labels = [json.loads(path.read_text())["label"] for path in root.glob("outputs/**/config.json")]
    return [label.split("/")[0] for label in labels]
