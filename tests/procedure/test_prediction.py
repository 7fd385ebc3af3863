"""A trained model asked about one's own pictures: what it is given, what it answers, what is refused."""

import csv
import io
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from made_backbone import made_network, model_of
from made_runs import made_record
from pictures import noise, save
from safetensors.torch import save_file

from al_bench.analysis.backbones import backbone_of
from al_bench.errors import UserError
from al_bench.network.small_fcn import SmallFcn
from al_bench.procedure.prediction import TrainedModel, load_model, newest_model, pictures_in, write_predictions
from al_bench.storage.cycle import Cycle
from al_bench.storage.model_file import Featured, ModelHead, Reads, head_of, read_model
from al_bench.storage.store import RunStore
from scripts import predict

LINEAR = {"_target_": "al_bench.network.linear.Linear", "_partial_": True}
SMALL_CNN = {
    "_target_": "al_bench.network.small_cnn.SmallCnn",
    "_partial_": True,
    "channels": [4],
    "hidden": 8,
    "dropout": 0.5,
}
NAMES = ("cat", "dog", "owl")
ABOUT: dict[str, Any] = {
    "config": {"dataset": {"crop": "none"}, "learner": {"network": LINEAR}},
    "label": "image_folder/random/seed=0",
    "commit": "abc",
}


def head(**changed: Any) -> ModelHead:
    reads = Reads(shape=(3, 8, 8), class_names=NAMES)
    return head_of(reads, ABOUT, "0123456789ab", 1, 20).model_copy(update=changed)


def weights(rows: int = 3, prefix: str = "") -> dict[str, torch.Tensor]:
    """Of a linear model on 3 x 8 x 8."""
    found = torch.arange(rows * 192.0).reshape(rows, 192).sin()
    return {f"{prefix}head.weight": found, f"{prefix}head.bias": torch.zeros(rows)}


def model_file(run: Path, one: ModelHead | None = None, **of: Any) -> Path:
    path = run / "001.model.safetensors"
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(weights(**of), path, (one or head()).as_metadata())
    return path


def stored_run(folder: Path, cycles: int = 2) -> Path:
    """Each cycle's model has the weights times its number."""
    with RunStore(folder, {"part": "made.loop"}, ABOUT) as store:
        for index in range(cycles):
            found = {name: one * index for name, one in weights().items()}
            record = made_record(index=index)
            store.write(Cycle(record, {"labels": torch.zeros(2)}, found, Reads(shape=(3, 8, 8), class_names=NAMES)))
    return folder


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
    model = load_model(stored_run(tmp_path / "run"))
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
    cycles = stored_run(tmp_path / "run", 3) / "cycles"
    for name in ("002 (copy)", "003", "0004"):  # a copy, the model of a cycle that was cut, a user's own
        shutil.copy(cycles / "001.model.safetensors", cycles / f"{name}.model.safetensors")
    assert newest_model(tmp_path / "run").name == "002.model.safetensors"
    copied = Path(shutil.copy(newest_model(tmp_path / "run"), tmp_path / "mine.safetensors"))
    one = save(tmp_path / "one.png", noise(3))
    assert ask(load_model(copied), one) == ask(load_model(tmp_path / "run"), one)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("002.model.safetensors", "is corrupted: put it back"),
        ("001.safetensors", "its tensors do not hash"),
        ("002.json", "not whole JSON"),
        ("config.json", "holds no configuration of a run"),
    ],
)
def test_a_run_whose_files_are_not_what_was_written_is_not_asked(tmp_path: Path, name: str, said: str) -> None:
    run = stored_run(tmp_path / "run", 3)
    if name == "config.json":
        (run / name).write_text("[]")
    elif "safetensors" in name:
        data = bytearray((run / "cycles" / name).read_bytes())
        data[-1] ^= 1
        (run / "cycles" / name).write_bytes(data)
    else:
        (run / "cycles" / name).write_text("{")
    with pytest.raises(UserError, match=said):
        load_model(run)


def test_the_last_model_that_is_kept_is_asked(tmp_path: Path) -> None:
    run = stored_run(tmp_path / "run", 3)
    (run / "cycles" / "002.model.safetensors").unlink()
    assert newest_model(run).name == "001.model.safetensors"
    (run / "cycles" / "001.model.safetensors").unlink()
    with pytest.raises(UserError, match="no trained model"):
        load_model(run)


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
        (head(shape=(3, 10**5, 10**5)), {}, "no pictures"),
        (head(shape=(3, 900, 900)), {}, "another network"),
        (head(network=SMALL_CNN | {"hidden": 10_000}), {}, "another network"),
        (head(network=SMALL_CNN | {"hidden": 10**25}), {}, "must be at most 16384"),
        (head(network=SMALL_CNN | {"hidden": "many"}), {}, "hidden=many must be a whole number"),
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
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UserError, match="not the file of a model: no regular file"):
        load_model(tmp_path / "pipe")
    endless = weights() | {"head.bias": torch.full((3,), torch.nan)}
    save_file(endless, tmp_path / "endless", head().as_metadata())
    with pytest.raises(UserError, match=r"head\.bias that are not finite"):
        load_model(tmp_path / "endless")
    (tmp_path / "text").write_text("not a model")
    with pytest.raises(UserError, match="not the file of a model"):
        load_model(tmp_path / "text")
    deep, none = "[" * 100_000, head().as_metadata()["al_bench"].replace("[3,8,8]", "[3,0,8]")
    texts = ("[]", "{", '{"format": 2}', deep, none, none.replace("3,0,8", "3,-8,8"))
    for number, metadata in enumerate(({}, *({"al_bench": text} for text in texts))):
        save_file(weights(), tmp_path / str(number), metadata or None)
        with pytest.raises(UserError, match="earlier version" if not metadata else "no version"):
            load_model(tmp_path / str(number))


