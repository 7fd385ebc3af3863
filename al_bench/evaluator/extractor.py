"""What a network says of images: features and logits, of a classifier of our own or of FID's Inception network."""

import io
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save
from torch import Tensor, nn
from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

from al_bench.active.inputs import Inputs, to_float
from al_bench.errors import UserError
from al_bench.files import digest
from al_bench.network import Network, Wrapped, pooled
from al_bench.network.predict import most_rows, rows_by_pixels
from al_bench.network.pretrained import Weights, read_weights

Extract = Callable[[Tensor], tuple[Tensor, Tensor]]  # (B, C, H, W) uint8 to (B, D) features and (B, K) logits

_AT_ONCE = 64  # images; each is made one of 299 x 299 pixels
_CLASSES = 1008  # of the network that FID is defined by
_RIGHT = "give torch-fidelity's weights-inception-2015-12-05-6726825d.pth, or evaluator.inception=null for an own one"
_COUNTER = ".num_batches_tracked"  # older files have none, and nothing that is computed needs it


def extract_by(model: Network) -> Extract:
    """A classifier's embeddings and logits."""
    plain = model.network if isinstance(model, Wrapped) else model

    def extract(images: Tensor) -> tuple[Tensor, Tensor]:
        embedding = plain.neck(plain.features(to_float(images)))
        return pooled(embedding).float(), plain.head(embedding).float()

    return extract


def extract_by_inception(network: nn.Module) -> Extract:
    """The Inception network's last pooling, D = 2,048, and its logits without their bias, K = 1,008, both as published
    for FID and the Inception score; gray images as three equal channels."""

    def extract(images: Tensor) -> tuple[Tensor, Tensor]:
        colored = images.expand(-1, 3, -1, -1) if images.shape[1] == 1 else images
        parts = [network(part) for part in colored.split(_AT_ONCE)]
        return torch.cat([features for features, _ in parts]), torch.cat([logits for _, logits in parts])

    return extract


def load_inception(path: str, device: torch.device) -> nn.Module:
    """FID's Inception network with the weights in a file, of which only tensors are read.

    Raises UserError for a file that is absent or unreadable, for torchvision's network and for any other one.
    """
    found = _existing(path)
    try:
        weights = read_weights(found)
    except UserError as error:
        raise UserError(f"evaluator.inception: {error}. Of FID's network {_RIGHT}") from error
    with torch.device("meta"):  # without first weights, which would be drawn from the global generator
        network: nn.Module = _Inception("inception", ["2048", "logits_unbiased"], _no_weights())
    _refuse_others(path, weights, network.state_dict())
    network.load_state_dict(weights, assign=True)
    return network.to(device)


class _Inception(FeatureExtractorInceptionV3):  # type: ignore[misc]  # of a package without annotations
    """Made without weights: the original loads a file while it is made, and would run code that stands in it."""

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False) -> Any:
        return super().load_state_dict(state_dict, strict=bool(state_dict), assign=assign)


def _no_weights() -> io.BytesIO:
    file = io.BytesIO()
    torch.save({}, file)
    file.seek(0)
    return file


def in_batches(images: Inputs) -> Iterator[Tensor]:
    """All (N, C, H, W) uint8 images, in order, as many at once as their device computes on."""
    size = rows_by_pixels(images.shape, most_rows(images.device))
    for rows in torch.arange(len(images), device=images.device).split(size):
        yield images[rows]


def weights_id(network: nn.Module) -> str:
    """A hash of a network's weights."""
    return digest(save({name: value.detach().cpu().contiguous() for name, value in network.state_dict().items()}))


def _existing(path: str) -> Path:
    found = Path(path).expanduser()
    if not found.is_file():
        raise UserError(f"evaluator.inception: {path} is no file that is there: {_RIGHT}")
    return found


def _refuse_others(path: str, weights: Weights, wanted: Mapping[str, Tensor]) -> None:
    """Raises UserError unless these are all weights of FID's network; adds the counters that older files lack, and
    gives weights of another precision the network's."""
    if "fc.weight" in weights and weights["fc.weight"].shape == (1000, 2048):
        raise UserError(
            f"evaluator.inception={path} is torchvision's Inception network, which has 1,000 classes and other layers "
            f"than the one with {_CLASSES:,} that FID is defined by: {_RIGHT}"
        )
    for layer, like in wanted.items():
        if layer.endswith(_COUNTER):
            weights.setdefault(layer, torch.tensor(0))
        elif layer not in weights or weights[layer].shape != like.shape:
            there = f"{layer} is {tuple(weights[layer].shape)}" if layer in weights else f"it lacks {layer}"
            raise UserError(f"evaluator.inception={path} is no Inception network of FID, {there}: {_RIGHT}")
        weights[layer] = weights[layer].to(like.dtype)
    if other := next((layer for layer in weights if layer not in wanted), None):
        raise UserError(f"evaluator.inception={path} is no Inception network of FID, it has {other}: {_RIGHT}")
