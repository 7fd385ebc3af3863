"""The rules by which claims in words are judged: what a row of a published table says in its column `rule`.

    accuracy better than random
    accuracy better than random | coreset at every size
    accuracy more than 98.5 at 200
    accuracy within 1.0 of random at the end
    chosen_entropy more than 1.63 x random
    labels(98.5) less than random
    labels(end) less than random
    labels(at 500) within 100 of 0.5 x random
    accuracy worse than itself at 350 at the end
    seconds(end) less than alcg/rand
    gan_test better than alcg/rand while trained
    share(0) more than 50 at the end
    exactly d_h_largest_gap less than 0.01
    none: it is about what people see in pictures

A rule is of the row's line. MEASURE RELATION OPERANDS [by MARGIN] [WHERE], several of them with `;` between, all of
which have to hold. What is compared: a metric; `chosen_entropy`; `share(K)`, the labels of class K among all; or
`labels(G)`, the annotations that the headline metric needs to reach G, or, as `labels(end)`, what the other line ends
with, or, as `labels(at 500)`, what the row's line has at 500; `iterations(G)` and `seconds(G)` are the same inside the
last training on as many labels, where it was looked into (`loop.observe_every`). `better` and `worse` go by the
metric's own direction, of what is reached by fewer, `more` and `less` by the number. An operand is another line, a
number, a factor times a line (`1.63 x random`), another metric of the same runs (`metric:w1_biased_minimum`) or the
line `itself at N`, which has one value wherever it stands. Numbers are in the unit of the report: percent for
fractions. WHERE: `at N` annotations, `at the start`, `at the end`, `at every size`, `up to N`, `from N`, `on average`
(the area under the curve, and what holds without a WHERE), `while trained` (the area over the looks into the last
training, by iterations, where both lines have looks after the same); the sizes are those that both lines have, for an
end or a whole at least half of the longer one's, of runs that have come to their end. `exactly` is of what is computed
and not estimated: one run decides it.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

END = math.inf  # the goal of `labels(end)` and the like
REACHING = ("labels", "iterations", "seconds")
_NONE = "none:"
WHILE_TRAINED = "while trained"
LAST = ("at the end", WHILE_TRAINED)  # what is of the last size
_WHERE = rf"at every size|at the start|at the end|on average|{WHILE_TRAINED}|at \d+|up to \d+|from \d+"
_CLAUSE = re.compile(
    r"(?P<exact>exactly )?(?P<measure>[a-z]\w*)(\(((?P<of>\d+(\.\d+)?|end)|at (?P<own>\d+))\))? "
    r"(?P<relation>(better|worse|more|less) than|within (?P<width>\d+(\.\d+)?) of) (?P<operands>.+?)"
    rf"( by (?P<margin>\d+(\.\d+)?))?( (?P<where>{_WHERE}))?"
)
_ITSELF = re.compile(r"itself( at (?P<at>\d+))?")
_OPERAND = re.compile(r"((?P<factor>\d+(\.\d+)?) x )?(?P<name>.+)")
EXAMPLE = "accuracy better than random at 500, or none: WHY"


class RuleError(ValueError):
    """Text that is no rule; the message says what would be one."""


@dataclass(frozen=True)
class Operand:
    """What a line is compared with: a line, a metric of its own runs, itself at so many annotations, or none of these,
    then `factor` is the number."""

    line: str = ""
    metric: str = ""
    factor: float = 1.0
    at: int | None = None

    @property
    def is_number(self) -> bool:
        return not self.line and not self.metric and self.at is None


@dataclass(frozen=True)
class Clause:
    """One comparison. of: the class of `share`, the goal of what is reached, END where it is the other line's, None
    elsewhere; own: at how many annotations the row's line has the goal, then `of` is None; margin: how much more or
    less, or how near; where: as it is written."""

    text: str
    exact: bool
    measure: str
    of: float | None
    relation: str
    operands: Sequence[Operand]
    margin: float
    where: str
    own: int | None = None

    @property
    def goal(self) -> str:
        """In words, of what is reached."""
        if self.own is not None:
            return f"what the line has at {self.own}"
        return "what the other ends with" if self.of == END else f"{self.of:g}"

    def goes_beyond(self, annotations: int) -> bool:
        """Whether it speaks of more than what a run has at so many annotations that goes on: of its end or its whole,
        or of its last training. What is to be reached is so or not, wherever a run ends."""
        if self.measure in REACHING:
            return self.measure != "labels" or self.of == END
        *words, last = self.where.split()
        return annotations < int(last) if words == ["up", "to"] else self.where != "at the start" and words != ["at"]


@dataclass(frozen=True)
class Rule:
    """clauses: all have to hold; without any, `why` says why nothing is to be judged."""

    clauses: Sequence[Clause] = ()
    why: str = ""

    @property
    def text(self) -> str:
        """As it is written."""
        return "; ".join(clause.text for clause in self.clauses) or f"{_NONE} {self.why}"


def read_rule(text: str) -> Rule:
    """Raises RuleError for what is no rule."""
    if text.startswith(_NONE):
        why = text.removeprefix(_NONE).strip()
        if not why:
            raise RuleError(f"the rule {text!r} does not say why, use {EXAMPLE}")
        return Rule(why=why)
    return Rule([_read_clause(part.strip()) for part in text.split(";")])


def _read_clause(text: str) -> Clause:
    found = _CLAUSE.fullmatch(text)
    if found is None:
        raise RuleError(f"the rule {text!r} is none, use one such as {EXAMPLE}")
    operands = [_read_operand(operand.strip()) for operand in found["operands"].split("|")]
    _refuse_unmeasured(text, found, operands)
    of, where = found["of"], found["where"] or "on average"
    return Clause(
        text,
        found["exact"] is not None,
        found["measure"],
        END if of == "end" else None if of is None else float(of),
        found["relation"].split()[0],
        operands,
        float(found["width"] or found["margin"] or 0),
        where,
        None if found["own"] is None else int(found["own"]),
    )


def _refuse_unmeasured(text: str, found: re.Match[str], operands: Sequence[Operand]) -> None:
    """Raises RuleError where the parts of a comparison do not go together."""
    measure, of = found["measure"], found["of"] or found["own"]
    if (measure in ("share", *REACHING)) != (of is not None):
        raise RuleError(
            f"the rule {text!r} is none: share, {', '.join(REACHING)} are of something, as share(0), labels(98.5)"
        )
    of_queries = {"share", "chosen_entropy"} & {measure, *(operand.metric for operand in operands)}
    if found["where"] == WHILE_TRAINED and of_queries:
        raise RuleError(f"the rule {text!r} is none: {of_queries.pop()} is of a query, and of no training looked into")
    of_lines = all(operand.line for operand in operands)
    if of == "end" and not (measure in REACHING and of_lines):
        raise RuleError(f"the rule {text!r} is none: {', '.join(REACHING)} alone have an end, that of another line")
    if found["own"] and not (measure == "labels" and of_lines):
        raise RuleError(f"the rule {text!r} is none: labels alone are of what a line has at a size, beside another's")
    if measure in REACHING and (found["where"] or not all(one.line or one.is_number for one in operands)):
        raise RuleError(f"the rule {text!r} is none: what is reached is so at no place, and by a line or a number")


def _read_operand(text: str) -> Operand:
    if re.fullmatch(r"-?\d+(\.\d+)?", text):
        return Operand(factor=float(text))
    found = _OPERAND.fullmatch(text)
    if found is None:
        raise RuleError(f"{text!r} is compared with nothing, use a line, a number or metric:NAME")
    factor, name = float(found["factor"] or 1), found["name"]
    if (itself := _ITSELF.fullmatch(name)) is not None:
        if itself["at"] is None:
            raise RuleError(f"the rule has {text!r}, say at how many annotations, as itself at 350")
        return Operand(factor=factor, at=int(itself["at"]))
    if name.startswith("metric:"):
        return Operand(metric=name.removeprefix("metric:"), factor=factor)
    return Operand(line=name, factor=factor)
