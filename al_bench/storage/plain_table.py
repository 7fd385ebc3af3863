"""A table as a record of a measurement holds it, with the plots that are to be drawn of it."""

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, model_validator


class _Plot(BaseModel):
    about: str
    x: str
    y: list[str]
    by: str | None = None
    dashed: dict[str, Any] = {}
    scale: Literal["linear", "log"] = "linear"


class _Table(BaseModel):
    about: str
    columns: list[str]
    rows: list[list[Any]]
    plots: list[_Plot] = []

    @model_validator(mode="after")
    def _check_columns(self) -> Self:
        if any(len(row) != len(self.columns) for row in self.rows):
            raise ValueError("a row has to have a value in each column")
        for plot in self.plots:
            for name in (plot.x, *plot.y, *plot.dashed, *([plot.by] if plot.by is not None else [])):
                if name not in self.columns:
                    raise ValueError(f"a plot is of {name}, which is no column")
            for name in (plot.x, *plot.y):
                if not all(isinstance(row[self.columns.index(name)], int | float | None) for row in self.rows):
                    raise ValueError(f"a plot is of {name}, which holds other things than numbers")
        return self


def _checked_table(table: dict[str, Any]) -> dict[str, Any]:
    """The same values."""
    _Table.model_validate(table)
    return table


PlainTable = Annotated[dict[str, Any], AfterValidator(_checked_table)]
"""Plain values that are such a table, see `record.Measurement`."""
