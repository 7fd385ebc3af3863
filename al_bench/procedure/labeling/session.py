"""What a labeling run knows of its folder of pictures and of the person's answers."""

import hashlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from al_bench.active.inputs import fingerprint
from al_bench.active.pool import UNKNOWN
from al_bench.annotation.exchange import read_answers
from al_bench.annotation.importing import AtStart, Beginning, import_answers, refuse_answers
from al_bench.annotation.known_pictures import KnownPictures
from al_bench.dataset import Dataset, PictureFolder, Split
from al_bench.dataset.class_folders import named
from al_bench.dataset.unlabeled_folder import Below
from al_bench.errors import UserError, amount
from al_bench.files import digest, open_file, write_json
from al_bench.oracle import Person
from al_bench.procedure.labeling.audit import draw_audit
from al_bench.sources.cache import fits
from al_bench.sources.kept_images import KeptImages, find_same, forget
from al_bench.sources.listing import file_ids
from al_bench.storage.answers import LABELS, Answer, Answers, LabelLog, Line, NewClass, now
from al_bench.storage.asked import asked_positions
from al_bench.storage.grown import FILES_TAKEN
from al_bench.storage.picture_list import PICTURES, Changes, PictureList
from al_bench.storage.plain_list import read_list

logger = logging.getLogger(__name__)

_DECODED = "decoded.npy"


@dataclass(frozen=True)
class Labels:
    """The answers that hold, as the loop takes them, in the order in which they were given.

    positions: (L,) int64, of those to train on, and labels: (L,) int64, UNKNOWN where the person could not tell, and of
    copies of pictures of the audit set; audited: (A,) int64 and audit_labels: (A,) int64, of the audit set alike.
    annotations: all that hold, of pictures that are gone or cannot be read, too. class_names: that there were by then.
    num_lines: of the file that they are from.
    """

    positions: Tensor
    labels: Tensor
    audited: Tensor
    audit_labels: Tensor
    annotations: int
    class_names: tuple[str, ...]
    num_lines: int


