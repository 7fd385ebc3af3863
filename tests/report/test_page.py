import html
import json
import re
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import yaml
from made_runs import generated, made_run

from al_bench.active.part import hash_of
from al_bench.analysis.reading import stored
from al_bench.analysis.rebuilding import Rebuilder
from al_bench.analysis.selection import stored_at
from al_bench.errors import UserError
from al_bench.files import write_json
from al_bench.report.page import write_report


def page(tmp_path, build=None, found=None, band="range"):
    found = found or stored(tmp_path / "outputs", tmp_path / "cells")
    return write_report(found, tmp_path / "report", band, Rebuilder(build)).read_text()


def two_classes(node, family):
    """A data set of four images of 4 x 4 pixels."""
    images = torch.arange(64, dtype=torch.uint8).reshape(4, 1, 4, 4)
    split = type("Split", (), {"images": images, "__len__": lambda self: 4})()
    return SimpleNamespace(train=split, class_names=("cat", "dog"))


def test_no_runs_at_all(tmp_path):
    text = page(tmp_path)
    assert "No runs yet" in text
    assert "python run.py" in text
    assert not (tmp_path / "report" / "tables").exists()


def test_every_section_and_every_table(tmp_path):
    for seed in (0, 1):
        made_run(tmp_path / "outputs", "entropy", seed, (0.5, 0.8 + 0.1 * seed))
        made_run(tmp_path / "outputs", "asal_auto", seed, tensors=generated())
    text = page(tmp_path, two_classes)
    for title in (
        "Learning curves",
        "Entropy of newly added samples",
        "Label distribution",
        "Synthetic images",
        "Time and compute",
        "Settings",
    ):
        assert f">{title}</h3>" in text
    assert "85.0 ± 7.1" in text, "mean and deviation of 80 and 90 %"
    assert "label dog" in text
    assert "rank 2" in text
    assert "H 1.75 → 0.75" in text
    tables = {path.name for path in (tmp_path / "report" / "tables").iterdir()}
    linked = set(re.findall(r'href="tables/([^"]+)"', text))
    assert linked == tables
    assert {"summary.csv", "curves.md", "classes.csv", "cost.csv", "ledger.md", "runs.csv"} <= tables


def test_nothing_on_the_page_leads_outside(tmp_path):
    made_run(tmp_path / "outputs", "asal_auto", 0, tensors=generated())
    text = page(tmp_path, two_classes)
    assert re.findall(r'(?:src|href|srcset|url)\s*[=(]\s*"?(data:|#|tables/)', text)
    assert not re.findall(r'(?:src|href|srcset|url)\s*[=(]\s*"?(?!data:|#|tables/|"|\s)', text)
    assert "<script" not in text


@pytest.mark.parametrize("band", ["range", "deviation"])
def test_the_page_says_what_its_bands_are(tmp_path, band):
    made_run(tmp_path / "outputs", "entropy", 0)
    words = {"range": "the lowest to the highest seed", "deviation": "one standard deviation"}
    assert words[band] in page(tmp_path, band=band)


def test_a_label_is_text_whatever_it_holds(tmp_path):
    made_run(tmp_path / "outputs", "<b>bold</b>$x_$", 0)
    text = page(tmp_path)
    assert "&lt;b&gt;bold&lt;/b&gt;$x_$" in text
    assert "<b>" not in text
    assert "<b>" not in (tmp_path / "report" / "tables" / "summary.md").read_text()


def test_another_configuration_is_named_and_not_averaged_in(tmp_path):
    made_run(tmp_path / "outputs", "entropy", 0, (0.5, 0.9))
    made_run(tmp_path / "outputs", "entropy", 1, (0.5, 0.1), learner={"epochs": 1})
    text = page(tmp_path)
    assert "onfig differs in: learner.epochs is 5 there and 1 here" in text or (
        "onfig differs in: learner.epochs is 1 there and 5 here" in text
    )
    rows = (tmp_path / "report" / "tables" / "summary.csv").read_text().splitlines()[1:]
    assert {row.split(",")[4] for row in rows} == {"90.0", "10.0"}


def test_a_garbled_cycle_is_named_and_the_rest_reported(tmp_path):
    folder = made_run(tmp_path / "outputs", "entropy", 0)
    made_run(tmp_path / "outputs", "random", 0)
    (folder / "cycles" / "001.json").write_text("{")
    text = page(tmp_path)
    assert "Left out" in text
    assert f"<code>{folder}</code> cycle 1 cannot be read" in text
    assert "random" in text


