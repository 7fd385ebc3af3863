"""What is stored as plain values that a person can read: a model of their names and ranges."""

from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

Plain = dict[str, Any]  # as JSON holds it
Count = Annotated[int, Field(ge=0, lt=1 << 53)]


class Stored(BaseModel):
    """A key that is not known is refused: it would be lost, and the record's sum with it."""

    model_config: ClassVar[ConfigDict] = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    def plain(self) -> Plain:
        """As it is written: a field that has a default is there only where it has another value."""
        fields = {field.alias or name: field for name, field in type(self).model_fields.items()}
        usual = {key: field.default for key, field in fields.items() if not field.is_required()}
        return {
            key: value
            for key, value in self.model_dump(by_alias=True).items()
            if key not in usual or value != usual[key]
        }
