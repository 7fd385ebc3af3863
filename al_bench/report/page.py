"""The page: everything of a report, put into `page/index.html`, and the tables beside it."""

import logging
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from al_bench.analysis.experiment import Experiment
from al_bench.analysis.published import read_published
from al_bench.analysis.reading import StoredRuns
from al_bench.analysis.rebuilding import Rebuilder
from al_bench.config.groups import CONF
from al_bench.config.search_path import folder_with
from al_bench.errors import amount
from al_bench.files import written_whole
from al_bench.progress import duration
from al_bench.report import results
from al_bench.report.across import rank_across
from al_bench.report.cells import format_differences
from al_bench.report.chapters import Chapter, Editor, outlines
from al_bench.report.figures.ahead import drawing_ahead
from al_bench.report.figures.palette import looks
from al_bench.report.figures.plots import FADES
from al_bench.report.ledger import ORIGINS
from al_bench.report.measures import listed, size
from al_bench.report.parts import Shared, anchor
from al_bench.report.picks import cycles_of
from al_bench.report.picture_files import take_pictures_out
from al_bench.report.tables import Table, format_cell
from al_bench.report.trained import show_artifacts
from al_bench.report.verdicts import word_verdicts
from al_bench.sources.looking import looking_once, only_looking

logger = logging.getLogger(__name__)

BANDS = {"range": "the lowest to the highest seed", "deviation": "one standard deviation over seeds to each side"}

_TEMPLATES = Path(__file__).parent / "page"
_OF_PAPERS = Path(__file__).parent / "paper"
_PRE = re.compile(r"(<pre\b.*?</pre>)", re.DOTALL)
_INDENT = re.compile(r"\s*\n\s*")  # that of the templates, which nobody reads in a page
_TOGETHER = {
    "summary": "Where each method ends: at the last number of annotations that all its seeds reached",
    "curves": "Every point of every curve over seeds, in stored units: fractions of one, nats",
    "classes": "Label distribution of the training set at the end of the runs",
    "cost": "Time and compute per run: mean over seeds of the sum over cycles",
    "ledger": "Settings with a stated origin",
}


def write_report(
    found: StoredRuns,
    to: Path,
    band: str,
    rebuilder: Rebuilder,
    conf: Path = CONF,
    experiments: Sequence[Experiment] = (),
) -> Path:
    """Writes `index.html` and `tables/` into `to`, and `pictures/` for a large page; returns the page's path.

    band: a key of BANDS; rebuilder: makes data sets and GANs for pictures; experiments: those to show, in place of all
    that was found. Nothing is fetched for it. What cannot be read along the way is added to `found.problems`.
    """
    with drawing_ahead() as drawings, looking_once(), only_looking():
        html = drawings.fill(_make_page(found, to, band, rebuilder, conf, experiments))
    with written_whole(to / "index.html", remade=True) as file:
        file.write(take_pictures_out(html, to / "pictures").encode(errors="backslashreplace"))
    return to / "index.html"


def _make_page(
    found: StoredRuns, to: Path, band: str, rebuilder: Rebuilder, conf: Path, experiments: Sequence[Experiment]
) -> str:
    """Writes the tables; of pictures that are drawn meanwhile the page has names."""
    outlined = outlines(found, experiments)
    parts_of = [section for outline in outlined for section in outline.sections]
    plotted = [*parts_of, *(side.section for outline in outlined for side in outline.sides)]
    styles = looks(group for section in plotted for group in section.groups)
    artifacts = show_artifacts(found.artifacts, parts_of, rebuilder)
    trained = [one for one in artifacts if one.users or not found.named]
    trained.sort(key=lambda one: (not one.users, one.samples is None))
    folders = dict.fromkeys([conf, *(folder_with(one.name, one.overrides, conf) for one in experiments)])
    published = [table for folder in folders for table in read_published(found.problems, folder)]
    most_cycles = cycles_of(sum(len(section.groups) for section in parts_of))
    shared = Shared(trained, rebuilder, found.problems, conf, most_cycles)
    editor = Editor(found, styles, band, published, shared)
    chapters = [editor.chapter(outline) for outline in outlined]
    found.problems[:] = dict.fromkeys(found.problems)  # curves and pictures read the same tensors
    every = [section for outline in outlined for section in outline.every]
    runs = results.all_runs(every, [run for outline in outlined for one in outline.measured for run in one.runs])
    groups = sum(len(section.groups) for section in every)
    groups += sum(len(one.groups) for outline in outlined for one in outline.measured)
    across = rank_across(parts_of)
    beside = [across.table] if across else []
    return _render(
        chapters=chapters, counts=(len(runs.rows), groups), trained=trained, runs=runs,
        tables=_write_tables(chapters, beside, runs, to / "tables"), styles=styles,
        looks=list(dict.fromkeys(styles.values())), problems=found.problems,
        missing=rebuilder.words(), across=across, band=BANDS[band], date=time.strftime("%Y-%m-%d %H:%M"),
    )  # fmt: skip


def _write_tables(chapters: Sequence[Chapter], beside: Sequence[Table], runs: Table, folder: Path) -> list[Table]:
    """One table of each kind over all sections; those whose columns are a section's own stay apart. beside: of the page
    as a whole."""
    parts = [part for chapter in chapters for part in chapter.parts]
    split = [part.section for part in parts]
    together = [
        results.join_tables(split, [part.tables[name] for part in parts], name, about)
        for name, about in _TOGETHER.items()
    ]
    tables = [*(together if parts else []), *_own_tables(chapters), *beside, *([runs] if runs.rows else [])]
    for table in tables:
        table.write(folder)
    return tables


def _own_tables(chapters: Sequence[Chapter]) -> Iterator[Table]:
    for chapter in chapters:
        if chapter.planned:
            yield from chapter.planned.tables
        for part in chapter.parts:
            added = [table for one in part.additions for table in one.tables]
            shown = [
                one.table for one in (part.segmentation, part.trainings, part.losses, part.asked, part.gallery) if one
            ]
            shown += [*part.by_class, *(part.doubts.tables if part.doubts else [])]
            shown += part.statistics.tables if part.statistics else []
            shown += [part.tables[name] for name in ("standing", "forecast") if part.tables[name].rows]
            for table in (part.tables["learning"], part.tables["settings"], *shown, *added):
                yield replace(table, name=f"{table.name}-{part.anchor}")
            yield from (table for _, one, _ in part.published if one for table in one.tables)
        yield from (table for one in chapter.measured for table in one.tables)


def _render(**context: Any) -> str:
    environment = Environment(
        loader=FileSystemLoader([_TEMPLATES, _OF_PAPERS]), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    environment.filters.update(
        format_cell=format_cell, amount=amount, listed=listed, duration=duration, size=size, anchor=anchor,
        differences=format_differences, verdicts=word_verdicts,
    )  # fmt: skip
    letters = {origin: letter for letter, origin in ORIGINS.items()}
    style = (_TEMPLATES / "style.css").read_text(encoding="utf-8")
    html = environment.get_template("index.html").render(
        **context, style=style, origins=ORIGINS, fades=FADES, letters=letters
    )
    return "".join(part if part.startswith("<pre") else _INDENT.sub("\n", part) for part in _PRE.split(html))