def test_the_command_tells_what_it_could_not_do_by_its_exit_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = str(stored_run(tmp_path / "run"))
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


def test_answers_are_utf_8_where_a_terminal_has_no_letters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(tmp_path / "pictures" / "café.png", noise(0))
    run = str(stored_run(tmp_path / "run"))
    kept = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(kept, encoding="ascii"))
    assert predict.main([run, str(tmp_path / "pictures")]) == 0
    sys.stdout.flush()
    assert kept.getvalue().decode().splitlines()[1].startswith("café.png,")


def test_names_are_text(tmp_path: Path) -> None:
    """Of files and of classes: neither a formula nor bytes that no CSV takes."""
    names = ("=1+1", "dog\n\x1b[2J", "owl")
    model = load_model(model_file(tmp_path / "run", head(class_names=names)))
    for name in (b"-a.png", b"caf\xe9.png"):
        save(tmp_path / "pictures" / os.fsdecode(name), noise(0))
    file = io.StringIO()
    assert write_predictions(file, model, tmp_path / "pictures") == []
    assert [line.split(",")[0] for line in file.getvalue().splitlines()] == ["file", "'-a.png", "caf\\udce9.png"]
    file.getvalue().encode()
    assert file.getvalue().splitlines()[0] == r"file,label,p(=1+1),p(dog\n\x1b[2J),p(owl)"


def test_a_model_of_a_training_that_failed_answers_nothing(tmp_path: Path) -> None:
    path = model_file(tmp_path)
    save_file(weights() | {"head.bias": torch.full((3,), float("nan"))}, path, head().as_metadata())
    with pytest.raises(UserError, match="not finite"):
        load_model(path)


@pytest.mark.parametrize(
    "network",
    [
        {"_target_": "os.system", "command": "touch run"},
        {"_target_": "al_bench.network.resnet18.ResNet18", "_partial_": True, "weights": "/etc/passwd"},
        LINEAR | {"_args_": [1]},
        LINEAR | {"more": "${oc.env:HOME}"},
        LINEAR | {"more": 1},
        {"_target_": "al_bench.network.linear.Linear"},
        {"_target_": "al_bench.dataset.digits.digits", "test_share": 0.2, "split_seed": 0},
    ],
)
def test_nothing_but_a_network_of_ours_is_made_of_a_file(tmp_path: Path, network: dict[str, Any]) -> None:
    with pytest.raises(UserError):
        load_model(model_file(tmp_path, head(network=network)))


def test_a_head_of_another_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no version of al_bench"):
        load_model(model_file(tmp_path, head(format=2)))


def test_a_model_that_answers_for_pixels_and_does_not_say_so_is_refused(tmp_path: Path) -> None:
    node = {"_target_": "al_bench.network.small_fcn.SmallFcn", "_partial_": True, "width": 2, "dropout": 0.0}
    network = SmallFcn(input_shape=(3, 8, 8), num_classes=3, width=2, dropout=0.0)
    save_file(network.state_dict(), tmp_path / "model", head(network=node).as_metadata())
    with pytest.raises(UserError, match="one number for each of its 3 classes"):
        load_model(tmp_path / "model")


def test_a_network_that_began_with_other_weights_needs_them_no_longer() -> None:
    about = {
        "config": {"dataset": None, "learner": {"network": LINEAR | {"weights": "gone.pt", "weights_folder": "gone"}}},
        "label": "",
        "commit": "",
    }
    assert head_of(Reads(shape=(3, 8, 8), class_names=NAMES), about, "", 0, 0).network == LINEAR