def test_garbled_tensors_cost_the_pictures_alone(tmp_path):
    folder = made_run(tmp_path / "outputs", "asal_auto", 0, (0.1, 0.2, 0.3), tensors=generated())
    (folder / "cycles" / "001.safetensors").write_bytes(b"corrupted")
    found = stored(tmp_path / "outputs", tmp_path / "cells")
    text = page(tmp_path, two_classes, found)
    assert {one.sentence for one in found.problems} == {
        "the tensors of cycle 1 are corrupted: no pictures of this cycle"
    }
    assert text.count("the tensors of cycle 1 are corrupted") == 1
    assert "Cycle 2" in text
    assert "30.0" in text


def test_a_data_set_that_cannot_be_loaded_is_named(tmp_path):
    def missing(node, family):
        raise UserError("no MNIST in data")

    made_run(tmp_path / "outputs", "asal_auto", 0, tensors=generated())
    text = page(tmp_path, missing)
    assert "the data set digits could not be loaded here: no MNIST in data" in text
    assert "synthetic image 1 of cycle 1" in text
    assert "its match" not in text.split("Synthetic images</h3>")[1].split("<h4>")[1]


def test_an_artifact_without_a_run_shows_its_losses(tmp_path):
    made_run(tmp_path / "outputs", "entropy", 0)
    cost = {"seconds": 9.0, "optimizer_steps": 3, "images_seen": 5, "peak_memory": 1}
    spec = {"gan": {"part": "gan/made@1"}, "images": "1"}
    record = {"kind": "gan", "sha256": "", "effort": cost, "spec": spec, "losses": {"generator_loss": [2.0, 1.0]}}
    write_json(tmp_path / "outputs" / "artifacts" / "gan" / f"{hash_of(spec)}.json", record)
    computed = {**record, "kind": "real_images", "spec": {"images": "1"}, "losses": {}}
    other = tmp_path / "outputs" / "artifacts" / "real_images" / f"{hash_of({'images': '1'})}.json"
    write_json(other, computed)
    text = page(tmp_path)
    assert "gan: made" in text
    assert "real_images" not in text, "no part was trained for it"
    assert "generator loss 1" in text
    assert "No samples: no run of this report uses it" in text
    chosen = stored_at([str(tmp_path / "outputs" / "digits")], tmp_path / "outputs", tmp_path / "cells")
    assert "gan: made" not in page(tmp_path, found=chosen), "of no matter to the runs that were named"


def test_the_same_runs_make_the_same_pictures(tmp_path):
    made_run(tmp_path / "outputs", "entropy", 0)
    pictures = [re.findall(r'src="(data:[^"]+)"', page(tmp_path)) for _ in range(2)]
    assert pictures[0] == pictures[1]


def test_no_training_code_is_imported_for_numbers(tmp_path):
    import subprocess

    made_run(tmp_path / "outputs", "entropy", 0)
    code = (
        "import sys, pathlib; from al_bench.analysis import reading, rebuilding; from al_bench.report import page\n"
        f"root = pathlib.Path({str(tmp_path)!r})\n"
        "found = reading.stored(root / 'outputs', root / 'cells')\n"
        "page.write_report(found, root / 'report', 'range', rebuilding.Rebuilder(None))\n"
        "assert not {'torch', 'pytorch_lightning', 'hydra'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_images_of_three_channels(tmp_path):
    tensors = {**generated(), "trace.generated": np.zeros((2, 3, 4, 4), dtype=np.uint8)}
    made_run(tmp_path / "outputs", "asal_auto", 0, tensors=tensors)
    assert "synthetic image 2 of cycle 1" in page(tmp_path)


def test_a_configuration_is_shown_whole_and_as_yaml(tmp_path):
    run = made_run(tmp_path / "outputs", "entropy", 0, learner={"weights": "/a b/<data>\n  é\udcff", "rates": [0.1, 1]})
    shown = re.findall(r'<pre class="scroll" tabindex="0">(.*?)</pre>', page(tmp_path), re.DOTALL)
    config = json.loads((run / "config.json").read_text())["config"]
    assert [yaml.safe_load(html.unescape(text)) for text in shown] == [
        {key: value for key, value in config.items() if key != "procedure"}
    ]
