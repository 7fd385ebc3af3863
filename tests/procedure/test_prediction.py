"""A trained model asked about one's own pictures: what it is given, what it answers, what is refused."""

import csv
import io
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pictures import noise, save
from safetensors.torch import save_file

from al_bench.errors import UserError
from al_bench.procedure.prediction import TrainedModel, load_model, newest_model, write_predictions
from al_bench.storage.model_file import ModelHead, Reads, head_of, read_model
from scripts import predict

LINEAR = {"_target_": "al_bench.network.linear.Linear", "_partial_": True}
NAMES = ("cat", "dog", "owl")


def head(**changed: Any) -> ModelHead:
    about = {
        "config": {"dataset": {"crop": "none"}, "learner": {"network": LINEAR}},
        "label": "image_folder/random/seed=0",
        "commit": "abc",
    }
    reads = Reads(shape=(3, 8, 8), class_names=NAMES)
    return head_of(reads, about, "0123456789ab", 1, 20).model_copy(update=changed)


def weights(rows: int = 3, prefix: str = "") -> dict[str, torch.Tensor]:
    """Of a linear model on 3 x 8 x 8."""
    found = torch.arange(rows * 192.0).reshape(rows, 192).sin()
    return {f"{prefix}head.weight": found, f"{prefix}head.bias": torch.zeros(rows)}


def model_file(run: Path, one: ModelHead | None = None, index: int = 1, **of: Any) -> Path:
    path = run / "cycles" / f"{index:03d}.model.safetensors"
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(weights(**of), path, (one or head()).as_metadata())
    return path


def ask(model: TrainedModel, place: Path) -> tuple[list[dict[str, str]], list[str]]:
    file = io.StringIO()
    problems = write_predictions(file, model, place)
    return list(csv.DictReader(io.StringIO(file.getvalue()))), problems


def by_hand(pixels: np.ndarray) -> np.ndarray:
    """Probabilities of (8, 8, 3) bytes."""
    logits = weights()["head.weight"].numpy() @ (pixels.transpose(2, 0, 1).reshape(-1) / 255)
    shifted = np.exp(logits - logits.max())
    return np.asarray(shifted / shifted.sum())


def test_each_picture_has_the_probabilities_of_the_model_and_its_likeliest_class(tmp_path: Path) -> None:
    model = load_model(model_file(tmp_path / "run").parents[1])
    names = [f"{number:03d}.png" for number in range(70)]  # more than are read at a time
    for number, name in enumerate(names):
        save(tmp_path / "pictures" / "deep" / name, noise(number))
    rows, problems = ask(model, tmp_path / "pictures")
    assert [row["file"] for row in rows] == [f"deep/{name}" for name in names]
    assert problems == []
    for number, row in enumerate(rows):
        found = [float(row[f"p({name})"]) for name in NAMES]
        assert found == pytest.approx(by_hand(noise(number)), abs=2e-6)
        assert row["label"] == NAMES[int(np.argmax(found))]
    assert len({row["label"] for row in rows}) > 1


def test_pictures_are_made_as_those_of_the_run_were(tmp_path: Path) -> None:
    """Scaled, squashed or cut as its data set did it, and gray where it was."""
    tall = save(tmp_path / "tall.png", np.concatenate([noise(0, 8, 8), noise(1, 8, 8)]))
    asked = {crop: ask(load_model(model_file(tmp_path / crop, head(crop=crop))), tall) for crop in ("none", "center")}
    assert asked["none"] != asked["center"]
    gray = model_file(tmp_path / "gray", head(shape=(1, 8, 8)))
    save_file(
        {"head.weight": torch.ones(3, 64), "head.bias": torch.zeros(3)}, gray, head(shape=(1, 8, 8)).as_metadata()
    )
    (row,), _ = ask(load_model(gray), tall)
    assert [row[f"p({name})"] for name in NAMES] == 3 * ["0.333333"]


def test_the_last_model_of_a_run_is_asked_and_a_copied_file_is_the_same(tmp_path: Path) -> None:
    for index in (9, 10):
        model_file(tmp_path / "run", index=index)
    assert newest_model(tmp_path / "run").name == "010.model.safetensors"
    copied = Path(shutil.copy(newest_model(tmp_path / "run"), tmp_path / "mine.safetensors"))
    one = save(tmp_path / "one.png", noise(3))
    assert ask(load_model(copied), one) == ask(load_model(tmp_path / "run"), one)


