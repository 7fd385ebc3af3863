"""First weights from a file: published ones, or those of a model that was stored."""

import warnings
import zipfile
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor
from torchvision.models import WeightsEnum

from al_bench.config.groups import name_chosen
from al_bench.errors import UserError
from al_bench.files import open_file
from al_bench.network import Network
from al_bench.sources.download import complete_by_name

Weights = dict[str, Tensor]

_PARTS = ("backbone.", "neck.", "head.")
_LAST_LAYERS = ("fc.", "classifier.")  # of torchvision's networks and DRN, for ImageNet's classes
_SAYS = (OSError, EOFError, RuntimeError, ValueError, KeyError, SafetensorError, zipfile.BadZipFile)  # what is wrong
_REMEDY = "use another file, or null for none"
_COUNTER = ".num_batches_tracked"  # older files have none, and nothing that is computed needs it


def urls_of(published: type[WeightsEnum]) -> dict[str, str]:
    """Name to URL of the weights that torchvision has of a network."""
    return {weights.name: weights.url for weights in published}


def load_weights(network: Network, weights: str | None, folder: str | Path, published: Mapping[str, str]) -> None:
    """Replaces first weights of a network by those in a file; what the file does not hold of the head stays as drawn.

    weights: None: all stay as drawn. The name of a file: .safetensors, or one that torch wrote, of which only tensors
    are read. Or a name in `published`, whose URL's last part ends in the beginning of the file's SHA-256, as
    torch.hub names files: it is fetched into `folder` where it is absent.

    Layers are named as here, `backbone.`, `neck.`, `head.` (the model of a run), or as published, which are the names
    below `backbone`: of those the last layers (`fc`, `classifier`) are left out, so that the head stays as drawn, which
    is how MAL takes F from ImageNet.

    Raises UserError for a file that is absent, unreadable, not finite, or of another network or number of classes.
    """
    if weights is None:
        return
    name = f"network.weights={weights}"
    path = _locate(weights, Path(folder).expanduser(), published)
    status = path.stat()
    found = _read(path, status.st_size, status.st_mtime_ns)
    _refuse_others(name, network, found)
    network.load_state_dict(found, strict=False)


def _locate(weights: str, folder: Path, published: Mapping[str, str]) -> Path:
    path = Path(weights).expanduser()
    if path.is_file():
        return path
    if weights not in published:
        known = f"or one of the published {', '.join(published)}" if published else "of weights"
        raise UserError(f"network.weights={weights} is no file that is there: name one, {known}")
    try:
        return complete_by_name(published[weights], folder)
    except UserError as error:
        raise UserError(
            f"network.weights={weights}: {error}, or begin with drawn weights by network.weights=null"
        ) from error


@lru_cache(maxsize=1)  # a network is made in every cycle
def _read(path: Path, size: int, changed: int) -> Weights:
    """The tensors in a file, by the names of our layers. size, changed: of the file, so that another one is read."""
    return _as_ours(read_weights(path))


def read_weights(path: Path) -> Weights:
    """The tensors in a file, .safetensors or one that torch wrote, by the names of their layers; nothing else in it is
    read. Raises UserError for a file that is unreadable, holds anything else, or numbers that are not finite."""
    try:
        open_file(path).close()
        with warnings.catch_warnings(action="ignore"):  # torch's, of pickles, stood before our sentence
            found: Any = _loaded(path)
    except Exception as error:  # of bytes that are no pickle torch's reader raises whatever they lead it to
        remedy = "give safetensors, or tensors alone that torch wrote"
        raise UserError(f"{path} cannot be read as weights ({_why(error)}): {remedy}") from error
    if isinstance(found, Mapping):
        found = found.get("state_dict", found)
    if not isinstance(found, Mapping) or not found or not all(_is_layer(*item) for item in found.items()):
        raise UserError(f"{path} holds no weights by the names of their layers: give a state_dict")
    if wrong := next((key for key, value in found.items() if not value.isfinite().all()), None):
        raise UserError(f"{path} holds numbers in {wrong} that are not finite: give the weights of another training")
    return dict(found)


def _loaded(path: Path) -> Any:
    return load_file(path) if path.suffix == ".safetensors" else torch.load(path, "cpu", weights_only=True)


def _why(error: Exception) -> str:
    """The first sentence of an error; torch's own on a pickle advises to run the code in it."""
    if not isinstance(error, _SAYS):
        return "it is none, or holds more than tensors, which is not run"
    return str(error).split("\n", 1)[0].split(". ", 1)[0].rstrip(".") or "it is empty or cut off"


def _is_layer(key: Any, value: Any) -> bool:
    return isinstance(key, str) and isinstance(value, Tensor)


def _as_ours(found: Mapping[str, Tensor]) -> Weights:
    """Weights by the names of our layers: of a model that a learner wrapped those of its network."""
    if wrapped := {key.removeprefix("network."): value for key, value in found.items() if key.startswith("network.")}:
        found = wrapped
    if any(key.startswith(_PARTS) for key in found):
        return {key: value for key, value in found.items() if key.startswith(_PARTS)}
    bare = {key.removeprefix("module."): value for key, value in found.items()}  # as torch's parallel modules name them
    return {f"backbone.{key}": value for key, value in bare.items() if not key.startswith(_LAST_LAYERS)}


def _refuse_others(name: str, network: Network, found: Weights) -> None:
    """Raises UserError, naming a layer, where weights do not fit a network."""
    held = tuple(part for part in _PARTS if part == "backbone." or any(layer.startswith(part) for layer in found))
    refuse_other_weights(name, name_chosen(network), network.state_dict(), found, held)


def refuse_other_weights(
    name: str,
    ours: str,
    wanted: Mapping[str, Tensor],
    found: Mapping[str, Tensor],
    held: tuple[str, ...] = ("",),
    remedy: str = _REMEDY,
) -> None:
    """Raises UserError, naming a layer, where weights are not those of a network.

    name: of the weights, as they were given; ours: the network's; wanted: its own. held: what names of layers begin
    with that `found` has to hold; remedy: what to do about it.
    """
    for layer in [layer for layer in wanted if layer in found]:
        there, here = tuple(found[layer].shape), tuple(wanted[layer].shape)
        if there != here:
            what = "for another number of classes" if layer.startswith("head.") else "of another network"
            raise UserError(f"{name} is {what}: {layer} is {there} there and {here} in {ours}: {remedy}")
        if wanted[layer].is_floating_point() and not found[layer].is_floating_point():
            kind = str(found[layer].dtype).removeprefix("torch.")
            raise UserError(f"{name} holds {layer} as {kind}, not as floating-point numbers: {remedy}")
    for layer in [layer for layer in wanted if layer not in found]:
        if layer.startswith(held) and not layer.endswith(_COUNTER):
            raise UserError(f"{name} is of another network: it lacks {layer}, which {ours} has: {remedy}")
    for layer in [layer for layer in found if layer not in wanted]:
        raise UserError(f"{name} is of another network: it has {layer}, which {ours} has not: {remedy}")
