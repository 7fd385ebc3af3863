"""One run's folder: cycles written whole, read back, resumed and exported.

    config.json                  the identity that hashes to the folder's name, the whole config, commit, hardware
    cycles/003.json              what a person reads of cycle 3, with the SHA-256 of the two files below
    cycles/003.safetensors       its tensors: synthetic images, labels but for the truth, what the strategy measured,
                                 a few predicted label maps
    cycles/003.model.safetensors the model trained in it (of the last two cycles, unless keep_weights is "all")

The JSON is renamed into place last, so a cycle is there whole or not at all.
"""

import logging
import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Literal

from al_bench.active.metric import Metric
from al_bench.active.part import hash_of
from al_bench.errors import UserError
from al_bench.files import digest, read_json, set_aside, write_json
from al_bench.storage.about import was_to_go_on, with_stop_rules
from al_bench.storage.claiming import claim
from al_bench.storage.cycle import Cycle
from al_bench.storage.folder import SUFFIXES, cycle_file, cycle_records, files_from, strays
from al_bench.storage.holding import Holding
from al_bench.storage.model_file import ModelHead, head_of
from al_bench.storage.record import CorruptedError, CycleRecord, Measurement, Record, RecordError, cycles_of, record_sum
from al_bench.storage.stored import Plain
from al_bench.storage.whole import model_is_whole, model_may_be_whole, read_whole_cycle, write_tensors

if TYPE_CHECKING:  # torch is imported where tensors are: a finished run is shown without it
    from torch import Tensor

logger = logging.getLogger(__name__)


