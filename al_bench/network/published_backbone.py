"""Networks of torchvision and timm without their last layer, with published weights or those of a file."""

import importlib
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, cast

from torch import Tensor, nn
from torchvision import models

from al_bench import seeding
from al_bench.errors import UserError
from al_bench.network.frozen_backbone import Reading
from al_bench.network.pretrained import read_weights, refuse_other_weights
from al_bench.sources.download import complete_by_name

_FEW = 5  # names that a sentence has


def torchvision_backbone(name: str, weights: str, folder: Path) -> tuple[nn.Module, Reading]:
    """A network of torchvision that gives the inputs (B, D) of its last layer, and how it reads images.

    weights: a file, or the name of published ones, fetched into `folder`. Raises UserError where either is unknown,
    where weights cannot be had, or where they are of another network.
    """
    if name not in models.list_models(module=models):
        close = _few([one for one in models.list_models(module=models) if name[:4] in one])
        raise UserError(f"representation.network=torchvision/{name} is none of torchvision's{close}")
    published = models.get_model_weights(name)
    path = Path(weights).expanduser()
    entry = next((one for one in published if one.name == weights or Path(one.url).name == path.name), None)
    if not path.is_file():
        if entry is None:
            raise _absent(weights, [one.name for one in published], f"torchvision/{name}")
        path = _fetched(weights, entry.url, folder)
    says = (entry or published.DEFAULT).transforms()
    side = int(says.crop_size[0])
    with seeding.fork(0):  # first weights are drawn, and replaced
        network: nn.Module = models.get_model(name, weights=None, **_more(name, side))
    last = _last_layer(network)
    _load(network, read_weights(path), (f"{last}.", "AuxLogits.", "aux"), f"representation.weights={weights}", name)
    network.get_submodule(last.rpartition(".")[0]).register_module(last.rpartition(".")[2], nn.Identity())
    return network, Reading((side, side), 3, tuple(says.mean), tuple(says.std), _interpolation(str(says.interpolation)))


def timm_backbone(name: str, weights: str, folder: Path) -> tuple[nn.Module, Reading]:
    """A network of timm that gives its pooled features (B, D), and how it reads images.

    weights: a file, or a tag of published ones (`timm/resnet18` with a1_in1k), fetched into `folder`. Raises UserError
    as `torchvision_backbone`, and where timm is not installed.
    """
    timm = _timm()
    base, _, tag = name.partition(".")
    if base not in timm.list_models():
        close = _few(timm.list_models(f"*{base[:6]}*"))
        raise UserError(f"representation.network=timm/{name} is none of timm's{close}")
    path, tags = Path(weights).expanduser(), [one.partition(".")[2] for one in timm.list_pretrained(f"{base}.*")]
    if not path.is_file():
        if weights not in tags:
            raise _absent(weights, tags, f"timm/{base}")
        tag = weights
    network = _made_by_timm(timm, f"{base}.{tag}" if tag else base, None if path.is_file() else weights, folder)
    says = timm.data.resolve_model_data_config(network)
    if path.is_file():
        last: Any = cast(Any, network.pretrained_cfg).get("classifier") or ()
        left = tuple(f"{one}." for one in ([last] if isinstance(last, str) else last))
        _load(network, read_weights(path), left, f"representation.weights={weights}", base)
    channels, height, width = says["input_size"]
    reading = Reading((height, width), channels, says["mean"], says["std"], _interpolation(says["interpolation"]))
    return network, reading


def _timm() -> ModuleType:
    try:
        return importlib.import_module("timm")
    except ImportError as error:
        raise UserError(
            "representation.network=timm/... needs timm, which is not installed: pip install -e .[timm], or use one of "
            "torchvision's"
        ) from error


def _made_by_timm(timm: ModuleType, name: str, published: str | None, folder: Path) -> nn.Module:
    """Raises UserError where published weights cannot be had, which libraries say in many ways."""
    try:
        with seeding.fork(0):
            network: nn.Module = timm.create_model(
                name, pretrained=published is not None, num_classes=0, cache_dir=folder
            )
    except OSError as error:
        why = str(error).strip().splitlines() or [type(error).__name__]
        raise UserError(
            f"representation.weights={published} could not be fetched ({why[0]}): fetch model.safetensors of "
            f"timm/{name} elsewhere and give representation.weights=FILE"
        ) from error
    except (RuntimeError, ValueError) as error:
        raise UserError(f"representation.network=timm/{name} cannot be made: {error}") from error
    return network


def _fetched(weights: str, url: str, folder: Path) -> Path:
    try:
        return complete_by_name(url, folder)
    except UserError as error:
        raise UserError(f"representation.weights={weights}: {error}, or give a file that is here") from error


def _absent(weights: str, published: list[str], network: str) -> UserError:
    return UserError(
        f"representation.weights={weights} is no file that is there: name one, or published weights of {network}"
        f"{_few(published)}"
    )


def _few(names: list[str]) -> str:
    """Some names, as the end of a sentence."""
    rest = ", ..." if len(names) > _FEW else ""
    return f": {', '.join(names[:_FEW])}{rest}" if names else ""


def _more(name: str, side: int) -> dict[str, Any]:
    """What a network's constructor has to be told: of transformers the side that they read. Two would warn of how they
    draw first weights, and their published ones want images in another range, which they see to themselves."""
    if name in ("googlenet", "inception_v3"):
        return {"init_weights": False, "transform_input": True}
    return {"image_size": side} if name.startswith("vit_") else {}


def _last_layer(network: nn.Module) -> str:
    """The name of the layer that gives the logits: in every classifier of torchvision the last that has weights."""
    names = [str(name) for name, part in network.named_modules() if isinstance(part, nn.Linear | nn.Conv2d)]
    return names[-1]


def _load(network: nn.Module, found: Mapping[str, Tensor], left_out: tuple[str, ...], name: str, ours: str) -> None:
    """Gives a network the weights of a file, but for layers whose names begin as said. Raises UserError for others."""
    bare = {key.removeprefix("module."): value for key, value in found.items()}
    kept = {key: value for key, value in bare.items() if not key.startswith(left_out)} if left_out else bare
    wanted = {key: value for key, value in network.state_dict().items() if not (left_out and key.startswith(left_out))}
    refuse_other_weights(name, ours, wanted, kept, remedy="name its own by representation.network, or another file")
    network.load_state_dict(kept, strict=False)


def _interpolation(name: str) -> Literal["bilinear", "bicubic"]:
    return "bicubic" if "bicubic" in name.lower() else "bilinear"
