"""Weights in torchvision's layout, made by torchvision's own networks."""

import hashlib
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from composing import compose, run_id
from safetensors.torch import save_file
from torch import Tensor
from torchvision.models import ResNet18_Weights, VGG16_BN_Weights, resnet18, resnet34, vgg16_bn

from al_bench import seeding
from al_bench.errors import UserError
from al_bench.network import Network
from al_bench.network.pretrained import load_weights, urls_of
from al_bench.network.resnet18 import ResNet18
from al_bench.network.resnet18_dropout import ResNet18Dropout
from al_bench.network.vgg16_bn_imagenet import Vgg16BnImagenet

Weights = dict[str, Tensor]
RESNET18 = ("dataset=cifar10", "strategy=random", "network=resnet18")


def made(weights: str | Path | None, classes: int = 7, folder: str | Path = "nowhere", **more: object) -> ResNet18:
    arguments = {"stem": "imagenet", "width": 64, "mean": 0.5, "std": 0.5, **more}
    given = None if weights is None else str(weights)
    with seeding.fork(0):
        return ResNet18((3, 32, 32), classes, weights=given, weights_folder=folder, **arguments)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def theirs() -> Weights:
    with seeding.fork(1):
        weights: Weights = resnet18().state_dict()
    return weights


@pytest.fixture(params=["safetensors", "pth", "legacy", "parallel", "checkpoint"])
def file(request: pytest.FixtureRequest, tmp_path: Path, theirs: Weights) -> Path:
    """The same weights as they are published: safetensors, torch's format of today and before, other names around."""
    path = tmp_path / f"weights.{'safetensors' if request.param == 'safetensors' else 'pth'}"
    if request.param == "safetensors":
        save_file(theirs, path)
    elif request.param == "parallel":
        torch.save({f"module.{name}": value for name, value in theirs.items()}, path)
    elif request.param == "checkpoint":
        torch.save({"epoch": 3, "state_dict": theirs}, path)
    else:
        torch.save(theirs, path, _use_new_zipfile_serialization=request.param == "pth")
    return path


def test_the_backbone_has_the_files_weights_and_the_head_is_drawn(file: Path, theirs: Weights) -> None:
    network, drawn = made(file), made(None)
    backbone = network.backbone.state_dict()
    assert len(backbone) == len(theirs) - 2, "all but fc"
    assert all(torch.equal(backbone[name], theirs[name]) for name in backbone)
    assert torch.equal(network.head.weight, drawn.head.weight)  # type: ignore[arg-type]
    assert not torch.equal(drawn.backbone.state_dict()["conv1.weight"], theirs["conv1.weight"])


def test_a_head_of_a_thousand_classes_is_not_taken_where_it_fits(tmp_path: Path, theirs: Weights) -> None:
    """MAL takes F alone from ImageNet."""
    torch.save(theirs, tmp_path / "file.pth")
    head = made(tmp_path / "file.pth", 1000).head.weight
    assert torch.equal(head, made(None, 1000).head.weight)  # type: ignore[arg-type]


def test_files_without_counters_of_batches_are_taken(tmp_path: Path, theirs: Weights) -> None:
    older = {name: value for name, value in theirs.items() if not name.endswith("num_batches_tracked")}
    torch.save(older, tmp_path / "older.pth")
    assert torch.equal(made(tmp_path / "older.pth").backbone.state_dict()["bn1.weight"], theirs["bn1.weight"])


def test_dropout_and_vgg_take_theirs(tmp_path: Path, theirs: Weights) -> None:
    torch.save(theirs, tmp_path / "resnet.pth")
    dropping = ResNet18Dropout((3, 32, 32), 7, 0.2, "imagenet", 64, 0.5, 0.5, weights=str(tmp_path / "resnet.pth"))
    assert torch.equal(dropping.backbone.state_dict()["layer4.1.conv2.weight"], theirs["layer4.1.conv2.weight"])
    features = {name: value for name, value in vgg16_bn().state_dict().items() if name.startswith("features.")}
    torch.save({**features, "classifier.0.weight": torch.zeros(1)}, tmp_path / "vgg.pth")
    network = Vgg16BnImagenet((3, 32, 32), 7, 0.5, 0.5, weights=str(tmp_path / "vgg.pth"))
    assert all(torch.equal(network.backbone.state_dict()[name], value) for name, value in features.items())


