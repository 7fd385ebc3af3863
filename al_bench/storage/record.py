"""What is stored of a cycle, and of a procedure without cycles, as plain values that a person can read.

`read_record` and `plain` are inverse: a stored record that is read and written again is the same.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any

from pydantic import Field, StringConstraints, ValidationError

from al_bench.active.metric import ITERATION, SECONDS
from al_bench.active.stopping import ALL_LABELED, Stopping
from al_bench.errors import WordedError
from al_bench.files import digest
from al_bench.storage.plain_table import PlainTable
from al_bench.storage.query_record import QueryRecord
from al_bench.storage.stored import Count, Plain, Stored

_Line = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f-\x9f]*$")]

_OF_FILES = frozenset({"sha256", "sha256_model", "sha256_record", "run"})
_PLACE = {"index": 0, "annotations": 0}  # what the file of a measurement says beside it


class RecordError(WordedError):
    """Values that are no record of this version; the message says why, as the end of a sentence that names them."""


class CorruptedError(RecordError):
    """What is no longer what was written, or not there where it was."""


class PartCost(Stored):
    """seconds of wall time; optimizer_steps of all optimizers; images_seen in training; peak_memory in bytes."""

    seconds: float
    optimizer_steps: int
    images_seen: int
    peak_memory: int


class CycleRecord(Stored):
    """One cycle.

    annotations: all bought so far; unlabeled: images left in the pool; validation_labels: how many the training looked
    at, whether they count as annotations or not; metrics: a number or a list of numbers each, the headline first;
    test_images: how many there are, where it is kept which of them were right; chosen_entropy: mean over the query, in
    nats, None for the initial labels; class_counts: labels of the training set; trace: what the strategy measured, a
    number per row; observed: a number per look at the model while it was trained (`Observer.trace`), empty where nobody
    looked; losses: of each training by its name, means over stretches that end at its iterations, of an exported run's
    last cycle alone; costs: by part. commit: of the code; machine: that it was computed on, in words, None in records
    from before it was kept, which were computed on the one that the run names; measured_by: see `Evaluation`, None
    where nothing did and in records from before. skipped_pictures: files of the data set that cannot be read.

    The sums are of the files beside the record and of all else in it; run: the id of the run that it is of, None in a
    cell and in older runs. Only a cell's cycles have `correct`, a bit for
    each test image, eight to a byte, and `trace_mean`, over all rows where `trace` has fewer, which stays where a run
    goes on from the cell.
    """

    index: Count
    annotations: Count
    unlabeled: Count
    validation_labels: Count = 0
    metrics: Annotated[dict[str, float | list[float | None] | None], Field(min_length=1)]
    test_images: int | None = None
    chosen_entropy: float | None
    class_counts: list[Count]
    query: QueryRecord
    trace: dict[str, list[float | None]] | None = None  # None in runs from before it was kept
    observed: dict[str, list[float | None]] = {}
    losses: dict[str, dict[str, list[float]]] = {}
    skipped_pictures: int = 0
    costs: dict[str, PartCost] = Field(alias="effort")
    commit: str
    machine: _Line | None = None
    measured_by: _Line | None = None
    sha256: str | None = None
    sha256_model: str | None = None
    sha256_record: str | None = None
    run: str | None = None
    correct: list[Annotated[int, Field(ge=0, le=255)]] | None = None
    trace_mean: dict[str, float] | None = None

    def plain(self) -> Plain:
        """As it is written."""
        return {**super().plain(), "query": self.query.plain()}


class Measurement(Stored):
    """All that a procedure without cycles found.

    finished: the result in a sentence, why nothing follows. metrics: numbers, the one to be shown first in front.
    tables: by name, each `about` (what a row is), `columns` and `rows`, as `report.tables.Table` takes them, and maybe
    `plots`, each `about` (its y axis), the column `x` and the columns `y` over it, as `figures.table_plots` draws them.
    Of a plot: `by` a column, a line for each of its values; `dashed` {column: value}, rows whose line comes dashed;
    `scale` of both axes, linear or log. skipped_pictures, machine: as a cycle's.
    """

    metrics: Annotated[dict[str, Any], Field(min_length=1)]
    tables: dict[str, PlainTable]
    finished: _Line
    skipped_pictures: int = 0
    costs: dict[str, PartCost] = Field(alias="effort")
    commit: str
    machine: _Line | None = None
    sha256: str | None = None
    sha256_model: str | None = None
    sha256_record: str | None = None
    run: str | None = None

    def plain(self) -> Plain:
        """As it is written, in the place of a first cycle."""
        return {**_PLACE, **super().plain()}


Record = CycleRecord | Measurement


def read_record(values: object) -> Record:
    """A record from its plain values. Raises RecordError where something is missing or is not known."""
    if not isinstance(values, dict):
        raise RecordError("is not a record")
    try:
        if "query" in values or "unlabeled" in values:
            return _even(CycleRecord.model_validate(values, strict=True))
        place = {key: values.get(key) for key in _PLACE}
        if place != _PLACE:
            raise RecordError(f"says that it is cycle {place['index']} and is the record of none")
        return Measurement.model_validate({key: values[key] for key in values if key not in _PLACE}, strict=True)
    except ValidationError as error:
        raise RecordError(name_mismatch(error)) from error


def _even(record: CycleRecord) -> CycleRecord:
    """The same. Raises RecordError where lists that belong together are of different lengths, labels of no class, or
    what every cycle has is missing."""
    query, looks = record.query, {len(values) for values in record.observed.values()}
    rows = {len(known) for known in (query.indices, query.labels, query.ranks) if known is not None}
    some = [len(known) for name in query.measured if (known := getattr(query, name)) is not None]
    if len(rows) > 1 or (rows and max(some, default=0) > min(rows)):
        raise RecordError("has a query whose lists are of different annotations")
    if query.lowest and len(query.lowest.indices) != len(query.lowest.scores):
        raise RecordError("has a query that names images of the lowest scores without as many scores")
    answers = [label for row in query.labels or () for label in (row if isinstance(row, list) else [row])]
    answers += query.guesses or []
    if answers and not -1 <= min(answers) <= max(answers) < len(record.class_counts):
        raise RecordError(f"has labels that are none of its {len(record.class_counts)} classes")
    if not isinstance(next(iter(record.metrics.values())), int | float | None):
        raise RecordError("has no number that comes first among its metrics")
    if not {"query", "fit"} <= record.costs.keys():
        raise RecordError("does not say what its query and its training took")
    if len(looks) > 1 or (looks and not {ITERATION, SECONDS} <= record.observed.keys()):
        raise RecordError("has looks at a training whose lists are of different iterations")
    for losses in record.losses.values():
        if ITERATION not in losses or len({len(values) for values in losses.values()}) > 1:
            raise RecordError("has losses of a training whose lists are of different iterations")
    return record


def read_whole_record(values: object, run: str) -> Record:
    """A record from the plain values of its own file, which states their sum. Raises RecordError as `read_record`,
    CorruptedError where the sum is another or it is of another run than this id."""
    if not isinstance(values, dict) or values.get("sha256_record") != record_sum(values):
        raise CorruptedError("is corrupted, its content does not hash to the sum that it states")
    record = read_record(values)
    if record.run not in (None, run):
        raise CorruptedError(f"is of run {record.run}")
    return record


def record_sum(values: Mapping[str, Any]) -> str:
    """The SHA-256 that a record's plain values state of all else in them."""
    stated = {key: value for key, value in values.items() if key != "sha256_record"}
    return digest(json.dumps(stated, sort_keys=True).encode())


