"""Answers of a trained model on pictures that nobody labeled."""

import csv
import math
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

import numpy as np
import torch
from torch import nn

from al_bench.active.inputs import to_float
from al_bench.analysis.backbones import stored_backbone
from al_bench.analysis.stored_network import reads_pictures, stored_network
from al_bench.dataset.class_folders import say_left_out
from al_bench.errors import UserError, printable
from al_bench.network.predict import evaluating, rows_by_pixels
from al_bench.progress import progress
from al_bench.report.tables import as_text, marked
from al_bench.sources.decoding import Decoder, Pixels, ahead
from al_bench.sources.listing import PictureFile, look_through, picture_file
from al_bench.storage.folder import cycle_file
from al_bench.storage.model_file import ModelHead
from al_bench.storage.whole import model_is_whole, run_of, whole_cycles

_CHANNELS: dict[int, Literal["gray", "rgb"]] = {1: "gray", 3: "rgb"}
WEIGHTS = Path("data/weights")  # where published weights of frozen networks are
_CHUNK = 64  # pictures that are decoded and asked of at a time, fewer of more than 64 x 64 pixels


@dataclass(frozen=True)
class TrainedModel:
    """network: of float images (B, C, H, W) to logits (B, K), in eval mode, on the CPU; head: what it reads and
    answers."""

    network: nn.Module
    head: ModelHead

    @property
    def decoder(self) -> Decoder:
        """What makes its images of pictures."""
        channels, height, width = self.head.picture_shape
        return Decoder((height, width), self.head.crop, _CHANNELS[channels], self.head.window)


def load_model(place: Path, weights: str | None = None, folder: Path = WEIGHTS) -> TrainedModel:
    """The model of a run's last cycle, or that of a file, of which no network but ours is made, behind the frozen one
    that made its features, where it reads such.

    place: the run's folder, or the file. weights, folder: of the frozen network, see `stored_backbone`. Raises
    UserError where there is none, or where it reads no pictures or answers for each pixel.
    """
    path = newest_model(place) if place.is_dir() else place
    network, head = stored_network(path)
    if head.featured is not None:
        try:
            before = stored_backbone(head.featured, math.prod(head.shape), weights, folder)
        except UserError as error:
            raise UserError(f"{path}: {error}") from error
        return TrainedModel(nn.Sequential(before, network).eval(), head)
    if weights is not None:
        raise UserError(f"--weights={weights} is of no use: {path} reads pictures as they are")
    if not reads_pictures(head):
        raise UserError(f"{path} reads inputs of {head.shape}, which are no pictures: use a run without representation")
    if head.maps:
        raise UserError(f"{path} answers for each pixel: only models that give a picture one class are asked here")
    return TrainedModel(network, head)


def newest_model(folder: Path) -> Path:
    """The file of the last model that a run's folder keeps. Raises UserError where none is stored, and where what is
    stored is not what was written."""
    try:
        records = whole_cycles(folder, run_of(folder))
    except FileNotFoundError:
        records = []
    except ValueError as error:
        raise UserError(f"{folder} {error}: start its run again, or name the file of a model") from error
    for index in reversed(range(len(records))):
        if (path := cycle_file(folder, index, ".model.safetensors")).is_file():
            if not model_is_whole(folder, index, records[index].sha256_model):
                raise UserError(
                    f"{path} is corrupted: put it back from a copy, or move the run away and start it again"
                )
            return path
    raise UserError(f"{folder} holds no trained model: name the folder of a run that has finished a cycle")


def pictures_in(place: Path) -> tuple[Path, list[PictureFile]]:
    """A folder and its pictures at any depth, by name; a single picture is one of its folder's. Raises UserError where
    there are none."""
    if not place.exists():
        raise UserError(f"{place} does not exist: name a folder of pictures, or a picture")
    folder = place if place.is_dir() else place.parent
    files = _pictures_below(folder) if folder == place else picture_file(place)
    if not files:
        raise UserError(f"{place} has no pictures: name a folder of pictures, or a picture")
    return folder, files


def _pictures_below(folder: Path) -> list[PictureFile]:
    """Those of a folder; what else lies there is said."""
    listing = look_through(folder)
    say_left_out(folder, listing)
    return listing.pictures


def write_predictions(file: IO[str], model: TrainedModel, place: Path, answered: Set[str] = frozenset()) -> list[str]:
    """Writes a CSV with a row for each picture: its file, the class of the highest probability, and the probability of
    each class. A picture that cannot be read has no row. Returns a sentence for each of these.

    place: a folder of pictures, or one picture; answered: the names of those that are left out.
    """
    folder, files = pictures_in(place)
    files = [picture for picture in files if picture.name not in answered]
    problems: list[str] = []
    names = [printable(name) for name in model.head.class_names]
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["file", "label", *(as_text(f"p({name})") for name in names)])
    with progress("asking the model", len(files), "pictures") as bar, evaluating(model.network), torch.no_grad():
        for read, images in _decoded(folder, files, model.decoder, problems):
            answers = model.network(to_float(torch.from_numpy(images))).softmax(1).tolist()
            for picture, row in zip(read, answers, strict=True):
                values = [f"{value:.6f}" for value in row]
                words = (printable(picture.name), names[row.index(max(row))])
                writer.writerow([*map(marked, words), *values])
            bar.advance(len(read))
    return problems


def _decoded(
    folder: Path, files: Sequence[PictureFile], decoder: Decoder, problems: list[str]
) -> Iterator[tuple[list[PictureFile], Pixels]]:
    """Some of the files at a time, in order, as (B, C, H, W) images; those that cannot be read are left out."""

    def decode(chunk: Sequence[PictureFile]) -> list[Pixels | str]:
        return [_decode(folder / file.name, decoder) for file in chunk]

    size = rows_by_pixels((1, *(decoder.shape or ())), _CHUNK)
    chunks = [files[first : first + size] for first in range(0, len(files), size)]
    for chunk, decoded in zip(chunks, ahead(decode, chunks), strict=True):
        problems += [one for one in decoded if isinstance(one, str)]
        read = [(file, one) for file, one in zip(chunk, decoded, strict=True) if not isinstance(one, str)]
        if read:
            yield [file for file, _ in read], np.stack([pixels for _, pixels in read])


def _decode(picture: Path, decoder: Decoder) -> Pixels | str:
    """The image, or a sentence on why there is none."""
    try:
        return decoder.decode(picture)
    except UserError as error:
        return str(error)
