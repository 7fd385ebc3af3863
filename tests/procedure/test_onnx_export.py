"""A model that leaves as ONNX: onnxruntime answers as we do, and the file says what is asked of it."""

import importlib.util
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from made_backbone import NODE, images_of, made_network, model_of
from safetensors.torch import save_file
from torch import nn

from al_bench.analysis.backbones import backbone_of
from al_bench.errors import UserError
from al_bench.procedure import onnx_export
from al_bench.procedure.onnx_export import write_onnx
from al_bench.procedure.prediction import TrainedModel, load_model
from al_bench.storage.model_file import Featured, Reads, head_of
from scripts import export_model

NAMES = ("Käse", '"cat"', "a,b")
LINEAR = {"_target_": "al_bench.network.linear.Linear", "_partial_": True}


def stored(path: Path, node: dict[str, Any], weights: dict[str, torch.Tensor], **reads: Any) -> Path:
    config = {"dataset": {"crop": "none"}, "learner": {"network": node}}
    about = {"config": config, "label": "a/b/seed=0", "commit": "c"}
    head = head_of(Reads(class_names=NAMES, **reads), about, "0123456789ab", 3, 50)
    save_file(weights, path, head.as_metadata())
    return path


def ask(file: Path, images: torch.Tensor) -> tuple[np.ndarray, dict[str, str]]:
    onnxruntime = pytest.importorskip("onnxruntime")
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    (found,) = session.run(["probabilities"], {"images": images.numpy()})
    return found, session.get_modelmeta().custom_metadata_map


def expected(model: TrainedModel, images: torch.Tensor) -> np.ndarray:
    with torch.no_grad():
        return np.asarray(model.network(images).softmax(1))


def test_onnxruntime_answers_as_we_do_for_any_number_of_images(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("onnxscript")
    run = stored(tmp_path / "model", NODE, made_network((3, 8, 8)).state_dict(), shape=(3, 8, 8))
    export_model.main([str(run), "--onnx", str(tmp_path / "deep" / "model.onnx")])
    assert "3 classes" in capsys.readouterr().out
    for count in (1, 5):
        images = images_of(count, (3, 8, 8)).float() / 255
        found, said = ask(tmp_path / "deep" / "model.onnx", images)
        assert np.abs(found - expected(load_model(run), images)).max() < 1e-4
    assert json.loads(said["class_names"]) == list(NAMES)
    assert json.loads(said["preprocessing"]) | {"upright": ""} == {
        "channels": "RGB", "size": [8, 8], "window": None, "crop": "none", "resampling": "bilinear, antialiased",
        "transparent": "white", "upright": "", "range": [0, 1],
    }  # fmt: skip
    assert (said["run"], said["cycle"], said["annotations"]) == ("0123456789ab", "3", "50")
    assert set(json.loads(said["versions"])) == {"al_bench", "torch"}


@pytest.mark.slow
def test_the_frozen_network_before_a_model_leaves_with_it(tmp_path: Path) -> None:
    """Of gray images of 12 x 16 pixels, which are scaled and cut to 8 x 8."""
    pytest.importorskip("onnxscript")
    weights = model_of(tmp_path / "backbone.safetensors", (1, 8, 8))
    featured = Featured(
        image_shape=(1, 12, 16), network=None, weights=str(weights), sum=backbone_of(None, str(weights), tmp_path).sum,
        size=(8, 8), pixel_mean=None, pixel_std=None, interpolation="bilinear", normalize="standardize",
        mean=(0.2,) * 16, scale=(3.0,) * 16,
    )  # fmt: skip
    head = {"head.weight": torch.arange(48.0).reshape(3, 16).cos(), "head.bias": torch.zeros(3)}
    model = load_model(stored(tmp_path / "model", LINEAR, head, shape=(16,), featured=featured))
    write_onnx(model, tmp_path / "model.onnx")
    images = images_of(4, (1, 12, 16)).float() / 255
    assert np.abs(ask(tmp_path / "model.onnx", images)[0] - expected(model, images)).max() < 1e-4


def test_what_cannot_be_written_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = load_model(stored(tmp_path / "model", NODE, made_network((3, 8, 8)).state_dict(), shape=(3, 8, 8)))
    monkeypatch.setattr(onnx_export, "_MOST_BYTES", 100)
    with pytest.raises(UserError, match="GB of weights and one file of ONNX holds 2"):
        write_onnx(model, tmp_path / "model.onnx")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"needs onnx and onnxscript, not installed here: pip install -e \.\[onnx\]"):
        write_onnx(model, tmp_path / "model.onnx")
    assert isinstance(model.network, nn.Module) and not (tmp_path / "model.onnx").exists()
