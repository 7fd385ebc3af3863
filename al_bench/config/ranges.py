"""The ranges that arguments of parts are annotated with; `validation` holds a configuration to them."""

import math
from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import AfterValidator, AllowInfNan, Field, PositiveInt, StringConstraints
from pydantic_core import PydanticCustomError


def _whole(value: float) -> float:
    if math.isfinite(value) and value != int(value):
        raise PydanticCustomError("whole", "Input should be a whole number")
    return value


Fraction = Annotated[float, Field(ge=0, le=1)]
Certainty = Annotated[float, Field(gt=0.5, lt=1)]  # of a one-sided claim
ProperFraction = Annotated[float, Field(gt=0, lt=1)]
AboveOne = Annotated[float, Field(gt=1)]
AtLeastTwo = Annotated[int, Field(ge=2)]
Links = Annotated[int, Field(ge=2, lt=1 << 16)]  # of a feature; FAISS counts those of all in 32 bits
CountOrAll = Annotated[float, Field(ge=1), AllowInfNan(True), AfterValidator(_whole)]  # infinity: all there are
Counts = Annotated[Sequence[PositiveInt], Field(min_length=1)]
Moderate = Annotated[float, Field(ge=1e-9, le=1e9)]  # whose square float32 has, too
FaissCount = Annotated[int, Field(gt=0, lt=1 << 31)]  # of 32 bits there, as are its seeds
FaissSeed = Annotated[int, Field(ge=-(1 << 31), lt=1 << 31)]
Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
Threads = Annotated[int, Field(gt=0, le=256)]  # of so many more a process dies
Port = Annotated[int, Field(gt=0, lt=1 << 16)]  # of a server
CriticSteps = Annotated[int, Field(gt=0, le=1000)]  # of one iteration, within which nothing is stored or stopped
Precision = Literal["32-true", "bf16-mixed", "16-mixed"]  # as Lightning names it
BackbonePrecision = Literal["auto", "32-true", "bf16-mixed"]  # auto: the second on a GPU, the first elsewhere
Normalizing = Literal["standardize", "l2", "none"]  # of features
