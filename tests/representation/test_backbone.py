"""Frozen networks as a representation: what they give, that they give it once, and which weights are refused."""

import math
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from made_backbone import images_of, made_network, model_of
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor
from torchvision.models import mobilenet_v3_small
from torchvision.transforms.v2.functional import normalize, resize

from al_bench import seeding
from al_bench.active.inputs import Inputs, read_all
from al_bench.dataset import Dataset, Split
from al_bench.errors import UserError
from al_bench.network.frozen_backbone import FrozenBackbone
from al_bench.representation import normalized
from al_bench.representation.backbone import Backbone
from al_bench.storage.artifacts import Artifacts
from al_bench.storage.model_file import Reads, head_of

SHAPE = (1, 8, 8)
NODE = {"_target_": "al_bench.network.linear.Linear", "_partial_": True}
ABOUT: dict[str, Any] = {"config": {"dataset": None, "learner": {"network": NODE}}, "label": "", "commit": ""}
LINEAR = head_of(Reads(shape=(16,), class_names=("a", "b", "c")), ABOUT, "", 0, 0).as_metadata()


def made_dataset(counts: Sequence[int] = (300, 40, 50), shape: tuple[int, int, int] = SHAPE) -> Dataset:
    train, validation, test = (
        Split(images_of(count, shape, seed), torch.arange(count) % 2) for seed, count in enumerate(counts)
    )
    return Dataset(train, validation, test, 2, ("a", "b"))


def backbone(weights: Path | str | None, network: str | None = None, **more: Any) -> Backbone:
    return Backbone(network, None if weights is None else str(weights), **more)


def rows(inputs: Inputs) -> Tensor:
    return read_all(inputs)


def embedded(images: Inputs) -> Tensor:
    with torch.no_grad():
        return made_network(SHAPE).embed(read_all(images).float() / 255)


def head_of_file(path: Path) -> dict[str, str]:
    with safe_open(path, "pt") as file:
        found: dict[str, str] = file.metadata()
    return found


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return model_of(tmp_path / "model.safetensors")


def test_features_are_the_embeddings_standardized_by_the_training_split(model: Path, tmp_path: Path) -> None:
    dataset = made_dataset()
    found = backbone(model).apply(dataset, Artifacts(tmp_path))
    train = embedded(dataset.train.images)
    mean, deviation = train.mean(0), train.std(0, correction=0)
    deviation[deviation == 0] = 1  # of what ReLU gives nowhere
    for name in ("train", "validation", "test"):
        expected = (embedded(getattr(dataset, name).images) - mean) / deviation
        assert torch.allclose(rows(getattr(found, name).images), expected, atol=1e-4)
    assert found.featured is not None and found.featured.image_shape == SHAPE


@pytest.mark.parametrize("how", ["l2", "none"])
def test_features_of_length_one_or_as_they_are(model: Path, tmp_path: Path, how: Any) -> None:
    dataset = made_dataset()
    found = rows(backbone(model, normalize=how).apply(dataset, Artifacts(tmp_path)).test.images)
    plain = embedded(dataset.test.images)
    assert torch.allclose(found, plain / plain.norm(dim=1, keepdim=True) if how == "l2" else plain, atol=1e-5)
    assert how == "none" or torch.allclose(found.norm(dim=1), torch.ones(50), atol=1e-5)


