"""The numbers of the report, as tables: one row says of which data set and method it is."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from statistics import fmean

from al_bench.analysis.cost import cost_of_artifact, costs, costs_apart
from al_bench.analysis.curves import (
    Point,
    average,
    balance,
    chosen_entropy,
    class_shares,
    curve,
    entropies,
    headline,
    is_better_higher,
    last_common,
    last_records,
    metric,
    point,
    scalar_metrics,
)
from al_bench.analysis.grouping import Group, Section
from al_bench.analysis.lines import values_by_size
from al_bench.analysis.peers import read_agreements
from al_bench.analysis.provenance import commits_of, hardware_of
from al_bench.analysis.reading import Artifact, Run
from al_bench.analysis.statistics.best import Best, find_best, say_best
from al_bench.report.measures import Measure, listed, measure
from al_bench.report.tables import Cell, Table

_MOST_COLUMNS = 8

Row = list[Cell]


def summary(section: Section) -> Table:
    """Where each method ends, and how high its curve was on average."""
    first = section.groups[0].first
    main = measure(headline(first), first.metrics)
    others = [(name, measure(name, first.metrics)) for name in scalar_metrics(first)[1:]]
    columns = [
        "method", "seeds", "annotations", main.axis, "lowest", "highest", "deviation", "curve average",
        *(shown.axis for _, shown in others), "entropy of new samples, nats",
    ]  # fmt: skip
    rows = [_summary_row(group, main, others) for group in section.groups]
    about = f"{section.title}: at the last number of annotations that all seeds of a method reached"
    return Table("summary", about, columns, rows)


def _summary_row(group: Group, main: Measure, others: Sequence[tuple[str, Measure]]) -> Row:
    points = curve(group.runs, metric(headline(group.first)))
    end = last_common(points)
    numbers: Row = [None] * 5
    if end is not None:
        numbers = [
            end.at, *(main.number(value) for value in (end.mean, end.minimum, end.maximum, end.deviation))
        ]  # fmt: skip
    ends = [(shown, last_common(curve(group.runs, metric(name)))) for name, shown in others]
    rest = [shown.number(found.mean) if found else None for shown, found in ends]
    chosen = [fmean(known) for run in group.runs if (known := entropies(run.cycles))]
    mean = fmean(chosen) if chosen else None
    return [group.name, len(group.runs), *numbers, main.number(average(group.runs, headline(group.first))), *rest, mean]


def learning(section: Section) -> Table:
    """The headline metric at some numbers of annotations, as the papers print it: mean, and deviation where it is."""
    first = section.groups[0].first
    main = measure(headline(first), first.metrics)
    curves = {group.name: curve(group.runs, metric(headline(group.first))) for group in section.groups}
    long = {name: {known.at: known for known in points} for name, points in curves.items()}
    counts = sorted({count for points in long.values() if len(points) > 1 for count in points})
    shown = _spread_out(counts)
    rows: list[Row] = [
        [name, *(_mean(points.get(count), main) for count in shown)] for name, points in long.items() if len(points) > 1
    ]
    about = f"{section.title}: {main.axis}, mean and standard deviation over seeds, by number of annotations"
    names = [row[0] for row in rows]
    found = _best_at(shown, [group for group in section.groups if group.name in names])
    best = frozenset((one.place, column) for column, one in enumerate(found, 1) if one is not None)
    by = f"; {said}" if (said := say_best(found)) else ""
    return Table("learning", f"{about}{by}", ["method", *(f"{count:,}" for count in shown)], rows, best)


def _best_at(sizes: Sequence[int], groups: Sequence[Group]) -> list[Best | None]:
    """Each number of annotations' best line, where tests tell it from the others."""
    if not groups:
        return []
    name = headline(groups[0].first)
    values = [values_by_size(group, name) for group in groups]
    return find_best([[of.get(size, {}) for of in values] for size in sizes], is_better_higher(groups[0].first, name))


def _spread_out(counts: Sequence[int]) -> list[int]:
    if len(counts) <= _MOST_COLUMNS:
        return list(counts)
    step = (len(counts) - 1) / (_MOST_COLUMNS - 1)
    return [counts[round(number * step)] for number in range(_MOST_COLUMNS)]


def _mean(found: Point | None, shown: Measure) -> str | None:
    if found is None:
        return None
    text = shown.text(found.mean)
    return text if found.deviation is None else f"{text} ± {shown.text(found.deviation)}"


