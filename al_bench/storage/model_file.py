"""A model that leaves: a safetensors file whose head says what it reads, what it answers and how it is built again.

The file of a cycle's model is one: copied anywhere, it is all that `scripts/predict.py` needs.
"""

from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, PositiveInt, ValidationError
from safetensors import SafetensorError, safe_open

from al_bench.config.ranges import Normalizing
from al_bench.errors import UserError
from al_bench.files import open_file, parse_json

if TYPE_CHECKING:
    from torch import Tensor

_KEY = "al_bench"  # of the file's head, which has names and texts
_LONGEST = 200  # characters of a class's name
_FIRST = ("weights", "weights_folder")  # of a network before it was trained, which the file's own stand in the place of


class Featured(BaseModel):
    """How pictures become the features that a model reads, where a frozen network stands before it.

    image_shape: (C, H, W) that pictures are decoded to; network, weights: see `analysis.backbones`, weights as they
    were named where the model was trained; sum: of these weights; size, pixel_mean, pixel_std, interpolation: how the
    network reads images, see `network.frozen_backbone.Reading`; normalize, mean, scale: see `normalized` there, the two
    last with D numbers or none.
    """

    model_config = ConfigDict(frozen=True)

    image_shape: tuple[PositiveInt, PositiveInt, PositiveInt]
    network: str | None
    weights: str
    sum: str
    size: tuple[PositiveInt, PositiveInt]
    pixel_mean: tuple[float, ...] | None
    pixel_std: tuple[PositiveFloat, ...] | None
    interpolation: Literal["bilinear", "bicubic"]
    normalize: Normalizing
    mean: tuple[float, ...]
    scale: tuple[float, ...]


class Reads(BaseModel):
    """What a model reads and answers. shape: of one input, (C, H, W) of images; class_names: of its answers, in the
    order of its logits; maps: whether it answers for each pixel; prefix: that the names of the network's weights have
    among those of the model; featured: how pictures become its inputs, where these are features."""

    model_config = ConfigDict(frozen=True)

    shape: tuple[PositiveInt, ...]
    class_names: tuple[str, ...] = Field(min_length=2)
    maps: bool = False
    prefix: str = ""
    featured: Featured | None = None


class ModelHead(Reads):
    """What the head of a model's file says.

    crop, window: how pictures of other proportions become images, see `sources.decoding.Decoder`; network: its
    configuration node, which an untrained one of the same kind is made with; run, cycle, annotations: whose model it
    is; commit and versions: of what trained it.
    """

    format: Literal[1] = 1
    crop: Literal["center", "none"]
    window: PositiveInt | None = None
    network: dict[str, Any]
    run: str
    label: str
    cycle: int
    annotations: int
    commit: str
    versions: dict[str, str]

    @property
    def picture_shape(self) -> tuple[int, ...]:
        """(C, H, W) that pictures are decoded to."""
        return self.featured.image_shape if self.featured else self.shape

    def as_metadata(self) -> dict[str, str]:
        """As safetensors keeps it."""
        without = {name for name in ("featured", "window") if getattr(self, name) is None}
        return {_KEY: self.model_dump_json(exclude=without)}


def head_of(reads: Reads, about: Mapping[str, Any], run: str, cycle: int, annotations: int) -> ModelHead:
    """The head of a cycle's model. about: what `config.json` says of its run, whose `dataset.crop` is a word, or the
    side of a window in pixels: the faces of CelebA and the scenes of LSUN are cut out of the middle."""
    config = about["config"]
    crop = (config["dataset"] or {}).get("crop")
    return ModelHead(
        **reads.model_dump(),
        crop="none" if crop == "none" else "center",
        window=crop if isinstance(crop, int) and not isinstance(crop, bool) and crop > 0 else None,
        network={key: value for key, value in config["learner"]["network"].items() if key not in _FIRST},
        run=run,
        label=about["label"],
        cycle=cycle,
        annotations=annotations,
        commit=about["commit"],
        versions={name: metadata.version(name) for name in ("al_bench", "torch")},
    )


def read_model(path: Path) -> "tuple[ModelHead, dict[str, Tensor]]":
    """The head and the weights of a model's file. Raises UserError where it is not one, or holds numbers that are not
    finite."""
    try:
        open_file(path).close()
        with safe_open(path, "pt") as file:
            head = _parse(path, (file.metadata() or {}).get(_KEY))
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  (it is no dict)
    except FileNotFoundError as error:
        raise UserError(f"{path} does not exist: name a run's folder, or the file of a model") from error
    except (SafetensorError, OSError) as error:
        why = getattr(error, "strerror", None) or error
        raise UserError(f"{path} is not the file of a model: {why}") from error
    if wrong := next((name for name, one in weights.items() if not one.isfinite().all()), None):
        raise UserError(f"{path} holds numbers in {wrong} that are not finite: ask another model")
    return head, weights


def stored_class_names(path: Path, run: str) -> tuple[str, ...]:
    """The names of classes in the head of a model's file, a text that anybody may have written; none where the file is
    not there, or its head is not of the run of this id, or has a name that no class can have, or one twice."""
    try:
        open_file(path).close()
        with safe_open(path, "np") as file:
            head = _parse(path, (file.metadata() or {}).get(_KEY))
    except (OSError, SafetensorError, UserError):
        return ()
    names = head.class_names
    fit = all(0 < len(name) <= _LONGEST and name.isprintable() for name in names) and len(set(names)) == len(names)
    return names if fit and head.run == run else ()


def _parse(path: Path, text: str | None) -> ModelHead:
    if text is None:
        raise UserError(
            f"{path} does not say what its model reads: it was stored by an earlier version, or its learner trains no "
            "network that answers"
        )
    try:
        return ModelHead.model_validate(parse_json(text.encode(errors="surrogatepass")))
    except (ValidationError, ValueError) as error:
        raise UserError(f"{path} says of its model what no version of al_bench does") from error
