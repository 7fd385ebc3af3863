"""What a run says of itself beside its records, in `config.json` or in a cell, and an artifact in its record: what has
to be there, and of which kind, so that it can be shown. The rest is its own."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, PositiveInt, StringConstraints, ValidationError

from al_bench.active.metric import Metric, Unit
from al_bench.active.part import hash_of
from al_bench.active.stopping import Stopping
from al_bench.errors import UserError
from al_bench.files import read_json
from al_bench.storage.record import CorruptedError, PartCost, Record, RecordError, find_end, name_mismatch, record_sum
from al_bench.storage.stored import Plain

_Word = Annotated[str, StringConstraints(max_length=1000)]


class _Shown(BaseModel):
    """Other keys than these may be there."""

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="allow", allow_inf_nan=False)


class _Part(_Shown):
    part: _Word


class _Learner(_Shown):
    loss: _Word | _Part | None = None


class _Identity(_Part):
    seed: int
    learner: _Learner | None = None
    oracle: _Part | None = None
    settings: Plain | None = None


class _Loop(_Shown):
    budget: float | Literal["all"]
    max_cycles: int | None
    stop_at: dict[str, float] | None


class _Config(_Shown):
    dataset: Plain | None
    loop: _Loop
    procedure: Plain = {}
    paths: dict[str, _Word] = {}


class _Choices(_Shown):
    __pydantic_extra__: dict[str, _Word | None]
    dataset: _Word
    recipe: _Word
    strategy: _Word
    learner: _Word
    representation: _Word


class _Metric(_Shown):
    name: _Word
    unit: Unit
    higher_is_better: bool
    words: _Word = ""


class _Recorded(_Shown):
    name: _Word
    words: _Word
    unit: _Word


class _Hardware(_Shown):
    gpus: list[_Word] = []
    processor: _Word = ""


class _Image(_Shown):
    cycle: int
    row: int
    synthetic: str
    match: str | None


class _Predicted(_Shown):
    cycle: int
    predicted_map: str


class _Sampled(_Shown):
    cycle: int
    count: PositiveInt
    class_samples: str


class _About(_Shown):
    identity: _Identity
    label: Annotated[_Word, StringConstraints(pattern=r"^[^/]+(/[^/]+){2,}$")]
    metrics: list[_Metric]
    records: list[_Recorded]
    config: _Config
    choices: _Choices
    commit: _Word
    hardware: _Hardware
    images: list[_Image] = []
    predicted: list[_Predicted] = []
    samples: list[_Sampled] = []


class _Artifact(_Shown):
    kind: _Word
    sha256: _Word
    effort: PartCost
    spec: dict[str, Any]
    losses: dict[str, list[float | None]]


def checked_about(about: Any) -> Plain:
    """The same values, where they are a run's of this version. Raises RecordError."""
    if not isinstance(about, dict) or not all(isinstance(about.get(key), dict) for key in ("identity", "config")):
        raise RecordError("is not a run of al_bench")
    try:
        _About.model_validate(about, strict=True)
    except ValidationError as error:
        raise RecordError(name_mismatch(error)) from error
    return about


def checked_artifact(record: Any, name: str) -> Plain:
    """The same values, where they are the record of the artifact of a name. Its sum is asked for where it states one,
    which older ones do not. Raises RecordError."""
    try:
        spec = _Artifact.model_validate(record, strict=True).spec
        for part in (value for value in spec.values() if isinstance(value, dict) and "part" in value):
            _Part.model_validate(part, strict=True)
    except ValidationError as error:
        raise RecordError("is not the record of an artifact") from error
    if record.get("sha256_record", own := record_sum(record)) != own:
        raise CorruptedError("is corrupted, its content does not hash to the sum that it states")
    if hash_of(spec) != name:
        raise CorruptedError("is the record of another artifact, not of its name's")
    return dict(record)


def with_stop_rules(stored: Plain, loop: Plain) -> Plain:
    """What `config.json` says, of a run that goes on by other stop rules. loop: the node that has them."""
    config = stored.get("config", {})
    procedure = config.get("procedure", {})
    changed = {**procedure, "settings": loop} if procedure.get("settings") == config.get("loop") else procedure
    return {**stored, "config": {**config, "loop": loop, **({"procedure": changed} if procedure else {})}}


def was_to_go_on(folder: Path, last: Record, metrics: Sequence[Metric]) -> bool:
    """Whether a run's last start had stop rules by which something follows its last record, as of a larger budget that
    was given up; not where that cannot be read. metrics: its own."""
    try:
        stored = Stopping.stored(read_json(folder / "config.json")["config"]["loop"], metrics)
        return find_end(last, stored) is None
    except (OSError, ValueError, LookupError, TypeError, AttributeError, UserError):
        return False