def curves(section: Section) -> Table:
    """Every point of every curve, as stored: fractions of one, nats."""
    columns = ["method", "run ids", "metric", "annotations", "seeds", "mean", "minimum", "maximum", "deviation"]
    rows: list[Row] = []
    for group in section.groups:
        ids = " ".join(run.id for run in group.runs)
        values = {name: metric(name) for name in scalar_metrics(group.first)}
        for name, value in {**values, "chosen_entropy": chosen_entropy, "label_balance": balance}.items():
            rows += [
                [group.name, ids, name, one.at, one.seeds, one.mean, one.minimum, one.maximum, one.deviation]
                for one in curve(group.runs, value)
            ]
    return Table(
        "curves", f"{section.title}: every point over seeds, in stored units (fractions of one, nats)", columns, rows
    )


def classes(section: Section, names: Sequence[str], shares: Sequence[float] | None) -> Table:
    """The label distribution at the end. shares: those of the data, None where unknown."""
    of_data = dict(zip(names, shares or [], strict=False))
    rows: list[Row] = []
    for group in section.groups:
        ends = [class_shares(record, len(names)) for record in last_records(group.runs)]
        for name, column in zip(names, zip(*ends, strict=True), strict=True):
            found = point(0, [100 * share for share in column])
            of_class = 100 * of_data[name] if name in of_data else None
            rows.append([group.name, name, found.seeds, found.mean, found.minimum, found.maximum, of_class])
    columns = ["method", "class", "seeds", "share of the labels, %", "lowest", "highest", "share of the data, %"]
    return Table("classes", f"{section.title}: label distribution of the training set at the end", columns, rows)


def agreements(section: Section, conf: Path) -> Table:
    """How many picks of each method's strategy others' functions make too; no rows where nothing was compared."""
    known = read_agreements(conf)
    rows: list[Row] = [
        [group.name, one.strategy, one.peer, one.seeds, one.asked, one.equal]
        for group in section.groups
        for one in known
        if one.strategy == group.first.choices.get("strategy")
    ]
    columns = ["method", "strategy", "peer", "made pools", "picks", "equal to the peer's"]
    return Table("agreements", f"{section.title}: picks on the same embeddings and probabilities", columns, rows)


def cost(section: Section, used: Sequence[tuple[str, Artifact]]) -> Table:
    """Time and compute of each part. used: artifacts with the names of the groups that use them."""
    columns = [
        "method", "part", "seconds", "seconds per cycle", "optimizer steps", "images seen", "peak memory, MiB",
    ]  # fmt: skip
    trained = [(name, replace(cost_of_artifact(one), part=f"{one.kind}, once")) for name, one in used]
    parts = [(group.name, part) for group in section.groups for part in (*costs(group), *costs_apart(group))]
    rows: list[Row] = [
        [
            name, part.part, part.seconds, part.seconds_per_cycle if name_is_group else None,
            round(part.optimizer_steps), round(part.images_seen), round(part.peak_memory / 2**20),
        ]
        for name_is_group, rows_of in ((True, parts), (False, trained))
        for name, part in rows_of
    ]  # fmt: skip
    return Table("cost", f"{section.title}: per run, mean over seeds of the sum over cycles", columns, rows)


def all_runs(sections: Sequence[Section], measured: Sequence[Run] = ()) -> Table:
    """Each run that is in the report, once. measured: by other procedures than the loop."""
    columns = ["data set", "method", "seed", "id", "cycles", "annotations", "finished", "commit", "hardware", "place"]
    runs = [(section.title, group.name, run) for section in sections for group in section.groups for run in group.runs]
    runs += [(run.label[0], str(run.choices.get("procedure")), run) for run in measured]
    rows = [_run_row(*row) for row in {row[2].id: row for row in runs}.values()]
    return Table("runs", "Every run of this report", columns, rows)


def _run_row(task: str, name: str, run: Run) -> Row:
    annotations = run.cycles[-1].annotations if run.is_loop else 0
    return [
        task, name, run.seed, run.id, len(run.records), annotations,
        run.finished or "not finished", listed(commits_of(run)), listed(hardware_of(run)), str(run.place),
    ]  # fmt: skip


def join_tables(sections: Sequence[Section], tables: Sequence[Table], name: str, about: str) -> Table:
    """One table of several sections' tables, a section a row's first column; columns that not all have come last."""
    columns = list(dict.fromkeys(column for table in tables for column in table.columns))
    rows: list[Row] = []
    for section, table in zip(sections, tables, strict=True):
        for row in table.rows:
            cells = dict(zip(table.columns, row, strict=True))
            rows.append([section.title, *(cells.get(column) for column in columns)])
    return Table(name, about, ["data set", *columns], rows)
