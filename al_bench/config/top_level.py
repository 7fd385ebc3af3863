"""What the keys of a configuration take that belong to no part."""

from dataclasses import dataclass
from typing import Literal

from pydantic import PositiveInt

from al_bench.config.ranges import Precision


@dataclass(frozen=True)
class TopLevel:
    """seed: of the run. device: see `training.device.chosen_device`. threads: of torch on the CPU, None for all cores.

    precision: of learners. match_steps: whether an epoch has as many steps as one of WAAL's. capture: whether a GAN's
    step becomes a CUDA graph. keep_weights: of which cycles the model stays on disk.
    """

    seed: int
    device: str
    threads: PositiveInt | None
    precision: Precision
    match_steps: bool
    capture: bool
    keep_weights: Literal["last", "all"]
