"""What a browser sends of what a person did, in order; each names its picture and its moment, so that one that is sent
twice is kept once."""

from datetime import UTC, datetime
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from al_bench.annotation.keys import checked_key
from al_bench.errors import UserError
from al_bench.files import parse_json
from al_bench.storage.answers import Answer, Name, Position
from al_bench.storage.asked import AskedPicture

MOST = 2_000  # operations in one request


def _in_utc(when: str) -> str:
    """As `answers.now` gives a moment."""
    moment = datetime.fromisoformat(when)
    if moment.tzinfo is None:
        raise ValueError("a moment without a time zone")
    try:
        return moment.astimezone(UTC).isoformat(timespec="milliseconds")
    except OverflowError as error:
        raise ValueError(f"a moment that is none in UTC, {when}") from error


def _named(name: str) -> str:
    if not name.strip():
        raise UserError("a class needs a name: type one")
    return name.strip()


When = Annotated[str, Field(max_length=40), AfterValidator(_in_utc)]
Content = Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]


class _Operation(BaseModel):
    model_config: ClassVar[ConfigDict] = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    when: When


class Give(_Operation):
    """An answer; of the fields see `storage.answers.Answer`. picture: as it was asked."""

    kind: Literal["answer"]
    picture: AskedPicture
    label: Name | None
    content: Content | None = None
    seconds: Annotated[float, Field(ge=0)]
    guess_shown: bool

    def line(self, who: str, picture: AskedPicture) -> Answer:
        """What is kept. picture: as the process knows it, with the guess that an audit picture is shown without."""
        said = self.model_dump(include={"when", "label", "content", "guess_shown"})
        return Answer(
            who=who, seconds=round(self.seconds, 3), **said, **picture.model_dump(include=set(Answer.model_fields))
        )


class TakeBack(_Operation):
    """The last answer to a picture holds no more."""

    kind: Literal["back"]
    position: Position


class Postpone(_Operation):
    """A picture is asked for again after the others."""

    kind: Literal["later"]
    picture: AskedPicture


class NameClass(_Operation):
    """A class more, or another key of one."""

    kind: Literal["class"]
    name: Annotated[Name, AfterValidator(_named)]
    key: Annotated[str, AfterValidator(checked_key)] | None


Operation = Give | TakeBack | Postpone | NameClass


class Request(BaseModel):
    """What one request brings."""

    model_config: ClassVar[ConfigDict] = ConfigDict(frozen=True, extra="forbid", strict=True)

    operations: Annotated[list[Annotated[Operation, Field(discriminator="kind")]], Field(max_length=MOST)]


_REQUEST = TypeAdapter(Request)


def read_request(body: bytes) -> list[Operation]:
    """The operations of a request. Raises UserError for what is none."""
    try:
        return _REQUEST.validate_python(parse_json(body)).operations
    except (ValidationError, ValueError) as error:
        raise UserError(_worded(error)) from error


def _worded(error: ValueError) -> str:
    if not isinstance(error, ValidationError):
        return f"that is no answer ({error}): load the page again"
    first = error.errors()[0]
    cause = first.get("ctx", {}).get("error")
    place = ".".join(map(str, first["loc"]))
    return (
        str(cause)
        if isinstance(cause, UserError)
        else f"that is no answer ({place}: {first['msg']}): load the page again"
    )
