"""Stored runs as `RunStore` leaves them, made up: small, and of known numbers."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save

from al_bench.active.part import hash_of
from al_bench.files import digest, write_json
from al_bench.storage.record import CycleRecord, read_record
from al_bench.strategy.asal import Asal

Record = dict[str, Any]

CHOICES = {
    "dataset": "digits",
    "recipe": "digits",
    "learner": "supervised",
    "representation": "none",
    "scale": "paper",
    "experiment": "none",
}
TRACE = {"entropy_before": [0.25, 0.75], "entropy_after": [1.25, 1.75], "entropy_of_match": [0.25, 0.75]}
ACCURACY = {"name": "accuracy", "unit": "fraction", "higher_is_better": True}
ABOUT = {
    "metrics": [ACCURACY],
    "records": [one.plain() for one in Asal.records],
    "commit": "abc",
    "hardware": {"gpus": []},
}
EMPTY = dict.fromkeys(("indices", "labels", "scores", "ranks", "entropies"))  # a query of which nothing is kept
EFFORT = {"seconds": 2.0, "optimizer_steps": 10, "images_seen": 160, "peak_memory": 3 * 2**20}


def made_run(
    outputs: Path,
    strategy: str,
    seed: int,
    accuracies: tuple[float, ...] = (0.5, 0.75),
    *,
    choices: Record | None = None,
    tensors: dict[str, np.ndarray] | None = None,
    finished: bool = True,
    learner: Record | None = None,
    trace: Record | None = None,
    identity: Record | None = None,
    more: Record | None = None,
) -> Path:
    """A run with one cycle per accuracy, ten annotations each.

    learner: settings of its own; trace: what each record holds of a query; identity: a whole one in place of what is
    made up, where the run is a cell of an experiment; more: what each record says beside the usual.
    """
    chosen = {**CHOICES, "strategy": strategy, **(choices or {})}
    parts: Record = {
        "dataset": {"_target_": "made.dataset"},
        "evaluator": {"_target_": "made.Accuracy"},
        "learner": {"_target_": "made.Supervised", "epochs": 5, **(learner or {})},
        "strategy": {"_target_": f"made.{strategy}"},
        "oracle": {"_target_": "made.GroundTruth"},
    }
    made = {name: {"part": node["_target_"], **settings(node)} for name, node in parts.items()}
    identity = identity or {"part": "made.loop", **made, "seed": seed, "settings": {"query_size": 10}}
    budget = 10 * len(accuracies) if finished else 1000
    config = {**parts, "seed": seed, "loop": {"budget": budget, "max_cycles": None, "stop_at": None}}
    config["procedure"] = {**parts, **{key: value for key, value in identity.items() if key not in made}}
    about = {
        **ABOUT,
        "label": label(chosen, seed, learner or {}),
        "identity": identity,
        "config": config,
        "choices": chosen,
    }
    folder = outputs / chosen["dataset"] / strategy / f"seed={seed}" / hash_of(identity)
    write_json(folder / "config.json", about)
    for index, accuracy in enumerate(accuracies):
        record = cycle(index, accuracy) | ({"trace": trace} if trace and index else {}) | (more or {})
        write_cycle(folder, record, tensors if index else None)
    return folder


def settings(node: Record) -> Record:
    """The arguments of a configuration node."""
    return {key: value for key, value in node.items() if not key.startswith("_")}


def label(choices: Record, seed: int, learner: Record) -> str:
    """As `identity.label_of` has it."""
    method = [choices["strategy"], *(choices[key] for key in ("learner", "representation"))]
    shown = [part for part in method if part not in ("supervised", "none")] + ["match_steps"] * bool(
        learner.get("match_steps")
    )
    task = dict.fromkeys([choices["dataset"], *choices["recipe"].split("/")])
    return f"{'-'.join(task)}/{'+'.join(shown)}/seed={seed}"


def made_measurement(
    outputs: Path, metrics: Record, seed: int = 0, *, settings: Record | None = None, **record: Any
) -> Path:
    """A run of a procedure without cycles: its one record, which has no query. settings: more of its identity."""
    identity = {"part": "made.measurement", "dataset": {"part": "made.dataset"}, "seed": seed, **(settings or {})}
    config = {
        "procedure": identity,
        "dataset": {"_target_": "made.dataset"},
        "seed": seed,
        "loop": {"budget": 1, "max_cycles": None, "stop_at": None},
    }
    chosen = {**CHOICES, "strategy": "random", "procedure": "measured", "gan": "none", "feature": "none"}
    about = {
        **ABOUT,
        "label": f"digits/measured/seed={seed}",
        "identity": identity,
        "config": config,
        "choices": chosen,
    }
    folder = outputs / "digits" / "measured" / f"seed={seed}" / hash_of(identity)
    write_json(folder / "config.json", about)
    found = {"metrics": metrics, "tables": {}, "finished": "it is measured", "effort": {}, "commit": "abc"}
    write_cycle(folder, {"index": 0, "annotations": 0, **found, **record})
    return folder


def cycle(index: int, accuracy: float) -> Record:
    """One cycle's record, three quarters of its labels of the first of two classes."""
    annotations = 10 * (index + 1)
    return {
        "index": index,
        "annotations": annotations,
        "unlabeled": max(1, 100 - annotations),
        "metrics": {"accuracy": accuracy, "class_accuracy": [accuracy, None]},
        "chosen_entropy": 0.5 if index else None,
        "class_counts": [annotations * 3 // 4, annotations - annotations * 3 // 4],
        "query": {"indices": [0, 1], "labels": [0, 1], "scores": None, "ranks": [0, 2], "entropies": None},
        "effort": dict.fromkeys(("query", "fit", "evaluate"), EFFORT),
        "commit": "abc",
    }


def made_record(*, query: Record | None = None, **values: Any) -> CycleRecord:
    """`cycle` as it is read, but for these values. query: those of its query."""
    usual = cycle(values.get("index", 1), 0.5)
    found = read_record({**usual, **values, "query": {**usual["query"], **(query or {})}})
    assert isinstance(found, CycleRecord)
    return found


def write_cycle(folder: Path, record: Record, tensors: dict[str, np.ndarray] | None = None) -> None:
    """A cycle's two files, with their sums."""
    data = save(tensors or {"labels": np.array([0, 1])})
    path = folder / "cycles" / f"{record['index']:03d}.json"
    record = {**record, "sha256": digest(data)}
    write_json(path, {**record, "sha256_record": digest(json.dumps(record, sort_keys=True).encode())})
    path.with_suffix(".safetensors").write_bytes(data)


def generated() -> dict[str, np.ndarray]:
    """What ASAL measures, for two queries of 4 x 4 images."""
    images = np.arange(32, dtype=np.uint8).reshape(2, 1, 4, 4) * 8
    traces = {name: np.array(rows, dtype=np.float32) for name, rows in TRACE.items()}
    return {"labels": np.array([0, 1]), **{f"trace.{name}": tensor for name, tensor in traces.items()}} | {
        "trace.generated": images
    }