def test_more_features_than_are_kept_in_memory_are_normalized_when_they_are_asked_for(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = backbone(model).apply(made_dataset(), Artifacts(tmp_path)).train.images
    monkeypatch.setattr(normalized, "_MOST_BYTES", 300 * 16 * 4 - 1)
    view = backbone(model).apply(made_dataset(), Artifacts(tmp_path)).train.images
    assert isinstance(whole, Tensor) and not isinstance(view, Tensor)
    assert view.shape == whole.shape
    places = torch.tensor([299, 3, 3])
    assert torch.allclose(view[places], whole[places], atol=1e-6)


def test_a_killed_extraction_goes_on_behind_its_last_batch(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """300, 40 and 50 images in batches of 128; the second batch of the first split is begun and lost."""
    whole = backbone(model).apply(made_dataset(), Artifacts(tmp_path / "whole"))
    forward, sizes = FrozenBackbone.forward, []

    def counted(self: FrozenBackbone, images: Tensor) -> Tensor:
        if len(images) > 1:  # one alone asks for the shape
            sizes.append(len(images))
            if len(sizes) == 2:
                raise KeyboardInterrupt
        return forward(self, images)

    monkeypatch.setattr(FrozenBackbone, "forward", counted)
    with pytest.raises(KeyboardInterrupt):
        backbone(model).apply(made_dataset(), Artifacts(tmp_path / "killed"))
    (growing,) = (tmp_path / "killed").rglob("*.scratch/*.safetensors")
    with growing.open("ab") as file:
        file.write(b"\0" * 100)  # of the batch that was being written
    resumed = backbone(model).apply(made_dataset(), Artifacts(tmp_path / "killed"))
    assert sizes == [128, 128, 128, 44, 40, 50]
    for name in ("train", "validation", "test"):
        assert torch.equal(rows(getattr(whole, name).images), rows(getattr(resumed, name).images))
    assert not list((tmp_path / "killed").rglob("*.scratch"))
    backbone(model, normalize="l2").apply(made_dataset(), Artifacts(tmp_path / "killed"))
    assert len(sizes) == 6, "another range of the same features"


def test_features_are_known_by_images_and_weights(model: Path, tmp_path: Path) -> None:
    """A split that stays is not computed again, other weights are other features, another place of the same is not."""
    made = made_dataset()
    moved = model.rename(tmp_path / "moved")
    other = model_of(tmp_path / "other", seed=1)
    grown = replace(made, train=Split(images_of(301, SHAPE), torch.arange(301) % 2))
    for weights, dataset, count in ((moved, made, 3), (moved, made, 3), (moved, grown, 4), (other, made, 7)):
        backbone(weights).apply(dataset, Artifacts(tmp_path / "artifacts"))
        assert len(list((tmp_path / "artifacts" / "backbone").glob("*.json"))) == count


def test_a_corrupted_file_is_made_anew(model: Path, tmp_path: Path) -> None:
    first = backbone(model).apply(made_dataset(), Artifacts(tmp_path))
    before = rows(first.train.images).clone()
    for path in (tmp_path / "backbone").glob("*.safetensors"):
        data = bytearray(path.read_bytes())
        data[-1] ^= 1
        path.unlink()
        path.write_bytes(data)
    again = backbone(model).apply(made_dataset(), Artifacts(tmp_path))
    assert torch.equal(before, rows(again.train.images))
    assert len(list((tmp_path / "backbone").glob("*.corrupted-1"))) == 6


def test_a_network_of_torchvision_reads_what_it_was_trained_on(tmp_path: Path) -> None:
    """Gray images of 40 x 48 pixels: scaled as torchvision does it, the rest cut off, each channel standardized."""
    with seeding.fork(3):
        theirs = mobilenet_v3_small().eval()
    save_file(theirs.state_dict(), tmp_path / "weights.safetensors")
    images = images_of(3, (1, 40, 48))
    made = Dataset(*(Split(images, torch.tensor([0, 1, 0])) for _ in range(3)), 2, ("a", "b"))
    part = backbone(tmp_path / "weights.safetensors", "torchvision/mobilenet_v3_small", normalize="none")
    assert part.shape((1, 40, 48)) == (1024,)
    found = rows(part.apply(made, Artifacts(tmp_path)).test.images)
    scaled = resize(images.float() / 255, [224, 269], antialias=True)[..., 22:246].expand(-1, 3, -1, -1)
    theirs.classifier[3] = torch.nn.Identity()
    with torch.no_grad():
        expected = theirs(normalize(scaled, [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]))
    assert torch.allclose(found, expected, atol=1e-4)


def test_a_network_of_timm_gives_its_features_before_the_last_layer(tmp_path: Path) -> None:
    timm = pytest.importorskip("timm")
    with seeding.fork(3):
        theirs = timm.create_model("test_resnet", pretrained=False).eval()
    save_file(theirs.state_dict(), tmp_path / "weights.safetensors")
    images = images_of(2, (3, 160, 160))
    network = backbone(tmp_path / "weights.safetensors", "timm/test_resnet")._network(torch.device("cpu"))
    assert network.reading.size == (160, 160)
    mean, std = network.reading.mean, network.reading.std
    with torch.no_grad():
        pixels = normalize(images.float() / 255, mean, std)
        expected = theirs.forward_head(theirs.forward_features(pixels), pre_logits=True)
    assert torch.allclose(network(images.float() / 255), expected, atol=1e-4)
    with pytest.raises(UserError, match=r"it lacks|it has|is .* there"):
        backbone(tmp_path / "weights.safetensors", "timm/test_vit")._network(torch.device("cpu"))


@pytest.mark.parametrize(
    ("network", "weights", "said"),
    [
        (None, None, "needs weights, which representation.weights names"),
        (None, "nothing.pt", "no file that is there: name the model of a run"),
        (None, "text", "names no network"),
        ("resnet18", "text", "says not whose it is: use torchvision/resnet18, timm/resnet18"),
        ("torchvision/resnet17", "text", "is none of torchvision's: "),
        ("torchvision/resnet18", "IMAGENET1K_V7", "published weights of torchvision/resnet18: IMAGENET1K_V1"),
        ("torchvision/resnet18", "model.safetensors", "is of another network: it lacks conv1.weight"),
        ("torchvision/resnet18", "text", "cannot be read as weights"),
    ],
)
def test_what_cannot_be_had_is_refused_in_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, network: str | None, weights: str | None, said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text").write_text("no weights")
    save_file({"backbone.0.weight": torch.zeros(2)}, tmp_path / "model.safetensors")
    with pytest.raises(UserError, match=said):
        backbone(weights, network).shape((3, 64, 64))


def test_features_that_are_not_finite_are_refused_and_nothing_is_stored(model: Path, tmp_path: Path) -> None:
    tensors, head = load_file(model), head_of_file(model)
    first = next(name for name in tensors if name.endswith("weight"))
    save_file({**tensors, first: torch.full_like(tensors[first], 3e38)}, model, head)
    with pytest.raises(UserError, match=r"features of train that are not finite: use other weights$"):
        backbone(model).apply(made_dataset(), Artifacts(tmp_path / "artifacts"))


def test_what_the_network_cannot_read_is_refused(model: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"for 1 channels and the inputs are \(3, 8, 8\).*dataset.mode=gray"):
        backbone(model).shape((3, 8, 8))
    with pytest.raises(UserError, match=r"representation\.image_size=4 is none that its network takes"):
        backbone(model, image_size=4).shape(SHAPE)
    save_file({"head.weight": torch.zeros(3, 16), "head.bias": torch.zeros(3)}, tmp_path / "features", LINEAR)
    with pytest.raises(UserError, match=r"is a model of inputs \(16,\), which are no pictures"):
        backbone(tmp_path / "features").shape(SHAPE)


def test_timm_is_asked_for_where_it_is_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(UserError, match=r"needs timm, which is not installed: pip install -e \.\[timm\]"):
        backbone("weights", "timm/resnet18").shape((3, 64, 64))


def test_weights_that_timm_cannot_fetch_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("timm")
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(UserError, match=r"weights=r160_in1k could not be fetched .*model\.safetensors of"):
        backbone("r160_in1k", "timm/test_resnet", weights_folder=tmp_path).shape((3, 64, 64))
    with pytest.raises(UserError, match="published weights of timm/test_resnet: r160_in1k"):
        backbone("r7_in1k", "timm/test_resnet", weights_folder=tmp_path).shape((3, 64, 64))


def test_no_more_memory_than_a_batch_is_taken(model: Path, tmp_path: Path) -> None:
    """What is read back is a map of the file, and each split is read in batches."""
    asked: list[int] = []

    class Counted:
        """Images that are made when they are asked for."""

        shape, dtype, device = torch.Size((1000, *SHAPE)), torch.uint8, torch.device("cpu")
        fingerprint = "counted"

        def __len__(self) -> int:
            return 1000

        def __getitem__(self, indices: Tensor, /) -> Tensor:
            asked.append(len(indices))
            return images_of(len(indices), SHAPE, int(indices[0]))

        def to(self, device: torch.device, /) -> "Counted":
            return self

    made = replace(made_dataset(), train=Split(Counted(), torch.arange(1000) % 2))
    found = backbone(model, normalize="none").apply(made, Artifacts(tmp_path)).train.images
    assert max(asked) == 128 and len(asked) == math.ceil(1000 / 128)
    assert isinstance(found, Tensor) and found.shape == (1000, 16)


@pytest.mark.gpu
def test_on_a_gpu_features_are_those_of_bfloat16(model: Path, tmp_path: Path) -> None:
    made = made_dataset()
    plain = rows(backbone(model, normalize="none").apply(made, Artifacts(tmp_path)).train.images)
    device = torch.device("cuda")
    for precision, within in (("auto", 0.05), ("32-true", 1e-3)):
        part = backbone(model, normalize="none", precision=precision)
        found = rows(part.apply(made.to(device), Artifacts(tmp_path)).train.images)
        assert found.device.type == "cuda" and found.dtype == torch.float32
        assert torch.allclose(found.cpu(), plain, atol=within)
