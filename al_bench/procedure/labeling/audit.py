"""The audit set: pictures, drawn at random, that are labeled before all others and that no model is trained on."""

from pathlib import Path

import torch

from al_bench import seeding
from al_bench.errors import UserError
from al_bench.files import write_json
from al_bench.oracle import Person
from al_bench.storage.picture_list import AUDIT, PICTURES, PictureList
from al_bench.storage.plain_list import read_list


def draw_audit(folder: Path, pictures: PictureList, answered: bool, person: Person, seed: int) -> list[int]:
    """Draws the audit set of the pictures that are there, once: it stays the same from then on.

    folder: of the run; pictures: once the folder of pictures was looked at; answered: whether any is. Returns
    positions, in the order in which they were drawn. Raises UserError where it was drawn and is not there any more, or
    corrupted: another one would have been trained on.
    """
    path, what = folder / AUDIT, f"positions in {PICTURES}"
    found = read_list(path, int, what)
    if found is None and answered:
        raise UserError(f"{path} is gone, the audit set that the answers are apart from: put it back from a copy")
    if found is None:
        there = torch.tensor([place for place in range(len(pictures)) if place not in pictures.gone])
        size = min(person.audit_size, int(person.audit_share * len(there)))
        rng = seeding.generator(seeding.seed_for(seed, 0, "audit"))
        write_json(path, found := there[torch.randperm(len(there), generator=rng)[:size]].tolist())
    if not all(0 <= one < len(pictures) for one in found):
        raise UserError(f"{path} is no list of {what}: put it back from a copy")
    return found
