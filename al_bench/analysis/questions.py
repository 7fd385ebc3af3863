"""What a reader asks first, answered by what is stored: `conf/experiment/questions.csv`.

Columns: question, experiment, first, second (lines of the experiment, of which the first is asked about), metric.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from al_bench.analysis.coverage import lines_by_scale
from al_bench.analysis.lines import compare_two
from al_bench.analysis.reading import Run
from al_bench.analysis.rule_values import stored_name
from al_bench.analysis.statistics.correction import holm
from al_bench.analysis.statistics.paired import LEVEL, PairedTest
from al_bench.analysis.statistics.power import seeds_needed
from al_bench.config.groups import CONF
from al_bench.errors import UserError

_COLUMNS = ("question", "experiment", "first", "second", "metric")


@dataclass(frozen=True)
class Question:
    """Whether the first line is better than the second, in a metric."""

    question: str
    experiment: str
    first: str
    second: str
    metric: str


@dataclass(frozen=True)
class Answer:
    """metric: that was compared, which may stand in for the one asked for; scale: of the runs; test: of the areas under
    the curves over the annotations that both have, in the stored unit; None where nothing is stored of both; corrected:
    its p after Holm's correction over all answers; needed: seeds that a difference as large would take."""

    question: Question
    metric: str = ""
    scale: str = ""
    test: PairedTest | None = None
    corrected: float | None = None
    needed: int | None = None

    @property
    def word(self) -> str:
        """ "yes", "no", or "not decided"."""
        if self.test is None or self.test.better is None or self.corrected is None or self.corrected >= 1 - LEVEL:
            return "not decided"
        return "yes" if self.test.better else "no"


def read_questions(conf: Path = CONF) -> list[Question]:
    """Raises UserError where the file is none of this kind."""
    path = conf / "experiment" / "questions.csv"
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        if tuple(reader.fieldnames or ()) != _COLUMNS:
            raise UserError(f"{path}: its columns have to be {', '.join(_COLUMNS)}")
        rows = list(reader)
    for number, row in enumerate(rows, 2):
        if None in row or None in row.values() or not all(row.values()):
            raise UserError(f"{path}, row {number}: has not as many cells as columns")
    return [Question(**row) for row in rows]


def answer_questions(
    questions: Sequence[Question], stored: Sequence[Run], data: Sequence[Path], conf: Path = CONF
) -> list[Answer]:
    """One for each question and each scale of which both lines are stored, at least one."""
    lines = {name: lines_by_scale(name, stored, data, conf) for name in {one.experiment for one in questions}}
    found: list[Answer] = []
    for one in questions:
        both = [(scale, own) for scale, own in lines[one.experiment] if one.first in own and one.second in own]
        if not both:
            found.append(Answer(one))
        for scale, own in both:
            metric = stored_name(own[one.first].first, one.metric)
            test = compare_two(own[one.first], own[one.second], metric)
            found.append(Answer(one, metric, scale, test, None, seeds_needed(test.effect) if test else None))
    return _corrected(found)


def _corrected(answers: Sequence[Answer]) -> list[Answer]:
    known = [one.test.p for one in answers if one.test is not None and one.test.p is not None]
    raised = iter(holm(known))
    return [
        Answer(one.question, one.metric, one.scale, one.test, next(raised), one.needed)
        if one.test is not None and one.test.p is not None
        else one
        for one in answers
    ]