@pytest.mark.parametrize("prefix", ["", "network."])
def test_the_model_of_a_run_is_taken_whole(tmp_path: Path, prefix: str) -> None:
    """As the store writes it; of a learner's model the network alone."""
    stored = made(None, width=16)
    torch.nn.init.ones_(stored.head.weight)  # type: ignore[arg-type]
    weights = {f"{prefix}{name}": value for name, value in stored.state_dict().items()}
    save_file({**weights, "critic.weight": torch.zeros(1)}, tmp_path / "003.model.safetensors")
    again = made(tmp_path / "003.model.safetensors", width=16).state_dict()
    assert all(torch.equal(again[name], value) for name, value in stored.state_dict().items())


Refused = Callable[[Path], Network]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (
            {"stem": "cifar"},
            r"backbone\.conv1\.weight is \(64, 3, 7, 7\) there and \(64, 3, 3, 3\) in network=resnet18",
        ),
        ({"width": 16}, r"backbone\.conv1\.weight is \(64, 3, 7, 7\) there and \(16, 3, 7, 7\) in network=resnet18"),
    ],
)
def test_another_shape_is_named(tmp_path: Path, theirs: Weights, more: dict[str, object], said: str) -> None:
    torch.save(theirs, tmp_path / "file.pth")
    with pytest.raises(UserError, match=rf"network\.weights={tmp_path}/file\.pth is of another network: {said}: use"):
        made(tmp_path / "file.pth", **more)


def test_another_number_of_classes_is_named(tmp_path: Path) -> None:
    save_file(made(None, 10, width=16).state_dict(), tmp_path / "ten.safetensors")
    with pytest.raises(
        UserError,
        match=r"ten\.safetensors is for another number of classes: head\.weight is \(10, 128\) there and \(7, 128\)",
    ):
        made(tmp_path / "ten.safetensors", width=16)


def test_another_network_is_named(tmp_path: Path, theirs: Weights) -> None:
    torch.save(resnet34().state_dict(), tmp_path / "more.pth")
    with pytest.raises(UserError, match=r"more\.pth is of another network: it has backbone\.layer1\.2\.conv1\.weight"):
        made(tmp_path / "more.pth")
    torch.save({name: value for name, value in theirs.items() if "layer4" not in name}, tmp_path / "less.pth")
    with pytest.raises(
        UserError, match=r"less\.pth is of another network: it lacks backbone\.layer4\.0\.conv1\.weight"
    ):
        made(tmp_path / "less.pth")


