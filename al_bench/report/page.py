"""The page: everything of a report, put into `page/index.html`, and the tables beside it."""

import logging
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from al_bench.compose import CONF
from al_bench.files import as_json, written_whole
from al_bench.report import results
from al_bench.report.charts import Charts
from al_bench.report.cost import memory_is
from al_bench.report.curves import headline
from al_bench.report.grouping import Group, Section, sections
from al_bench.report.images import Asked, Sources, asked_for, missing_words
from al_bench.report.ledger import ORIGINS
from al_bench.report.measures import counted, duration, listed, measure, size
from al_bench.report.palette import looks
from al_bench.report.plots import FADES, Line, Picture
from al_bench.report.published import Published, compared, published
from al_bench.report.reading import Run, Stored
from al_bench.report.tables import Table, shown
from al_bench.report.trained import Trained, trained

logger = logging.getLogger(__name__)

BANDS = {"range": "the lowest to the highest seed", "deviation": "one standard deviation over seeds to each side"}

_TEMPLATES = Path(__file__).parent / "page"


@dataclass(frozen=True)
class Part:
    """What the page shows of one section."""

    section: Section
    anchor: str
    charts: Charts
    tables: dict[str, Table]
    published: Sequence[Table]
    synthesized: Sequence[tuple[Group, Run, Sequence[Asked]]]
    searched: Sequence[tuple[Group, Picture, Sequence[Line]]]
    configs: Sequence[tuple[Group, str]]
    classes: Sequence[str]

    @property
    def headline(self) -> str:
        return measure(headline(self.section.groups[0].first)).words

    @property
    def scale(self) -> str:
        return listed(list(dict.fromkeys(str(group.first.choices.get("scale")) for group in self.section.groups)))

    @property
    def seeds(self) -> str:
        """How many, in words."""
        counts = [len(group.runs) for group in self.section.groups]
        usual = max(counts, key=counts.count)
        others = [f"{group.name}: {len(group.runs)}" for group in self.section.groups if len(group.runs) != usual]
        return counted(usual, "seed") + (f", but {listed(others)}" if others else "")

    @property
    def memory(self) -> str:
        return memory_is(self.section.groups)


def write_report(found: Stored, to: Path, band: str, sources: Sources, conf: Path = CONF) -> Path:
    """Writes `index.html` and `tables/` into `to`; returns the page's path.

    band: a key of BANDS; sources: makes data sets and GANs for pictures. What cannot be read along the way is added to
    `found.problems`.
    """
    parts_of = sections(found.runs)
    styles = looks(group for section in parts_of for group in section.groups)
    made = sorted(trained(found.artifacts, parts_of, sources), key=lambda one: (not one.users, one.samples is None))
    made = [one for one in made if one.users or not found.named]
    numbers = published(found.problems, conf)
    parts = [_part(section, Charts(section, styles, band), made, numbers, sources, found, conf) for section in parts_of]
    found.problems[:] = dict.fromkeys(found.problems)  # curves and pictures read the same tensors
    tables = _written_tables(parts, to / "tables") if parts else []
    counts = (len(found.runs), sum(len(section.groups) for section in parts_of))
    html = _rendered(
        parts=parts, counts=counts, made=made, runs=results.all_runs(parts_of), tables=tables, styles=styles,
        problems=found.problems,
        missing=missing_words(sources), band=BANDS[band], date=time.strftime("%Y-%m-%d %H:%M"),
    )  # fmt: skip
    with written_whole(to / "index.html") as file:
        file.write(html.encode())
    return to / "index.html"


def _part(
    section: Section, charts: Charts, made: Sequence[Trained], numbers: Sequence[Published], sources: Sources,
    found: Stored, conf: Path,
) -> Part:  # fmt: skip
    used = [(name, one.artifact) for one in made for name in _names(one, section)]
    classes = _class_names(section, sources)
    tables = {
        table.name: table
        for table in (
            results.summary(section), results.learning(section), results.curves(section),
            results.classes(section, classes), results.cost(section, used),
            results.settings_that_differ(section), results.settings_ledger(section, conf),
        )
    }  # fmt: skip
    asked = [(group, shown) for group in section.groups if (shown := asked_for(group, sources, found.problems))]
    searched = [(group, charts.search(group, found.problems)) for group in section.groups]
    return Part(
        section,
        _anchor(section.title),
        charts,
        tables,
        [table for known in numbers if (table := compared(known, section))],
        [(group, run, cycles) for group, (run, cycles) in asked],
        [(group, *drawn) for group, drawn in searched if drawn],
        [(group, as_json(_readable(group.first))) for group in section.groups],
        classes,
    )


def _names(one: Trained, section: Section) -> list[str]:
    """The groups of a section that use an artifact, as one name: it was made once for all of them."""
    users = [user.group.name for user in one.users if user.title == section.title]
    return [listed(users)] if users else []


def _class_names(section: Section, sources: Sources) -> list[str]:
    """Those of the data set where it can be loaded, else numbers."""
    run = section.groups[0].first
    dataset = sources.get(f"the data set {section.title}", run.config["dataset"])
    count = len(run.cycles[0]["class_counts"])
    if dataset is not None and len(dataset.class_names) == count:
        return list(dataset.class_names)
    return [str(number) for number in range(count)]


def _readable(run: Run) -> dict[str, Any]:
    """A run's configuration without `procedure`, which holds the same parts once more."""
    return {key: value for key, value in run.config.items() if key != "procedure"}


def _written_tables(parts: Sequence[Part], folder: Path) -> list[Table]:
    """One table of each kind over all sections; those whose columns are a section's own stay apart."""
    split = [part.section for part in parts]
    together = [
        results.joined(split, [part.tables[name] for part in parts], name, about) for name, about in _TOGETHER.items()
    ]
    apart = [
        Table(f"{name}-{part.anchor}", part.tables[name].about, part.tables[name].columns, part.tables[name].rows)
        for part in parts
        for name in ("learning", "settings")
    ]
    beside = [table for part in parts for table in part.published]
    tables = [*together, *apart, *beside, results.all_runs(split)]
    for table in tables:
        table.write(folder)
    return tables


_TOGETHER = {
    "summary": "Where each method ends: at the last number of annotations that all its seeds reached",
    "curves": "Every point of every curve over seeds, in stored units: shares of one, nats",
    "classes": "Label distribution of the training set at the end of the runs",
    "cost": "Time and compute per run: mean over seeds of the sum over cycles",
    "ledger": "Settings with a stated origin",
}


def _anchor(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")


def _rendered(**context: Any) -> str:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    environment.filters.update(shown=shown, counted=counted, listed=listed, duration=duration, size=size)
    letters = {origin: letter for letter, origin in ORIGINS.items()}
    style = (_TEMPLATES / "style.css").read_text(encoding="utf-8")
    return environment.get_template("index.html").render(
        **context, style=style, origins=ORIGINS, fades=FADES, letters=letters
    )