@pytest.mark.parametrize(
    ("crop", "window", "word"),
    [(108, 108, "center"), (None, None, "center"), ("none", None, "none"), (True, None, "center")],
)
def test_a_window_in_pixels_is_cut_out_before_an_answer(crop: Any, window: int | None, word: str) -> None:
    """As CelebA's faces and LSUN's scenes are; a word of another meaning is a data set's own."""
    about = {**ABOUT, "config": {**ABOUT["config"], "dataset": {"crop": crop}}}
    found = head_of(Reads(shape=(3, 8, 8), class_names=NAMES), about, "0123456789ab", 1, 20)
    decoder = TrainedModel(torch.nn.Identity(), found).decoder
    assert (decoder.size, decoder.crop, decoder.window) == ((8, 8), word, window)
    read = ModelHead.model_validate_json(found.as_metadata()["al_bench"])
    assert read == found and ("window" in found.as_metadata()["al_bench"]) == (window is not None)


def featured_run(tmp_path: Path, **changed: Any) -> Path:
    """The file of a linear model on the 16 embeddings that a network of ours gives of 3 x 8 x 8."""
    weights_file = model_of(tmp_path / "backbone.safetensors", (3, 8, 8))
    said: dict[str, Any] = {
        "image_shape": (3, 8, 8), "network": None, "weights": str(weights_file), "size": (8, 8), "pixel_mean": None,
        "pixel_std": None, "interpolation": "bilinear", "normalize": "standardize", "mean": (0.5,) * 16,
        "scale": (2.0,) * 16, "sum": backbone_of(None, str(weights_file), tmp_path).sum,
    }  # fmt: skip
    featured = Featured(**{**said, **changed})
    head_weight = torch.arange(48.0).reshape(3, 16).cos()
    path = tmp_path / "run" / "001.model.safetensors"
    path.parent.mkdir(exist_ok=True)
    one = head(shape=(16,), featured=featured)
    save_file({"head.weight": head_weight, "head.bias": torch.zeros(3)}, path, one.as_metadata())
    return path


def test_pictures_go_through_the_frozen_network_that_made_the_features(tmp_path: Path) -> None:
    path = featured_run(tmp_path)
    pixels = noise(5)
    (row,), _ = ask(load_model(path), save(tmp_path / "one.png", pixels))
    with torch.no_grad():
        images = torch.from_numpy(pixels.transpose(2, 0, 1))[None].float() / 255
        features = (made_network((3, 8, 8)).embed(images) - 0.5) * 2
        expected = (features @ torch.arange(48.0).reshape(3, 16).cos().T).softmax(1)[0].tolist()
    assert [float(row[f"p({name})"]) for name in NAMES] == pytest.approx(expected, abs=2e-6)
    moved = (tmp_path / "backbone.safetensors").rename(tmp_path / "moved.safetensors")
    with pytest.raises(UserError, match=r"backbone\.safetensors is no file that is there.* --weights FILE"):
        load_model(path)
    assert ask(load_model(path, str(moved)), tmp_path / "one.png")[0] == [row]


def test_other_weights_than_the_features_were_made_with_are_refused(tmp_path: Path) -> None:
    path, other = featured_run(tmp_path), model_of(tmp_path / "other.safetensors", (3, 8, 8), seed=1)
    with pytest.raises(UserError, match=r"other\.safetensors are not those that its features were made with"):
        load_model(path, str(other))
    with pytest.raises(UserError, match="is of no use"):
        load_model(model_file(tmp_path / "plain"), str(other))


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"mean": (0.5,) * 15}, "its features are not the 16 numbers"),
        ({"image_shape": (3, 10**5, 10**5)}, "no pictures"),
        ({"size": (10**5, 10**5)}, "no pictures"),
        ({"network": "os.system"}, "says not whose it is"),
    ],
)
def test_what_a_file_says_of_its_frozen_network_is_checked(tmp_path: Path, changed: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=said):
        load_model(featured_run(tmp_path, **changed))


def test_a_model_that_reads_pictures_says_what_it_said_before() -> None:
    assert "featured" not in head().as_metadata()["al_bench"]


def test_of_one_picture_no_other_is_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """There may be a million beside it."""

    def scan(folder: Path) -> None:
        raise AssertionError(folder)

    for name in ("one.PNG", "two.png", ".hidden.png", "notes.txt"):
        (tmp_path / name).touch()
    monkeypatch.setattr(os, "scandir", scan)
    folder, files = pictures_in(tmp_path / "one.PNG")
    assert (folder, [file.name for file in files]) == (tmp_path, ["one.PNG"])
    for name in (".hidden.png", "notes.txt"):
        with pytest.raises(UserError, match="has no pictures"):
            pictures_in(tmp_path / name)


def test_what_of_a_folder_is_no_picture_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Of a phone's folder half may be of a kind that is not read, and a link may lead nowhere."""
    model = load_model(stored_run(tmp_path / "run"))
    save(tmp_path / "pictures" / "a.png", noise(0))
    (tmp_path / "pictures" / "b.heic").write_bytes(b"")
    (tmp_path / "pictures" / "c.jpg").symlink_to(tmp_path / "nowhere")
    rows, _ = ask(model, tmp_path / "pictures")
    assert [row["file"] for row in rows] == ["a.png"]
    assert "2 left out below" in caplog.text and "b.heic" in caplog.text and "c.jpg" in caplog.text
