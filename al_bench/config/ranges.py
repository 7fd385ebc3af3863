"""The ranges that arguments of parts are annotated with; `validation` holds a configuration to them."""

import math
from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import AfterValidator, AllowInfNan, Field, StringConstraints
from pydantic_core import PydanticCustomError


def _whole(value: float) -> float:
    if math.isfinite(value) and value != int(value):
        raise PydanticCustomError("whole", "Input should be a whole number")
    return value


Fraction = Annotated[float, Field(ge=0, le=1)]
NotAll = Annotated[float, Field(ge=0, lt=1)]  # of what is left out at random, of which something stays
Certainty = Annotated[float, Field(gt=0.5, lt=1)]  # of a one-sided claim
ProperFraction = Annotated[float, Field(gt=0, lt=1)]
Temperatures = Annotated[float, Field(gt=1, le=100)]  # tried in tenths; over 100 all classes are alike
TwoOrMore = Annotated[int, Field(ge=2, le=100_000)]  # items that are all held, as samples
Links = Annotated[int, Field(ge=2, lt=1 << 16)]  # of a feature; FAISS counts those of all in 32 bits
CountOrAll = Annotated[float, Field(ge=1), AllowInfNan(True), AfterValidator(_whole)]  # infinity: all there are
Moderate = Annotated[float, Field(ge=1e-9, le=1e9)]  # whose square float32 has, too
ModerateOrZero = Annotated[float, Field(ge=0, le=1e9)]
Signed = Annotated[float, Field(ge=-1e9, le=1e9)]
UpToAll = Annotated[int, Field(gt=0, lt=1 << 62)]  # more than there are: all; torch counts in 63 bits
NoneToAll = Annotated[int, Field(ge=0, lt=1 << 62)]
Counts = Annotated[Sequence[UpToAll], Field(min_length=1)]
LineImages = Annotated[int, Field(ge=2, le=1_000)]  # of which one is at each end
Repeats = Annotated[int, Field(gt=0, le=1_000)]  # of a query's work on all images, or of what it holds of each
Rounds = Annotated[int, Field(gt=0, le=10_000)]  # of a query, within which nothing is stored or stopped
SearchSteps = Annotated[int, Field(ge=0, le=10_000)]  # as rounds
Iterations = Annotated[int, Field(gt=0, le=100_000_000)]  # of a training, which is stored and stopped on its way
Epochs = Annotated[int, Field(gt=0, le=1_000_000)]  # as iterations
BatchSize = Annotated[int, Field(gt=0, le=1 << 16)]
Samples = Annotated[int, Field(gt=0, le=100_000)]  # each beside up to 1,000 numbers in float64: 800 MB
Bins = Annotated[int, Field(gt=0, le=10_000)]
Pairwise = Annotated[int, Field(ge=0, le=100_000)]  # items whose distances are all held: 40 GB
Width = Annotated[int, Field(gt=0, le=1 << 14)]  # of a layer: a matrix of 1 GiB to one as wide
Widths = Annotated[Sequence[Width], Field(min_length=1)]
Kernel = Annotated[int, Field(gt=0, le=100)]  # of a convolution, in pixels, or its stride
Side = Annotated[int, Field(gt=0, le=1 << 12)]  # of an image, in pixels
Padding = Annotated[int, Field(ge=0, le=1 << 12)]  # of each of its sides
Drawn = Annotated[int, Field(gt=0, le=1_000_000)]  # images that a data set makes up
Levels = Annotated[int, Field(gt=0, le=100)]  # of folders
FaissCount = Annotated[int, Field(gt=0, lt=1 << 31)]  # of 32 bits there, as are its seeds
FaissSeed = Annotated[int, Field(ge=-(1 << 31), lt=1 << 31)]
NumpySeed = Annotated[int, Field(ge=0, lt=1 << 32)]  # which scikit-learn and torch-fidelity take
Shared = Annotated[int, Field(gt=0, le=1_000)]  # features of a code, which are filled up to a multiple of it
Seed = Annotated[int, Field(ge=-(1 << 63), lt=1 << 63)]  # of torch's generators
Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
Threads = Annotated[int, Field(gt=0, le=256)]  # of so many more a process dies
Seconds = Annotated[float, Field(gt=0, le=1e6)]
Pause = Annotated[float, Field(gt=0, le=3_600)]  # seconds between two looks at what runs
Port = Annotated[int, Field(gt=0, lt=1 << 16)]  # of a server
CriticSteps = Annotated[int, Field(gt=0, le=1000)]  # of one iteration, within which nothing is stored or stopped
Precision = Literal["32-true", "bf16-mixed", "16-mixed"]  # as Lightning names it
BackbonePrecision = Literal["auto", "32-true", "bf16-mixed"]  # auto: the second on a GPU, the first elsewhere
Normalizing = Literal["standardize", "l2", "none"]  # of features
