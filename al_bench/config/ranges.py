"""The ranges that arguments of parts are annotated with; `validation` holds a configuration to them."""

from typing import Annotated, Literal

from pydantic import AllowInfNan, Field

Fraction = Annotated[float, Field(ge=0, le=1)]
ProperFraction = Annotated[float, Field(gt=0, lt=1)]
AtLeastTwo = Annotated[int, Field(ge=2)]
CountOrAll = Annotated[float, Field(ge=1), AllowInfNan(True)]  # infinity: all there are
Precision = Literal["32-true", "bf16-mixed", "16-mixed"]  # as Lightning names it
