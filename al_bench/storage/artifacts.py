"""Train once, share everywhere: what only serves selection, stored under what it was made from.

An artifact's name is a hash of the part that made it and of the data it was made from. Of two jobs that need the same
one, the first trains and the other waits on a lock that the system takes back when its owner dies.
"""

import logging
import shutil
import time
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

import torch
from safetensors.torch import load, save
from torch import Tensor, nn

from al_bench.active.part import hash_of
from al_bench.files import digest, make_once, read_json, write_json, written_whole
from al_bench.storage.about import checked_artifact
from al_bench.storage.commit import current_commit
from al_bench.storage.record import record_sum
from al_bench.storage.reused_rows import RowIds, but_for_lost, find_rows, write_ids
from al_bench.storage.row_file import Compute, read_rows, sum_of, write_rows
from al_bench.training.cost import Cost, add_cost, measure_cost
from al_bench.training.loss_record import Trace
from al_bench.training.pack import apart

logger = logging.getLogger(__name__)

Made = tuple[Mapping[str, Tensor], Trace]
Trained = TypeVar("Trained", bound=nn.Module)


class Artifacts:
    """A folder of artifacts: `<kind>/<id>.safetensors` and, written last, `<kind>/<id>.json`.

    seconds: by kind, what making took of each artifact given out here, whenever that was.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.seconds: dict[str, float] = {}

    def get(
        self, kind: str, spec: Mapping[str, Any], make: Callable[[Path], Made], charged: bool = False
    ) -> dict[str, Tensor]:
        """The tensors of an artifact, made first where they are not there.

        kind: what it is, for the folder and the log. spec: plain values that say what it was made from, see
        `describe`. make: called with a folder for checkpoints; returns the tensors and the losses. charged: what making
        took counts for whoever asks, also where it was made before. A corrupted artifact is set aside and made anew.
        """
        path = self.root / kind / hash_of(spec)
        files = [path.with_suffix(".safetensors"), path.with_suffix(".json")]
        made = list[Path]()

        def make_now() -> dict[str, Tensor]:
            made.append(path)
            return self._make(path, kind, spec, make)

        start = time.perf_counter()
        found = make_once(files, kind, lambda: self._read(path), make_now)
        effort = read_json(path.with_suffix(".json"))["effort"]
        self.seconds[kind] = effort["seconds"]
        if charged and not made:
            waited = time.perf_counter() - start  # for whoever made it meanwhile
            add_cost(effort["optimizer_steps"], effort["images_seen"], effort["seconds"] - waited)
        return found

    def train_once(
        self,
        kind: str,
        spec: Mapping[str, Any],
        untrained: Trained,
        fit: Callable[[Path], tuple[nn.Module, Trace]],
        device: torch.device,
    ) -> Trained:
        """A trained module, trained first where nobody has: on `device`, in eval mode, its parameters take no gradient.

        kind, spec: see `get`. untrained: what the stored weights are loaded into. fit: called with a folder for
        checkpoints; returns another such module, trained, and its losses. Raises FloatingPointError, which names the
        kind, at a loss that is not finite.
        """

        def make(scratch: Path) -> Made:
            try:
                module, losses = fit(scratch)
            except FloatingPointError as error:
                raise FloatingPointError(f"the {kind}, which is trained once: {error}") from error
            return module.state_dict(), losses

        untrained.load_state_dict(self.get(kind, spec, make))
        return untrained.to(device).eval().requires_grad_(False)

    def rows(
        self,
        kind: str,
        spec: Mapping[str, Any],
        shape: tuple[int, int],
        batch: int,
        compute: Compute,
        ids: RowIds | None = None,
        lost: Callable[[], Collection[int]] = tuple,
    ) -> Tensor:
        """(N, D) float32 rows of an artifact, mapped from its file, computed first where they are not there.

        kind, spec: see `get`. shape: (N, D). batch, compute: see `write_rows`; a kill loses the batch that was begun.
        ids: of each row what it is of, so that those which an earlier artifact has are taken from it, see `find_rows`.
        lost: once all are computed, places of rows that are of nothing, as what they are of could not be had: who asks
        for this spec again computes these anew, and takes the others over.
        """
        path = self.root / kind / hash_of(spec)
        files = [path.with_suffix(".safetensors"), path.with_suffix(".json")]

        def read() -> Tensor | None:
            known = _known(path)
            return read_rows(files[0], known["sha256"]) if known else None

        def make() -> Tensor:
            logger.info(f"making {kind} ({path.name}), once for every run that asks for the same")
            growing = path.with_suffix(".scratch") / files[0].name
            if files[0].exists():  # of one that was killed before it wrote the record
                growing.parent.mkdir(exist_ok=True)
                files[0].replace(growing)
            with measure_cost() as cost:
                reused = None if ids is None else find_rows(path.parent, spec, ids)
                write_rows(growing, shape, batch, compute, reused)
            place, about, known = path, spec, ids
            if without := sorted(lost()):
                about, known = but_for_lost(spec, ids, without)
                place = self.root / kind / hash_of(about)
            growing.replace(rows := place.with_suffix(".safetensors"))
            more = {} if known is None else {"sha256_ids": write_ids(rows, known)}
            shutil.rmtree(path.with_suffix(".scratch"), ignore_errors=True)
            self._record(place, kind, about, sum_of(rows), cost, {}, more)
            files[1] = place.with_suffix(".json")
            return read_rows(rows, read_json(files[1])["sha256"])

        found = make_once([*files], kind, read, make)
        self.seconds[kind] = self.seconds.get(kind, 0) + read_json(files[1])["effort"]["seconds"]
        return found

    def _read(self, path: Path) -> dict[str, Tensor] | None:
        """None where it is not there. Raises ValueError, KeyError or FileNotFoundError for a corrupted one."""
        if (known := _known(path)) is None:
            return None
        data = path.with_suffix(".safetensors").read_bytes()
        if digest(data) != known["sha256"]:
            raise ValueError("another content")
        return load(data)

    def _make(self, path: Path, kind: str, spec: Mapping[str, Any], make: Callable[[Path], Made]) -> dict[str, Tensor]:
        logger.info(f"making {kind} ({path.name}), once for every run that asks for the same")
        with measure_cost() as cost, apart():
            tensors, losses = make(path.with_suffix(".scratch"))
        data = save({name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()})
        with written_whole(path.with_suffix(".safetensors"), lasting=False) as file:
            file.write(data)
        self._record(path, kind, spec, digest(data), cost, losses)
        return load(data)

    def _record(
        self,
        path: Path,
        kind: str,
        spec: Mapping[str, Any],
        sha256: str,
        cost: Cost,
        losses: Trace,
        more: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """Writes what says that an artifact is there, and removes what was kept while it was made."""
        record = {
            "kind": kind,
            "sha256": sha256,
            "commit": current_commit(),
            "made": time.strftime("%Y-%m-%d %H:%M:%S"),
            "effort": cost.plain(),
            "spec": spec,
            "losses": losses,
            **more,
        }
        write_json(path.with_suffix(".json"), {**record, "sha256_record": record_sum(record)})
        shutil.rmtree(path.with_suffix(".scratch"), ignore_errors=True)
        logger.info(f"made {kind} in {cost.seconds:,.1f} s")


def _known(path: Path) -> Mapping[str, Any] | None:
    """The record of an artifact, None where it is not there. Raises ValueError or KeyError for a corrupted one."""
    record = path.with_suffix(".json")
    return checked_artifact(read_json(record), path.name) if record.exists() else None
