"""The settings of a section, as tables: which are not the same for all methods, where each is from."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from al_bench.analysis.grouping import Section
from al_bench.analysis.reading import Run
from al_bench.report.ledger import ORIGINS, format_value, ledger
from al_bench.report.measures import listed
from al_bench.report.tables import Cell, Table


def settings_that_differ(section: Section) -> Table:
    """Each setting that is not the same for all methods."""
    names = [group.name for group in section.groups]
    rows: list[list[Cell]] = [
        [key, *values] for key, values in find_differing([group.first for group in section.groups])
    ]
    return Table(
        "settings", f"{section.title}: settings that are not the same for all methods", ["setting", *names], rows
    )


def find_differing(runs: Sequence[Run]) -> list[tuple[str, list[str | None]]]:
    """Each setting that is not the same for all runs, seeds left out, with its value of each."""
    return [*_differing([_parts(run.config["procedure"]) for run in runs])]


def _parts(procedure: dict[str, Any]) -> dict[str, Any]:
    """What a run is made of, without its seed and what is beside its results."""
    return {key: value for key, value in procedure.items() if key not in ("seed", "artifacts", "tracking", "device")}


def _differing(nodes: Sequence[Any], path: str = "") -> Iterator[tuple[str, list[str | None]]]:
    """Each place where some nodes differ. A node that some have and others have not is written by its class, and only
    where those that have it differ among themselves, setting by setting too."""
    present = [node for node in nodes if node is not None]
    if all(node == nodes[0] for node in nodes):
        return
    if not all(isinstance(node, dict) for node in present):
        if path.endswith("._target_"):
            path, nodes = path.removesuffix("._target_"), [node and _class({"_target_": node}) for node in nodes]
        yield path, [None if node is None else format_value(node) for node in nodes]
        return
    if len(present) < len(nodes):
        yield path, [None if node is None else _class(node) for node in nodes]
    if all(node == present[0] for node in present):
        return
    said = ("_partial_", *(("_target_", "path") if len(present) < len(nodes) else ()))  # by its class, above
    for key in dict.fromkeys(key for node in present for key in node if key not in said):
        inside = [node.get(key) if isinstance(node, dict) else None for node in nodes]
        own = [node.get(key) for node in present]
        if any(value != own[0] for value in own):
            yield from _differing(inside, f"{path}.{key}".lstrip("."))


def _class(node: dict[str, Any]) -> str:
    return str(node.get("path") or node.get("_target_") or format_value(node)).rsplit(".", 1)[-1]


def settings_ledger(section: Section, conf: Path) -> Table:
    """Where the settings are from."""
    rows: list[list[Cell]] = [
        [one.key, one.value, ORIGINS[one.origin], one.source, one.file, listed(one.used_by)]
        for one in ledger(section.groups, conf)
    ]
    columns = ["setting", "value", "origin", "source", "file", "used by"]
    return Table("ledger", f"{section.title}: settings with a stated origin", columns, rows)
