"""What a notebook asks for: stored runs as a table, and a run by keywords.

`al_bench.results` and `al_bench.run` are these two; this module is imported when one is first asked for.
"""

import json
import math
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from al_bench.analysis.curves import scalar_metrics
from al_bench.analysis.ending import end_by
from al_bench.analysis.grouping import Group, sections
from al_bench.analysis.provenance import say_mixed
from al_bench.analysis.reading import Run, StoredRuns, keep_longest, stored
from al_bench.analysis.selection import stored_of
from al_bench.config.command_line import folder_of, prepare_line
from al_bench.config.entry import COMMAND
from al_bench.config.experiment import Node, cells_of_line, composed_or_none, is_sweep
from al_bench.config.values import keys_of, value_at
from al_bench.errors import UserError, printable
from al_bench.storage.record import CycleRecord

if TYPE_CHECKING:  # pandas takes half a second
    import pandas as pd


def results(*places: str | Path) -> "pd.DataFrame":
    """Stored runs, one row a cycle, by dataset, line, seed and annotations.

    places: folders of runs (`outputs`) or of exported ones (`results/cells`), by default those of both that are there.
    A run that is in several comes once, with the most cycles, all of them, also where it went on beyond the budget of
    an experiment, whose page and tables, as `run`, have those to its end. Columns: dataset, line (as in a path of runs,
    with a number where other runs are called so and configured otherwise), differs (in what they are), strategy,
    learner, scale, experiment, seed, id, cycle, annotations, each metric by its name and in its stored unit (fractions
    of one, nats), chosen_entropy in nats, seconds and steps of the training, query_seconds, commit, finished (why the
    run ended, None where it has not), place. What cannot be read is warned of and left out, so is what holds other
    numbers of a run than the one that counts; and runs are warned of whose cycles are of several commits. Raises
    UserError for a place that is none.
    """
    import warnings

    usual = [place for place in ("outputs", "results/cells") if Path(place).is_dir()]
    found = [_stored_in(Path(place)) for place in places or usual]
    problems = [problem for one in found for problem in one.problems]
    best: dict[str, Run] = {}
    for run in (run for one in found for run in one.runs):
        keep_longest(run, best, problems)
    said = [f"left out: {printable(problem.place)}: {problem.sentence}" for problem in problems]
    for sentence in [*said, *say_mixed(list(best.values()))]:
        warnings.warn(sentence, stacklevel=2)
    return _frame(list(best.values()))


def run(**overrides: Any) -> "pd.DataFrame":
    """Runs what `python run.py KEY=VALUE ...` would, or shows it where it is finished; one row a cycle, as `results`.

    overrides: what a command line takes: `run(strategy="margin", seed=0)`, nested as a mapping (`loop={"budget": 60}`,
    `loop={"stop_at": {"accuracy": 0.9}}`) or by its path (`**{"loop.budget": 60}`); a list, a range or an array is a
    sweep over its values. Of a run that went on, as by a larger budget, it has the cycles to where these stop rules
    hold. What the command says goes to the standard output. Raises UserError, with its sentence, where it is refused or
    ends early.
    """
    given = {key: _listed(key, value) for key, value in overrides.items()}
    composed = _composed_without_mappings(given)
    arguments = [item for key, value in given.items() for item in _arguments(key, value, composed)]
    line, _ = prepare_line(arguments)
    cells = cells_of_line(line)
    several = any(isinstance(value, list) for value in given.values()) or is_sweep(line)
    sweep = ["-m"] if len(cells) > 1 or several else []
    said = _run_command([*sweep, *arguments])
    if said is not None:
        raise UserError(said)
    labels, rules = {cell.id: cell.label for cell in cells}, {cell.id: cell.stopping for cell in cells}
    found = stored_of(labels, folder_of("outputs", line), folder_of("cells", line))
    return _frame([end_by(one, rules[one.id]) for one in found.runs if one.id in rules])


def _stored_in(place: Path) -> StoredRuns:
    if not place.is_dir():
        raise UserError(f"{place} is no folder: name one of runs, such as outputs or results/cells")
    return stored(place, place)


