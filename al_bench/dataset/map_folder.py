"""Published pictures with a label map each, in folders: what CamVid, Cityscapes and BDD100K share.

The list of files says which pictures a run is made of, so none is decoded to start it. Its maps are looked at once and
what was found is kept: an id that none should have, or a class without a pixel, shows before training.
"""

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal, NamedTuple

import torch

from al_bench.active.inputs import Inputs
from al_bench.dataset import Dataset, Split
from al_bench.dataset.subset import limit_positions, smaller
from al_bench.errors import UserError, amount
from al_bench.files import digest
from al_bench.sources.cache import LazyImages, decode_images, decode_pictures
from al_bench.sources.decoding import Decoder, common_shape, size_of
from al_bench.sources.label_maps import LabelMap, MapDecoder
from al_bench.sources.listing import PictureFile, id_of, picture_files

logger = logging.getLogger(__name__)

Part = Literal["train", "validation", "test"]


class Place(NamedTuple):
    """Files below a root. folder: with {split} in it; ending: of their names, what stands before it names the pair."""

    folder: str
    ending: str


class Pair(NamedTuple):
    """A picture and its map, named below the root."""

    picture: PictureFile
    map: PictureFile


@dataclass(frozen=True)
class MapFolder:
    """How one data set is published.

    pictures, maps: where they lie. splits: the folder of each part. ids: the class of every id that a map may hold, 255
    of those to ignore. advice: what to unpack, the end of a sentence.
    """

    pictures: Place
    maps: Place
    splits: Mapping[Part, str]
    class_names: tuple[str, ...]
    ids: Mapping[int, int]
    advice: str

    def list_pairs(self, root: Path, part: Part, count: int | None) -> list[Pair]:
        """The pairs of a split, by name. count: how many there must be, None: any number.

        Raises UserError naming a folder or a file that is missing.
        """
        split = self.splits[part]
        pictures, maps = (self._find(root, place, split) for place in (self.pictures, self.maps))
        both = ((pictures, maps, self.maps, "map"), (maps, pictures, self.pictures, "picture"))
        for own, other, missing, word in both:
            if alone := sorted(own.keys() - other.keys()):
                expected = f"{missing.folder.format(split=split)}/{alone[0]}{missing.ending}"
                raise UserError(f"{root / own[alone[0]].name} has no {word} {expected} below {root}: {self.advice}")
        if not pictures or (count is not None and len(pictures) != count):
            place = root / self.pictures.folder.format(split=split)
            wanted = f"{count:,} are published" if count is not None else "some are needed"
            raise UserError(
                f"{place} holds {amount(len(pictures), 'picture')} and {wanted}: {self.advice}; dataset.counts=null "
                "takes what is there"
            )
        return [Pair(pictures[key], maps[key]) for key in sorted(pictures)]

    def _find(self, root: Path, place: Place, split: str) -> dict[str, PictureFile]:
        """The files of a place by what names their pair. Raises UserError where there is no such folder."""
        folder = place.folder.format(split=split)
        try:
            files = picture_files(root / folder)
        except OSError as error:
            raise UserError(f"{root / folder} is missing: {self.advice}, or set paths.data") from error
        return {
            file.name.removesuffix(place.ending): file._replace(name=f"{folder}/{file.name}")
            for file in files
            if file.name.endswith(place.ending)
        }


