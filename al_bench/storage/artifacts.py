"""Train once, share everywhere: what only serves selection, stored under what it was made from.

An artifact's name is a hash of the part that made it and of the data it was made from. Of two jobs that need the same
one, the first trains and the other waits on a lock that the system takes back when its owner dies.
"""

import dataclasses
import functools
import json
import logging
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from safetensors.torch import load, save
from torch import Tensor

from al_bench.files import digest, make_once, read_json, write_json, written_whole
from al_bench.storage.commit import current_commit
from al_bench.training.cost import measure_cost
from al_bench.training.loss_record import Trace

logger = logging.getLogger(__name__)

Made = tuple[Mapping[str, Tensor], Trace]


class Artifacts:
    """A folder of artifacts: `<kind>/<id>.safetensors` and, written last, `<kind>/<id>.json`.

    seconds: by kind, what making took of each artifact given out here, whenever that was.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.seconds: dict[str, float] = {}

    def get(self, kind: str, spec: Mapping[str, Any], make: Callable[[Path], Made]) -> dict[str, Tensor]:
        """The tensors of an artifact, made first where they are not there.

        kind: what it is, for the folder and the log. spec: plain values that say what it was made from, see
        `describe`. make: called with a folder for checkpoints; returns the tensors and the losses. A corrupted artifact
        is set aside and made anew.
        """
        text = json.dumps(spec, sort_keys=True)
        path = self.root / kind / digest(text.encode())[:12]
        files = [path.with_suffix(".safetensors"), path.with_suffix(".json")]
        found = make_once(files, kind, lambda: self._read(path), lambda: self._make(path, kind, json.loads(text), make))
        self.seconds[kind] = read_json(path.with_suffix(".json"))["effort"]["seconds"]
        return found

    def _read(self, path: Path) -> dict[str, Tensor] | None:
        """None where it is not there. Raises ValueError, KeyError or FileNotFoundError for a corrupted one."""
        record, tensors = path.with_suffix(".json"), path.with_suffix(".safetensors")
        if not record.exists():
            return None
        expected = read_json(record)["sha256"]
        data = tensors.read_bytes()
        if digest(data) != expected:
            raise ValueError("another content")
        return load(data)

    def _make(self, path: Path, kind: str, spec: Mapping[str, Any], make: Callable[[Path], Made]) -> dict[str, Tensor]:
        logger.info(f"making {kind} ({path.name}), once for every run that asks for the same")
        with measure_cost() as cost:
            tensors, losses = make(path.with_suffix(".scratch"))
        data = save({name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()})
        with written_whole(path.with_suffix(".safetensors"), lasting=False) as file:
            file.write(data)
        record = {
            "kind": kind,
            "sha256": digest(data),
            "commit": current_commit(),
            "made": time.strftime("%Y-%m-%d %H:%M:%S"),
            "effort": dataclasses.asdict(cost),
            "spec": spec,
            "losses": losses,
        }
        write_json(path.with_suffix(".json"), record)
        shutil.rmtree(path.with_suffix(".scratch"), ignore_errors=True)
        logger.info(f"made {kind} in {cost.seconds:,.1f} s")
        return load(data)


def describe(part: Any) -> Any:
    """Plain values that say all that `part` was configured with: what its artifact's name is made from.

    Takes dataclasses (fields whose metadata has identity=False are left out), functools.partial, functions, classes,
    numbers, strings, None, sequences and mappings. Raises TypeError for anything else, so nothing is left out in
    silence.
    """
    if part is None or isinstance(part, bool | int | float | str):
        return part
    if isinstance(part, functools.partial):
        return {"target": _path(part.func), "args": describe(part.args), **describe(part.keywords)}
    if dataclasses.is_dataclass(part) and not isinstance(part, type):
        kept = [field for field in dataclasses.fields(part) if field.metadata.get("identity", True)]
        return {"target": _path(type(part)), **{field.name: describe(getattr(part, field.name)) for field in kept}}
    if isinstance(part, Mapping):
        return {str(key): describe(value) for key, value in part.items()}
    if isinstance(part, Sequence):
        return [describe(value) for value in part]
    if callable(part) and hasattr(part, "__qualname__"):
        return _path(part)
    raise TypeError(f"cannot describe {part!r}")


def _path(target: Any) -> str:
    return f"{target.__module__}.{target.__qualname__}"
