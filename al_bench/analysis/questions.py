"""What a reader asks first, answered by what is stored: `conf/experiment/questions.csv`.

Columns: question, experiment, first, second (lines of the experiment, of which the first is asked about), metric.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from al_bench.analysis.common_range import Part, common_part, common_range
from al_bench.analysis.comparison import Factor
from al_bench.analysis.conf_table import read_rows
from al_bench.analysis.coverage import folders_with_data, lines_of, plan_scales
from al_bench.analysis.curves import values_by_annotations
from al_bench.analysis.ending import say_unfinished, unfinished
from al_bench.analysis.grouping import Group
from al_bench.analysis.lines import compare_two, share_first_labels
from al_bench.analysis.provenance import say_machines
from al_bench.analysis.reading import Run
from al_bench.analysis.rule_curves import stored_name
from al_bench.analysis.statistics.correction import CorrectedTest, correct
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
    """metric: that was compared, which may stand in for the one asked for; second: the line that it is compared with,
    as it is said; scale: of the runs; machines: what they ran on, in words; factor: from the stored unit to the written
    one; tested: the areas under the curves over the annotations that both have, in the stored unit, among all answers;
    None where nothing can be compared, `why` in words; part: over which of the longer line's these areas are;
    unfinished: seeds that were compared and of which a run has not come to its end."""

    question: Question
    metric: str
    second: str
    scale: str = ""
    machines: str = ""
    factor: float = 1.0
    tested: CorrectedTest | None = None
    why: str = ""
    part: Part | None = None
    unfinished: Sequence[int] = ()

    @property
    def word(self) -> str:
        """ "yes", "no", "not decided", or why nothing can be compared."""
        if self.tested is None:
            return self.why
        if self.tested.test.n == 1:
            return "not decided: one seed"
        if self.part is not None and self.part.is_short:
            return "not decided: one line less than half as far as the other"
        if self.unfinished:
            return f"not decided: {say_unfinished(self.unfinished)}"
        return {True: "yes", False: "no", None: "not decided"}[self.tested.better]


def read_questions(conf: Path = CONF) -> list[Question]:
    """Raises UserError where the file is none of this kind."""
    path = conf / "experiment" / "questions.csv"
    try:
        rows = read_rows(path, _COLUMNS)
    except ValueError as error:
        raise UserError(f"{path}: {error}") from error
    for number, row in enumerate(rows, 2):
        if empty := [column for column in _COLUMNS if not row[column]]:
            raise UserError(f"{path}: row {number} has no {empty[0]}")
    return [Question(**row) for row in rows]


def answer_questions(
    questions: Sequence[Question], stored: Sequence[Run], factor: Factor, data: Sequence[Path], conf: Path = CONF
) -> list[Answer]:
    """One for each question and each scale of which both lines are stored, at least one. factor, data: see `cover`."""
    names = {one.experiment for one in questions}
    planned = {name: plan_scales(name, stored, data, conf) for name in names}
    lines = {name: {scale: lines_of(one, stored) for scale, one in found.items()} for name, found in planned.items()}
    answers, tests = [], []
    for one in questions:
        both = [(scale, own) for scale, own in lines[one.experiment].items() if {one.first, one.second} <= {*own}]
        for scale, own in both:
            first, second = own[one.first], own[one.second]
            metric = stored_name(first.first, one.metric)
            words, machines = second.say_as_baseline(one.second), say_machines(first.runs, second.runs)
            answer = Answer(one, metric, words, scale, machines, factor(metric, first.first.metrics))
            if (test := compare_two(first, second, metric)) is None:
                answers.append(replace(answer, why=_why_uncompared(first, second)))
            else:
                begun = unfinished([*first.runs, *second.runs], test.seeds)
                answers.append(replace(answer, part=_part_of(first, second, metric, test.seeds), unfinished=begun))
                tests.append(test)
        if not both:
            here = folders_with_data(one.experiment, data, conf)
            answers.append(Answer(one, one.metric, one.second, why="nothing stored" if here else "no data here"))
    tested = iter(correct(tests))
    return [answer if answer.why else replace(answer, tested=next(tested)) for answer in answers]


def _part_of(first: Group, second: Group, name: str, seeds: Sequence[int]) -> Part | None:
    """The annotations that both lines have with all these seeds."""
    curves = [
        {run.seed: values_by_annotations(run, name) for run in group.runs if run.seed in seeds}
        for group in (first, second)
    ]
    found = common_range({seed: curves[0][seed].keys() & curves[1][seed].keys() for seed in seeds})
    return common_part(found.sizes, [[curve.keys() for curve in line.values()] for line in curves])


def _why_uncompared(first: Group, second: Group) -> str:
    own, other = ({run.seed: run for run in group.runs} for group in (first, second))
    if not (common := own.keys() & other.keys()):
        return "not decided: no seed of both is stored"
    if not any(share_first_labels(own[seed], other[seed]) for seed in common):
        return "not decided: no seed of both begins with the same labels"
    return "not decided: no seed of both has two numbers of annotations"
