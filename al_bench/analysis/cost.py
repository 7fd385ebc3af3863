"""Time and compute of each part of a run."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from al_bench.analysis.grouping import Group
from al_bench.analysis.reading import Artifact
from al_bench.storage.exported import Record

PARTS = {"fit": "training", "query": "query", "evaluate": "evaluation"}  # as stored, and in words


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
    """Each part of the cycles."""
    return [_cost(group, part) for part in PARTS]


def _cost(group: Group, part: str) -> Cost:
    costs = [[record["effort"][part] for record in run.cycles if part in record["effort"]] for run in group.runs]

    def total(key: str) -> float:
        return fmean(sum(cost[key] for cost in cycles) for cycles in costs)

    cycles = fmean(len(run.cycles) for run in group.runs)
    peak = max((cost["peak_memory"] for run in costs for cost in run), default=0)
    return Cost(
        PARTS[part], total("seconds"), total("optimizer_steps"), total("images_seen"), peak, total("seconds") / cycles
    )


def training_steps(record: Record) -> float | None:
    """Optimizer steps of a cycle's training, those of every player together."""
    fit = record["effort"].get("fit")
    return None if fit is None else float(fit["optimizer_steps"])


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
