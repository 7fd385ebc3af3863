"""Whose folder it is: `config.json` written, or the stored one held against a run's identity."""

import logging
from collections.abc import Callable
from pathlib import Path

from al_bench.active.part import hash_of
from al_bench.config.values import differences
from al_bench.errors import UserError
from al_bench.files import read_json, set_aside, write_json
from al_bench.storage.stored import Plain
from al_bench.storage.whole import is_anothers

logger = logging.getLogger(__name__)


def claim(folder: Path, identity: Plain, about: Plain, hardware: Callable[[], Plain]) -> None:
    """Writes `config.json` of a run whose folder is held, unless it is there.

    Of the arguments see `RunStore`. What is stored of another run or not whole is set aside and named. Raises UserError
    where the folder is named by the id of another configuration, or holds another run and is not named by an id.
    """
    path, own = folder / "config.json", hash_of(identity)
    beside = folder.as_posix().endswith(f"/{about.get('label')}/{folder.name}")  # where ids are
    if beside and is_anothers(folder, own):
        raise UserError(
            f"{folder} is the folder of another configuration, this one's is {own}: conf/ was changed while a sweep "
            "ran, start the sweep again"
        )
    if path.exists():
        try:
            stored = dict(read_json(path)["identity"])
        except (ValueError, KeyError, TypeError, IsADirectoryError):
            aside = set_aside(path)
            logger.warning(f"{path} is corrupted: kept as {aside.name} and written anew")
        else:
            if stored == identity:
                return
            different = "; ".join(differences(stored, identity))
            if folder.name != own:
                raise UserError(f"{folder} holds another run: {different}")
            present = [one for one in (path, folder / "cycles", folder / "scratch") if one.exists()]
            asides = ", ".join(set_aside(one).name for one in present)
            logger.warning(f"{folder} holds another run, which is not its name: kept as {asides} ({different})")
            (folder / "cycles").mkdir()
    write_json(path, {"identity": identity, **about, **hardware()})