def without_sums(record: Record) -> Record:
    """The record as a cell has it: without its run, the sums of files that stay behind, and its own."""
    return record.model_copy(update=dict.fromkeys(_OF_FILES))


def cycles_of(records: Iterable[Record]) -> list[CycleRecord]:
    """Those of cycles: none where a procedure measured without them."""
    return [record for record in records if isinstance(record, CycleRecord)]


def find_end(record: Record | None, stopping: Stopping) -> str | None:
    """Why nothing follows a run's last record, in words; None where a cycle does. record: None before the first."""
    return record.finished if isinstance(record, Measurement) else stopping.reason(record)


def cut_at_end(records: Sequence[Record], stopping: Stopping) -> tuple[list[Record], str | None]:
    """The records that a run of these stop rules has, and why nothing follows them, None where a cycle does. A run that
    went on by other rules, such as a larger budget, is cut where these hold first. That all was labeled is no end where
    it went on with pictures that came since."""
    for number, record in enumerate(records, 1):
        reason = find_end(record, stopping)
        if reason is not None and (reason != ALL_LABELED or number == len(records)):
            return [*records[:number]], reason
    return [*records], None


def name_mismatch(error: ValidationError) -> str:
    """What is wrong with values, as the end of a sentence that names them."""
    for kind, words in (("missing", "without"), ("extra_forbidden", "with")):
        if places := [".".join(map(str, one["loc"])) for one in error.errors() if one["type"] == kind]:
            return f"was written by another version, {words} {', '.join(places)}"
    first = error.errors()[0]
    return f"was written by another version, {'.'.join(map(str, first['loc']))}: {first['msg']}"