class RunStore:
    """The folder of one run; a context manager that holds its lock. A measurement lies in it as a first cycle would.

    folder: where; identity: what it must hold, see `identity.identify`; about: what else `config.json` says;
    keep_weights: "last" or "all"; hardware: the rest of it, which takes a second to ask for, once, when it is written.
    exported: cycles that are known of the run elsewhere, without models, for `adopt`.

    What does not match its sum or its identity is set aside and named, and with it the cycles that build on it.
    Entering raises UserError where another process holds the folder, or where it holds a run of another version, or of
    another identity and is not named by an id. What is stored on a disk that cannot be written is read, without a
    lock: `refuse_unwritable` comes before anything else is done.
    """

    def __init__(
        self,
        folder: Path,
        identity: Plain,
        about: Plain,
        keep_weights: Literal["last", "all"] = "last",
        hardware: Callable[[], Plain] = dict,
    ) -> None:
        self.folder, self.identity, self.about, self.keep_weights = folder, identity, about, keep_weights
        self.cycles = folder / "cycles"
        self.scratch = folder / "scratch"
        self._hardware = hardware
        self._holding = Holding(folder)
        self.records: list[Record] = []
        self.exported: Sequence[CycleRecord] = ()

    def __enter__(self) -> "RunStore":
        try:
            self._holding.take()
            claim(folder=self.folder, identity=self.identity, about=self.about, hardware=self._hardware)
            self._read_cycles()
        except BaseException:
            self._holding.let_go()
            raise
        return self

    def refuse_unwritable(self) -> None:
        """Raises UserError or OSError where the folder could be read and not be taken."""
        self._holding.refuse_unwritable()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._holding.give_back()

    @property
    def cycle_records(self) -> list[CycleRecord]:
        """The records of all whole cycles."""
        return cycles_of(self.records)

    @property
    def last(self) -> CycleRecord | None:
        """The record of the last whole cycle."""
        return next(reversed(self.cycle_records), None)

    def write(self, cycle: Cycle) -> None:
        """Adds a cycle; when this returns it is on disk whole. Raises UserError on a full disk."""
        assert cycle.record.index == len(self.records)
        self._write(cycle.record, cycle.tensors, cycle.weights, self._head(cycle))

    def write_measurement(self, measurement: Measurement, tensors: "Mapping[str, Tensor] | None" = None) -> None:
        """As `write`, the one record of a procedure without cycles, which trained no model of its own."""
        assert not self.records
        self._write(measurement, tensors or {}, {})

    def adopt(self, cycles: Sequence[Cycle]) -> None:
        """Makes cycles that were computed elsewhere the first of this run. The last has its model, the others none, as
        in a run that has gone on."""
        assert not self.records
        for cycle in cycles:
            self._write(cycle.record, cycle.tensors, cycle.weights or None, self._head(cycle))

    def _head(self, cycle: Cycle) -> ModelHead | None:
        """None where no network is told of, as by a loop without a configuration."""
        if cycle.reads is None or "network" not in self.about.get("config", {}).get("learner", {}):
            return None
        return head_of(cycle.reads, self.about, hash_of(self.identity), cycle.record.index, cycle.record.annotations)

    def _write(
        self,
        record: Record,
        tensors: "Mapping[str, Tensor]",
        weights: "Mapping[str, Tensor] | None",
        head: ModelHead | None = None,
    ) -> None:
        """weights: None where no model is there."""
        index = len(self.records)
        for path in self._paths(index):
            if path.is_dir():
                logger.warning(f"{path} is a folder where a file should be: kept as {set_aside(path).name}")
        sums = {
            "run": hash_of(self.identity),
            "sha256": write_tensors(self._path(index, ".safetensors"), tensors),
        }
        if weights is not None:
            model = self._path(index, ".model.safetensors")
            sums["sha256_model"] = write_tensors(model, weights, head.as_metadata() if head else None)
        record = record.model_copy(update=sums)
        record = record.model_copy(update={"sha256_record": record_sum(record.plain())})
        write_json(self._path(index, ".json"), record.plain())
        self.records.append(record)
        shutil.rmtree(self.scratch, ignore_errors=True)
        if self.keep_weights == "last" and index >= 2:
            self._path(index - 2, ".model.safetensors").unlink(missing_ok=True)

    def tensors(self, index: int) -> "dict[str, Tensor]":
        """The tensors of a stored cycle. Raises UserError where they are corrupted."""
        from safetensors.torch import load

        return load(self._checked(index, ".safetensors", self.records[index].sha256))

    def weights(self, index: int) -> "dict[str, Tensor]":
        """The model of a stored cycle. Raises UserError where it is corrupted."""
        from safetensors.torch import load

        return load(self._checked(index, ".model.safetensors", self.records[index].sha256_model))

    def go_on(self) -> None:
        """Cuts `records` back to what the next cycle can build on: the last whose model is whole. What comes after it
        is set aside. Of a run that is only looked at no model is read. Notes the stop rules of this start."""
        self.note_stop_rules()
        whole = len(self.records)
        while whole and not model_is_whole(self.folder, whole - 1, self.records[whole - 1].sha256_model):
            whole -= 1
        self._cut(whole, "the model of ")

    def note_stop_rules(self) -> None:
        """`config.json` has the stop rules of this start from here on, by which a reader says whether the run is
        finished."""
        path, loop = self.folder / "config.json", self.about.get("config", {}).get("loop")
        stored = read_json(path)
        asked = stored if loop is None else with_stop_rules(stored, loop)
        if not self.records and "sources" in self.about:  # what ended before its first cycle was mended since
            asked = {**asked, "sources": self.about["sources"]}
        if asked != stored:
            write_json(path, asked)

    def end_here(self, metrics: Sequence[Metric]) -> None:
        """Notes the stop rules of this start, which end the run, where it was to go on by others and did not come to
        their end: a larger budget that was given up. Not where the folder can only be read."""
        if self.records and was_to_go_on(self.folder, self.records[-1], metrics):
            with suppress(OSError, UserError):
                self.refuse_unwritable()
                self.note_stop_rules()
                logger.info("it was to go on beyond that: it counts as finished from here on, until it goes on")

    def redo_last(self, why: str) -> None:
        """Sets the last cycle aside, which other stop rules had cut, to be computed again. why: said behind it."""
        last = len(self.records) - 1
        asides = [set_aside(path, "cut").name for path in files_from(self.folder, last)]
        logger.warning(f"cycle {last} {why}: kept as {', '.join(asides)} and done anew")
        self.records = self.records[:last]
        self.go_on()

    def _path(self, index: int, suffix: str) -> Path:
        return cycle_file(self.folder, index, suffix)

    def _paths(self, index: int) -> list[Path]:
        return [self._path(index, suffix) for suffix in SUFFIXES]

    def _read_cycles(self) -> None:
        """All cycles before the first that is not whole; from there on they are set aside, to be computed again."""
        if passed := strays(self.folder):
            names = ", ".join(path.name for path in passed)
            logger.warning(f"passed over in {self.cycles}, for no run writes such names: {names}")
        for index in range(max(cycle_records(self.folder), default=-1) + 1):
            try:
                self.records.append(read_whole_cycle(self.folder, index, hash_of(self.identity)))
            except CorruptedError:
                break
            except RecordError as error:
                path = self._path(index, ".json")
                raise UserError(f"{path} {error}: move the folder away to start again") from error
        whole = len(self.records)
        if whole and not model_may_be_whole(self.folder, whole - 1):
            whole -= 1
        self._cut(whole)

    def _cut(self, whole: int, of: str = "") -> None:
        """Keeps as many cycles, and sets aside what is stored of later ones. of: what of the first is no good."""
        later = [index for index in cycle_records(self.folder) if index >= whole]
        if later and self._holding.is_writable:
            asides = [set_aside(path).name for path in files_from(self.folder, whole)]
            on = f", with those that build on it, to cycle {later[-1]}" if later[-1] > whole else ""
            kept = f"{', '.join(asides[:3])}{', ...' if len(asides) > 3 else ''}"
            logger.warning(f"{of}cycle {whole} in {self.cycles} is missing or corrupted: kept as {kept}{on}")
        self.records = self.records[:whole]

    def _checked(self, index: int, suffix: str, stated: str | None) -> bytes:
        data = self._path(index, suffix).read_bytes()
        if digest(data) != stated:
            raise UserError(f"{self._path(index, suffix)} is corrupted: put it back from a copy")
        return data