def test_the_network_is_taken_out_of_what_its_learner_added(tmp_path: Path) -> None:
    path = model_file(tmp_path, head(prefix="network."), prefix="network.")
    found = read_model(path)[1] | {"critic.weight": torch.zeros(2)}
    save_file(found, path, head(prefix="network.").as_metadata())
    assert ask(load_model(path), save(tmp_path / "one.png", noise(3))) == ask(
        load_model(model_file(tmp_path / "plain")), tmp_path / "one.png"
    )


def test_pictures_that_cannot_be_read_are_named_and_the_rest_answered(tmp_path: Path) -> None:
    model = load_model(model_file(tmp_path / "run"))
    save(tmp_path / "pictures" / "a.png", noise(0))
    (tmp_path / "pictures" / "b.png").write_text("no picture")
    rows, problems = ask(model, tmp_path / "pictures")
    assert [row["file"] for row in rows] == ["a.png"]
    assert len(problems) == 1 and "b.png" in problems[0]


@pytest.mark.parametrize(
    ("one", "of", "said"),
    [
        (head(shape=(192,)), {}, "no pictures"),
        (head(shape=(2, 8, 8)), {}, "no pictures"),
        (head(maps=True), {}, "each pixel"),
        (head(class_names=("cat", "dog")), {}, "another network"),
    ],
)
def test_a_model_that_answers_something_else_is_refused(tmp_path: Path, one: ModelHead, of: Any, said: str) -> None:
    with pytest.raises(UserError, match=said):
        load_model(model_file(tmp_path, one, **of))


def test_what_is_no_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="does not exist"):
        load_model(tmp_path / "nothing")
    with pytest.raises(UserError, match="no trained model"):
        load_model(tmp_path)
    (tmp_path / "text").write_text("not a model")
    with pytest.raises(UserError, match="not the file of a model"):
        load_model(tmp_path / "text")
    for number, metadata in enumerate(({}, {"al_bench": "[]"}, {"al_bench": "{"}, {"al_bench": '{"format": 2}'})):
        save_file(weights(), tmp_path / str(number), metadata or None)
        with pytest.raises(UserError, match="earlier version" if not metadata else "no version"):
            load_model(tmp_path / str(number))


def test_the_command_tells_what_it_could_not_do_by_its_exit_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = str(model_file(tmp_path / "run").parents[1])
    save(tmp_path / "pictures" / "a.png", noise(0))
    assert predict.main([run, str(tmp_path / "pictures")]) == 0
    assert capsys.readouterr().out.splitlines()[0] == "file,label,p(cat),p(dog),p(owl)"
    (tmp_path / "pictures" / "b.png").write_text("no picture")
    assert predict.main([run, str(tmp_path / "pictures")]) == 1
    assert "left out" in capsys.readouterr().err
    (tmp_path / "empty").mkdir()
    for place, said in (("nowhere", "nowhere does not exist"), ("empty", "empty has no pictures")):
        with pytest.raises(UserError, match=said):
            predict.main([run, str(tmp_path / place)])


def test_names_are_text(tmp_path: Path) -> None:
    """Of files and of classes: neither a formula nor bytes that no CSV takes."""
    names = ("=1+1", "dog", "owl")
    model = load_model(model_file(tmp_path / "run", head(class_names=names)))
    for name in (b"-a.png", b"caf\xe9.png"):
        save(tmp_path / "pictures" / os.fsdecode(name), noise(0))
    file = io.StringIO()
    assert write_predictions(file, model, tmp_path / "pictures") == []
    assert [line.split(",")[0] for line in file.getvalue().splitlines()] == ["file", "'-a.png", "caf\\udce9.png"]
    file.getvalue().encode()


@pytest.mark.parametrize(
    "network",
    [
        {"_target_": "os.system", "command": "touch run"},
        {"_target_": "al_bench.network.resnet18.ResNet18", "_partial_": True, "weights": "/etc/passwd"},
        LINEAR | {"_args_": [1]},
        LINEAR | {"more": "${oc.env:HOME}"},
        LINEAR | {"more": 1},
    ],
)
def test_nothing_but_a_network_of_ours_is_made_of_a_file(tmp_path: Path, network: dict[str, Any]) -> None:
    with pytest.raises(UserError):
        load_model(model_file(tmp_path, head(network=network)))


def test_a_network_that_began_with_other_weights_needs_them_no_longer() -> None:
    about = {
        "config": {"dataset": None, "learner": {"network": LINEAR | {"weights": "gone.pt", "weights_folder": "gone"}}},
        "label": "",
        "commit": "",
    }
    assert head_of(Reads(shape=(3, 8, 8), class_names=NAMES), about, "", 0, 0).network == LINEAR