@dataclass(frozen=True)
class Reading:
    """How pairs become a split; see `read`."""

    root: Path
    decoder: Decoder
    map_decoder: MapDecoder
    decoded: Path
    keep: bool

    def split(self, pairs: Sequence[Pair]) -> Split:
        """Images (N, 3, H, W) and label maps (N, H, W), by index."""
        return Split(self._images([pair.picture for pair in pairs]), self._maps(pairs))

    def _images(self, files: Sequence[PictureFile]) -> Inputs:
        """Known by what the files are, decoded or not."""
        known = json.dumps([id_of(self.root, files), asdict(self.decoder)])
        fingerprint = digest(known.encode())[:16]
        if self.keep:
            images = decode_images(self.root, files, self.decoder, self.decoded, keep=True)
            return replace(images, fingerprint=fingerprint)
        pictures = [self.root / file.name for file in files]
        shape = torch.Size((len(files), *common_shape(self.decoder, pictures[:1])))
        return LazyImages(pictures, self.decoder, shape, fingerprint)

    def _maps(self, pairs: Sequence[Pair]) -> Inputs:
        files = [file for pair in pairs for file in pair]
        known = ["label maps", id_of(self.root, files), [file.changed for file in files]]
        maps = [LabelMap(self.root / pair.map.name, self.root / pair.picture.name) for pair in pairs]
        return decode_pictures(maps, known, self.map_decoder, self.decoded, self.keep)


def read(
    source: MapFolder,
    root: str | Path,
    *,
    image_size: int | Sequence[int] | None,
    crop: Literal["center", "none"],
    cache: Literal["auto", "never"],
    decoded: str | Path,
    counts: Mapping[str, int] | None,
    max_images: int | None,
    max_held_out: int | None,
    max_test: int | None,
    files: str | None,
) -> Dataset:
    """Images (N, 3, H, W) and label maps (N, H, W) of classes, 255 where none counts.

    image_size: a side, or (height, width), of both; None: as they are. crop: see `Decoder`. cache: `auto` keeps what is
    decoded in the folder `decoded` if its disk has room, `never` decodes it whenever it is asked for. counts: pictures
    of each split. max_images, max_held_out, max_test: see `limit_splits`, of which these are drawn alike. files: what
    they are expected to be, `listing.patterns_id`.

    Raises UserError naming what is missing or wrong.
    """
    folder = Path(root).expanduser().resolve()
    if counts is not None and counts.keys() != source.splits.keys():
        raise UserError(
            f"dataset.counts has {' and '.join(counts) or 'no split'}, and has to have {' and '.join(source.splits)}, "
            "or be null"
        )
    pairs = {part: source.list_pairs(folder, part, None if counts is None else counts[part]) for part in source.splits}
    listed = sorted(file for split in pairs.values() for pair in split for file in pair)
    if files is not None and id_of(folder, listed) != files:
        raise UserError(f"{folder} holds other pictures or maps than the run was made with: put those back")
    size = size_of(image_size)
    map_decoder = MapDecoder(size, crop, tuple(sorted(source.ids.items())))
    reading = Reading(folder, Decoder(size, crop, "rgb"), map_decoder, Path(decoded).expanduser(), cache == "auto")
    most = {"train": max_images, "validation": max_held_out, "test": smaller(max_held_out, max_test)}
    splits = {part: reading.split(_limit(split, most[part])) for part, split in pairs.items()}
    for part, split in splits.items():
        is_whole = part == "train" and len(split) == len(pairs[part])
        _check_classes(split, source.class_names, f"{folder}, {part}", needed=is_whole)
    sizes = {tuple(split.images.shape[2:]) for split in splits.values()}
    if len(sizes) > 1:
        raise UserError(
            f"{folder}: splits differ in size, {sorted(sizes)}: give one, such as dataset.image_size=[360,480]"
        )
    num_classes = len(source.class_names)
    return Dataset(splits["train"], splits.get("validation"), splits["test"], num_classes, source.class_names)


def _limit(pairs: list[Pair], most: int | None) -> list[Pair]:
    if most is None or most >= len(pairs):
        return pairs
    return [pairs[position] for position in limit_positions(len(pairs), most).tolist()]


def _check_classes(split: Split, names: Sequence[str], where: str, *, needed: bool) -> None:
    """Says where a class has no pixel in a split. Raises UserError where each is needed: in all that is to train on."""
    values = getattr(split.labels, "values", ())
    if missing := [name for name, count in zip(names, values, strict=False) if count == 0]:
        sentence = f"{where}: no labeled pixel of {', '.join(missing)} in {amount(len(split), 'map')}"
        if needed:
            raise UserError(f"{sentence}, and every class needs some: put the published maps back")
        logger.warning(sentence)
