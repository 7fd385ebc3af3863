"""Time and compute of each part of a run."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from statistics import fmean

from al_bench.analysis.grouping import Group
from al_bench.analysis.reading import Artifact
from al_bench.storage.record import CycleRecord, PartCost

PARTS = {"fit": "training", "query": "query", "evaluate": "evaluation"}  # as stored, and in words
APART = {  # for a reader alone
    "record": "records of the query",
    "scan": "scan of the pool for the record",
    "observe": "looks at the training",
    "gan_train": "training on samples (GAN-train)",
}


@dataclass(frozen=True)
class Cost:
    """One part of a group's runs: totals over the cycles, their mean over seeds; peak_memory: bytes, the largest."""

    part: str
    seconds: float
    optimizer_steps: float
    images_seen: float
    peak_memory: int
    seconds_per_cycle: float


def costs(group: Group) -> list[Cost]:
    """Each part of the cycles that the method has need of."""
    return [_cost(group, part, words) for part, words in PARTS.items()]


def costs_apart(group: Group) -> list[Cost]:
    """What was measured inside queries, trainings and evaluations for a reader alone, and is in no part of `costs`:
    none of runs from before it was kept apart, whose queries hold it. A part without words goes by its name."""
    stored = {part for run in group.runs for record in run.cycles for part in record.costs} - PARTS.keys()
    named = APART | {part: part for part in sorted(stored - APART.keys())}
    return [_cost(group, part, words) for part, words in named.items() if part in stored]


def _cost(group: Group, part: str, words: str) -> Cost:
    costs = [[record.costs[part] for record in run.records if part in record.costs] for run in group.runs]

    def total(value: Callable[[PartCost], float]) -> float:
        return fmean(sum(value(cost) for cost in cycles) for cycles in costs)

    seconds, steps, images = (total(attrgetter(name)) for name in ("seconds", "optimizer_steps", "images_seen"))
    cycles = fmean(len(run.records) for run in group.runs)
    peak = max((cost.peak_memory for run in costs for cost in run), default=0)
    return Cost(words, seconds, steps, images, peak, seconds / cycles)


def training_steps(record: CycleRecord) -> float | None:
    """Optimizer steps of a cycle's training, those of every player together."""
    fit = record.costs.get("fit")
    return None if fit is None else float(fit.optimizer_steps)


def cost_of_artifact(artifact: Artifact) -> Cost:
    """What an artifact cost, once for all runs that share it."""
    cost = artifact.record["effort"]
    return Cost(
        artifact.kind, cost["seconds"], cost["optimizer_steps"], cost["images_seen"], cost["peak_memory"],
        cost["seconds"],
    )  # fmt: skip


def memory_is(groups: Sequence[Group]) -> str:
    """Whose memory was measured, in words."""
    gpus = {bool(run.about["hardware"].get("gpus")) for group in groups for run in group.runs}
    whose = {frozenset({True}): "of the GPU inside the part", frozenset({False}): "of the process so far"}
    return whose.get(frozenset(gpus), "of the GPU where there was one, else of the process so far")
