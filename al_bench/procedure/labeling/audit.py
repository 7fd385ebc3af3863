"""The audit set: pictures, drawn at random, that are labeled before all others and that no model is trained on."""

import logging
from collections.abc import Collection, Sequence
from pathlib import Path

import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from al_bench import seeding
from al_bench.errors import UserError, amount
from al_bench.files import read_json, write_json
from al_bench.oracle import Person
from al_bench.storage.picture_list import AUDIT, AUDIT_DRAWN, PICTURES, PictureList
from al_bench.storage.plain_list import read_list

logger = logging.getLogger(__name__)


class _Drawn(BaseModel):
    """Of what the set was drawn. share: of the pictures that were there first; pictures: how many it was drawn from so
    far; positions: that these are below."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    share: float = Field(ge=0, le=1)
    pictures: int = Field(ge=0)
    positions: int = Field(ge=0)


def draw_audit(
    folder: Path, pictures: PictureList, num_before: int, used: Collection[int], person: Person, seed: int
) -> list[int]:
    """Draws the audit set of the pictures that are there, and as large a share of those that came since into it, though
    no more than `person.audit_size` at a time; what is in it stays.

    folder: of the run; pictures: once the folder of pictures was looked at; num_before: how many it had before; used:
    positions that were answered or asked for, which do not come into it any more. Returns positions, in the order in
    which they were drawn. Raises UserError where it was drawn and is not there any more, or corrupted: another one
    would have been trained on.
    """
    path, what = folder / AUDIT, f"positions in {PICTURES}"
    found = read_list(path, int, what)
    if found is None and used:
        raise UserError(f"{path} is gone, the audit set that the answers are apart from: put it back from a copy")
    if not all(0 <= one < len(pictures) for one in found or ()):
        raise UserError(f"{path} is no list of {what}: put it back from a copy")
    there = [place for place in range(len(pictures)) if place not in pictures.gone]
    if found is None:
        share = min(person.audit_share, person.audit_size / max(1, len(there)))
        found = _draw(there, min(person.audit_size, int(person.audit_share * len(there))), seed, 0)
        write_json(path, found)
        drawn = _Drawn(share=share, pictures=len(there), positions=len(pictures))
    else:
        before = _read(folder / AUDIT_DRAWN, len(found), num_before)
        new = [place for place in there if place >= before.positions]
        more = _more_of(new, found, used, before, person.audit_size, seed)
        if more:
            write_json(path, found := [*found, *more])
        drawn = _Drawn(share=before.share, pictures=before.pictures + len(new), positions=len(pictures))
    write_json(folder / AUDIT_DRAWN, drawn.model_dump())
    return found


def _more_of(
    new: Sequence[int], found: Sequence[int], used: Collection[int], before: _Drawn, most: int, seed: int
) -> list[int]:
    """Of new pictures those that come into the set; what a run that was killed had drawn of them counts."""
    wanted = int(before.share * (before.pictures + len(new))) - int(before.share * before.pictures)
    size = min(wanted, most) - sum(place >= before.positions for place in found)
    known = {*found, *used}
    more = _draw([place for place in new if place not in known], max(0, size), seed, before.positions)
    if more:
        logger.info(
            f"{amount(len(more), 'picture')} of the {len(new):,} new ones are drawn into the audit set, which has "
            f"{len(found) + len(more):,} now"
        )
    if wanted > most:
        logger.warning(
            f"the audit set stands less for new pictures than for earlier ones, of which {100 * before.share:.0f} % "
            f"are in it: at most oracle.audit_size={most} are drawn at a time"
        )
    return more


def _draw(candidates: Sequence[int], size: int, seed: int, first: int) -> list[int]:
    """first: position that may be drawn, by which each draw of a run is another."""
    rng = seeding.generator(seeding.seed_for(seed, first, "audit"))
    return [candidates[place] for place in torch.randperm(len(candidates), generator=rng)[:size].tolist()]


def _read(path: Path, num_drawn: int, num_before: int) -> _Drawn:
    """What is stored of a set; of one of an earlier version, that it was drawn from all that there were."""
    try:
        return _Drawn.model_validate(read_json(path))
    except FileNotFoundError:
        share = min(1.0, num_drawn / max(1, num_before))
        return _Drawn(share=share, pictures=num_before, positions=num_before)
    except (ValidationError, ValueError) as error:
        raise UserError(f"{path} does not say of what the audit set was drawn: put it back from a copy") from error