class Harmful:
    """Whoever unpickles it makes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return (Path.touch, (self.path,))


def test_whole_numbers_are_refused(tmp_path: Path, theirs: Weights) -> None:
    """Quantized weights would be taken as they are, without their scales; half precision is no other network."""
    for kind in (torch.int8, torch.float16):
        cast = {name: value.to(kind) if value.is_floating_point() else value for name, value in theirs.items()}
        torch.save(cast, tmp_path / f"{kind}.pth")
    with pytest.raises(UserError, match=r"int8\.pth holds backbone\.conv1\.weight as int8, not as floating-point"):
        made(tmp_path / "torch.int8.pth")
    weight = made(tmp_path / "torch.float16.pth").backbone.state_dict()["conv1.weight"]
    assert torch.equal(weight, theirs["conv1.weight"].half().float())


def test_what_is_no_file_of_weights_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bad.safetensors").write_bytes(b"no header")
    (tmp_path / "harm.pth").write_bytes(pickle.dumps(Harmful(tmp_path / "harmed"), protocol=2))
    (tmp_path / "newer.pth").write_bytes(pickle.dumps([1], protocol=4))  # of which torch warns
    (tmp_path / "text.pth").write_text("root:x:0:0:root:/root:/bin/bash\n")
    (tmp_path / "empty.pth").touch()
    torch.save(made(None, width=1).state_dict(), tmp_path / "cut.pth")
    (tmp_path / "cut.pth").write_bytes((tmp_path / "cut.pth").read_bytes()[:-1000])
    for name, why in (
        ("bad.safetensors", "[^)]+"),
        ("harm.pth", "it is none, or holds more than tensors, which is not run"),
        ("newer.pth", "it is none, or holds more than tensors, which is not run"),
        ("text.pth", "it is none, or holds more than tensors, which is not run"),
        ("empty.pth", "[^)]+"),
        ("cut.pth", "[^).]+"),  # a single sentence, where torch has four
    ):
        with pytest.raises(UserError, match=rf"{name} cannot be read as weights \({why}\): give"):
            made(tmp_path / name)
    assert not (tmp_path / "harmed").exists(), "nothing that a file says is run"
    for number, content in enumerate(([torch.zeros(1)], {0: torch.zeros(1)})):
        torch.save(content, tmp_path / f"{number}.pth")
        with pytest.raises(UserError, match=rf"{number}\.pth holds no weights by the names of their layers"):
            made(tmp_path / f"{number}.pth")
    torch.save({"conv1.weight": torch.tensor([1.0, torch.nan])}, tmp_path / "nan.pth")
    with pytest.raises(UserError, match=r"nan\.pth holds numbers in conv1\.weight that are not finite"):
        made(tmp_path / "nan.pth")
    with pytest.raises(UserError, match=r"network\.weights=absent\.pth is no file .*IMAGENET1K_V1"):
        made("absent.pth")


def published(folder: Path, weights: Weights) -> str:
    """The URL of a file that is named by its sum."""
    torch.save(weights, folder / "new.pth")
    content = (folder / "new.pth").read_bytes()
    path = folder / f"resnet18-{hashlib.sha256(content).hexdigest()[:8]}.pth"
    path.write_bytes(content)
    return path.as_uri()


def test_published_weights_are_fetched_once_and_checked_by_their_name(tmp_path: Path, theirs: Weights) -> None:
    url, place = published(tmp_path, theirs), tmp_path / "weights"
    network = made(None)
    load_weights(network, "NAME", place, {"NAME": url})
    assert torch.equal(network.backbone.state_dict()["conv1.weight"], theirs["conv1.weight"])
    Path(url.removeprefix("file://")).unlink()
    load_weights(made(None), "NAME", place, {"NAME": url})
    (kept,) = place.glob("*.pth")
    kept.write_bytes(kept.read_bytes()[:-1])
    with pytest.raises(UserError, match=r"resnet18-\w+\.pth is corrupted or truncated: remove it"):
        load_weights(made(None), "NAME", place, {"NAME": url})


def test_what_cannot_be_fetched_says_which_file_to_put_where(tmp_path: Path, theirs: Weights) -> None:
    url = published(tmp_path, theirs)
    wrong = tmp_path / "resnet18-00000000.pth"
    wrong.write_bytes(b"a page of HTML")
    for address, why in ((wrong.as_uri(), "is corrupted"), (f"{url}-12345678.pth", "No such file")):
        name = address.rsplit("/", 1)[-1]
        with pytest.raises(
            UserError, match=rf"{tmp_path}/weights lacks .*{why}.*: put {name} there, which {address} has"
        ):
            load_weights(made(None), "NAME", tmp_path / "weights", {"NAME": address})
    assert not (tmp_path / "weights").exists()


def test_torchvisions_names_are_known() -> None:
    assert urls_of(ResNet18_Weights)["IMAGENET1K_V1"].endswith("/resnet18-f37072fd.pth")
    assert urls_of(VGG16_BN_Weights)["IMAGENET1K_V1"].endswith("/vgg16_bn-6c64b313.pth")


def test_a_run_is_known_by_the_weights_and_not_by_where_they_are(tmp_path: Path) -> None:
    for name, content in (("one", b"1"), ("same", b"1"), ("other", b"2")):
        (tmp_path / name).write_bytes(content)
    one, same, other = (run_id(*RESNET18, f"network.weights={tmp_path / name}") for name in ("one", "same", "other"))
    assert one == same
    named = run_id(*RESNET18, "network.weights=IMAGENET1K_V1")
    assert len({one, other, named, run_id(*RESNET18)}) == 4
    assert run_id(*RESNET18, "network.weights=IMAGENET1K_V1", "paths.data=/elsewhere") == named
    assert compose(*RESNET18, "paths.data=/here").network.weights_folder == "/here/weights"