def _listed(key: str, value: Any) -> Any:
    """The same in plain types: what has several values as a list, of which there is at least one."""
    if isinstance(value, Mapping):
        return {inner: _listed(f"{key}.{inner}", own) for inner, own in value.items()}
    value = value.tolist() if hasattr(value, "tolist") else [*value] if isinstance(value, range | tuple) else value
    if value == []:
        raise UserError(f"{key}=[] is empty: give it at least one value, or leave it out")
    return value


def _composed_without_mappings(given: Mapping[str, Any]) -> Node:
    """What the values that are no mappings compose, the first of each sweep: what is null there takes one whole."""
    rest = {key: value[0] if isinstance(value, list) else value for key, value in given.items()}
    named = [f"{key}={_written(value)}" for key, value in rest.items() if not isinstance(value, Mapping)]
    return (composed_or_none(prepare_line(named)[0]) if len(named) < len(rest) else None) or {}


def _arguments(key: str, value: Any, composed: Node) -> list[str]:
    """As they are written on a command line. composed: see `_composed_without_mappings`."""
    if isinstance(value, Mapping):
        above, _, name = key.rpartition(".")
        if name in keys_of(within := value_at(composed, above) if above else composed) and within[name] is None:
            return [f"{key}={_inside(value)}"]
        return [item for inner, own in value.items() for item in _arguments(f"{key}.{inner}", own, composed)]
    if isinstance(value, list):
        return [f"{key}={','.join(_written(one) for one in value)}"]
    return [f"{key}={_written(value)}"]


def _inside(value: Any) -> str:
    """As it is written inside of a mapping."""
    if isinstance(value, Mapping):
        return f"{{{','.join(f'{key}: {_inside(own)}' for key, own in value.items())}}}"
    if isinstance(value, list):
        return f"[{','.join(map(_inside, value))}]"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else _written(value)


def _written(value: Any) -> str:
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _run_command(arguments: Sequence[str]) -> str | None:
    """None where it ended well, else its last sentence. All it says is passed on as it comes."""
    command = [sys.executable, str(COMMAND), *arguments]
    last = ""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        for line in process.stdout or ():
            sys.stdout.write(line)
            last = line.strip() or last
    return None if process.returncode == 0 else last.removeprefix("error: ") or f"it ended with {process.returncode}"


def _frame(runs: Sequence[Run]) -> "pd.DataFrame":
    import pandas as pd

    lines = _lines_of(runs)
    rows = [_row(one, record, *lines[one.id]) for one in runs for record in one.cycles]
    frame = pd.DataFrame(rows, columns=None if rows else ["dataset", "line", "seed", "id", "cycle", "annotations"])
    return frame.sort_values(["dataset", "line", "seed", "id", "cycle"], ignore_index=True)


def _lines_of(runs: Sequence[Run]) -> dict[str, tuple[str, str]]:
    """By id the name of its line, of which a data set has no two, and in what it differs from the first called so."""
    firsts: dict[tuple[str, str], list[Group]] = {}
    found: dict[str, tuple[str, str]] = {}
    for group in (group for section in sections(one for one in runs if one.is_loop) for group in section.groups):
        alike = firsts.setdefault((str(group.first.choices.get("dataset")), group.method), [])
        alike.append(group)
        name = replace(group, variant=len(alike) - 1).name
        found |= {one.id: (name, "; ".join(group.differences_from(alike[0]))) for one in group.runs}
    return found


def _row(one: Run, record: CycleRecord, line: str, differs: str) -> dict[str, Any]:
    chosen = one.choices
    fit, query = record.costs.get("fit"), record.costs.get("query")
    return {
        "dataset": chosen.get("dataset"),
        "line": line,
        "differs": differs,
        **{key: chosen.get(key) for key in ("strategy", "learner", "scale", "experiment")},
        "seed": one.seed,
        "id": one.id,
        "cycle": record.index,
        "annotations": record.annotations,
        **{name: math.nan if (value := record.metrics.get(name)) is None else value for name in scalar_metrics(one)},
        "chosen_entropy": record.chosen_entropy,
        "seconds": fit.seconds if fit else None,
        "steps": fit.optimizer_steps if fit else None,
        "query_seconds": query.seconds if query else None,
        "commit": record.commit,
        "finished": one.finished,
        "place": str(one.place),
    }