class Session:
    """The folder of pictures as it is now, with each picture at the position that it has for good, and the answers.

    folder: of the run; pictures: as the data set has them; class_names: those given to the command, which come before
    any that the person adds. Raises UserError for files that are not what a run wrote.
    """

    def __init__(self, folder: Path, pictures: PictureFolder, class_names: Sequence[str]) -> None:
        self.folder, self.pictures = folder, pictures
        self.log = LabelLog(folder / LABELS)
        self.lines: list[Line] = []
        self.answers = Answers()
        self.read_new()
        known = set(self.answers.classes)
        if added := [NewClass(when=now(), name=name) for name in class_names if name not in known]:
            self.log.append(*added)
            self.read_new()
        if known - set(class_names):
            self._say_kept(class_names, [one.name for one in added])
        self.list = PictureList(folder / PICTURES)
        self.drawn: tuple[int, ...] = ()  # the audit set as it was drawn, which is how it is shown
        self.audit: frozenset[int] = frozenset()
        self.left_out: frozenset[int] = frozenset()  # until the next start, though their files may be back before

    def _say_kept(self, class_names: Sequence[str], added: Sequence[str]) -> None:
        """That a run keeps every class, for somebody who left one out or gave it another name."""
        kept = [name for name in self.class_names if name not in class_names]
        new = (
            f", and {', '.join(added)} {'is' if len(added) == 1 else 'are'} added, no new name of one" if added else ""
        )
        count = len(self.class_names)
        logger.warning(f"{count} classes: the run keeps {', '.join(kept)}, which dataset.class_names leaves out{new}")

    def read_new(self) -> int:
        """Takes in the answers that came since; returns how many lines those are."""
        new = self.log.read_new()
        self.lines += new
        for line in new:
            self.answers.add(line)
        return len(new)

    @property
    def class_names(self) -> tuple[str, ...]:
        """All so far, in the order of labels: a class that is added comes last."""
        return tuple(self.answers.classes)

    def look(self) -> Changes:
        """Holds the folder of pictures against what was there before, and says what has changed."""
        contents = {one.position: one.content for one in self.answers.given() if one.content is not None}
        before, given = len(self.list), [one.position for one in self.answers.given()]
        self._refuse_unknown(given)
        forgotten = partial(forget, self.folder / _DECODED)
        changes = self.list.look(self.pictures.files, contents, self._content_of, forgotten, self._find_same)
        if before:
            more, gone, renamed = amount(len(changes[0]), "picture"), len(changes[1]), len(changes[2])
            lost = len(self.list.gone.intersection(given))
            unused = f", {lost:,} of them of pictures that are gone" if lost else ""
            logger.info(f"{more} more, {gone:,} gone, {renamed:,} renamed; labels of {len(given):,} kept{unused}")
        return changes

    def take_file(self, path: Path) -> None:
        """Takes in the answers of a file, once: what is answered afterwards stays. Raises UserError where it cannot be
        taken whole."""
        taken = self.folder / FILES_TAKEN
        before = read_list(taken, str, "files that were taken") or []
        try:
            with open_file(path) as file:
                content = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise UserError(
                f"oracle.labels={path} cannot be read ({error.strerror}): name a file of answers"
            ) from error
        if content not in before:
            start = AtStart(self.pictures.root, self.audit)
            logger.info(f"{path}: {import_answers(self.folder, read_answers(path), start=start)}")
            write_json(taken, [*before, content])
            self.read_new()

    def dataset(self, dataset: Dataset) -> Dataset:
        """The data set by positions: its pictures decoded when they are asked for, its classes those known by now."""
        names, gone = self.list.names, self.list.gone
        below = Below(self.pictures.root, names)
        paths = [None if position in gone else below[position] for position in range(len(names))] if gone else below
        read = f"{self.pictures.root}\0{self.pictures.decoder}"
        ids = np.fromiter(file_ids(read, self.list.files), np.uint64, len(names))
        ids[sorted(gone)] = ~ids[sorted(gone)]  # black, or as it was decoded before
        known = digest(repr((fingerprint(dataset.train.images), names, sorted(gone))).encode() + ids.tobytes())[:16]
        self.images = KeptImages(
            paths, self.pictures.decoder, self.folder / _DECODED, known, self._keeps(len(names)), ids
        )
        images = self.images
        if broken := images.try_again():
            which = named([names[position] for position in broken])
            count = amount(len(broken), "picture")
            logger.warning(f"left out: {count} that cannot be read: mend or replace {which}; every start tries again")
        dataset = replace(dataset, train=Split(images, torch.full((len(names),), UNKNOWN)))
        return replace(dataset, num_classes=len(self.class_names), class_names=self.class_names)

    def leave_out_away(self) -> None:
        """Leaves out, until the next start computes them anew, pictures whose files were away while features were
        computed: theirs are those of a black one."""
        self.left_out = frozenset(self.images.away - self.list.gone)
        if self.left_out:
            which = named([self.list.names[position] for position in sorted(self.left_out)])
            logger.warning(
                f"left out until the next start: {amount(len(self.left_out), 'picture')} whose files were "
                f"away while features were computed: {which}"
            )

    def _keeps(self, count: int) -> bool:
        """Whether so many decoded pictures are kept, for which the disk has to have room."""
        path, shape = self.folder / _DECODED, self.pictures.decoder.shape
        assert shape is not None
        there = path.stat().st_blocks * 512 if path.exists() else 0  # it has holes
        return self.pictures.keep and fits(self.folder, (count, *shape), there, "paths.outputs")

    def draw_audit(self, changes: Changes, person: Person, seed: int) -> None:
        """Draws the audit set, or of what is new into it, see `audit.draw_audit`. changes: that were just looked at."""
        used = {one.position for one in self.answers.given()} | asked_positions(self.folder)
        found = draw_audit(self.folder, self.list, len(self.list) - len(changes.more), used, person, seed)
        self.drawn, self.audit = tuple(found), frozenset(found)

    def labels(self, num_lines: int | None = None) -> Labels:
        """What holds after so many lines, None: after all; without pictures that are gone or, which is looked for now,
        cannot be read. Raises UserError where there are fewer lines."""
        if num_lines is not None and num_lines > self.answers.num_lines:
            raise UserError(
                f"{self.log.path} has {amount(self.answers.num_lines, 'line')}, and a model was trained on "
                f"{num_lines:,} of them: put the file back from a copy"
            )
        answers = self.answers if num_lines is None else Answers(self.lines[:num_lines])
        number = {name: label for label, name in enumerate(answers.classes)}
        held = answers.given()
        self._refuse_unknown([one.position for one in held])
        there = [one for one in held if one.position not in self.list.gone]
        broken = self.images.find_broken([one.position for one in there])
        given = [one for one in there if one.position not in broken]
        audit = [one for one in given if one.position in self.audit]
        train = _unlike([one for one in given if one.position not in self.audit], audit)
        tensors = *_as_tensors(train, number), *_as_tensors(audit, number)
        return Labels(*tensors, len(held), tuple(answers.classes), answers.num_lines)

    def withheld(self, broken: Tensor) -> Tensor:
        """(W,) positions that are never asked for to train on. broken: those that cannot be read."""
        return torch.tensor(sorted(self.audit | self.list.gone | set(broken.tolist())), dtype=torch.int64)

    def _refuse_unknown(self, positions: Sequence[int]) -> None:
        if (last := max(positions, default=-1)) >= len(self.list):
            raise UserError(
                f"{self.log.path} has an answer to picture {last}, and {self.list.path} says of {len(self.list):,} "
                "pictures which they are: put both back from a copy"
            )

    def _find_same(self, names: Mapping[int, str]) -> set[int]:
        pictures = {position: self.pictures.root / name for position, name in names.items()}
        return find_same(self.folder / _DECODED, self.pictures.decoder, pictures)

    def _content_of(self, name: str) -> str | None:
        try:
            with open_file(self.pictures.root / name) as file:
                return hashlib.file_digest(file, "sha256").hexdigest()[:16]
        except OSError:
            return None


def refuse_file(path: Path, folder: Path, pictures: PictureFolder, class_names: Sequence[str]) -> None:
    """Raises UserError where a run that has written nothing yet could not take a file of answers whole; of all else see
    `Session`."""
    if not any((folder / name).exists() for name in (PICTURES, LABELS)):
        known = KnownPictures(PictureList.of(folder / PICTURES, pictures.files), pictures.root)
        refuse_answers(Beginning(pictures.root, known, class_names), read_answers(path))


def _unlike(given: Sequence[Answer], audit: Sequence[Answer]) -> list[Answer]:
    """The answers without what they say of copies of audited pictures: a model that learned these would be measured on
    them."""
    audited = {one.content for one in audit if one.content is not None}
    return [one.model_copy(update={"label": None}) if one.content in audited else one for one in given]


def _as_tensors(given: Sequence[Answer], number: dict[str, int]) -> tuple[Tensor, Tensor]:
    """Positions and labels. A class that was answered and never named is one that the page of another version added."""
    unknown = [one.label for one in given if one.label is not None and one.label not in number]
    if unknown:
        raise UserError(
            f"{LABELS} has an answer of the class {unknown[0]}, which no line of it names: add it on the page"
        )
    labels = [UNKNOWN if one.label is None else number[one.label] for one in given]
    return torch.tensor([one.position for one in given], dtype=torch.int64), torch.tensor(labels, dtype=torch.int64)
