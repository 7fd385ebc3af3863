"""How much of the papers is measured, as tables: the items, their numbers, their claims."""

from collections import Counter
from collections.abc import Mapping, Sequence

from al_bench.analysis.claims import OPEN, Word
from al_bench.analysis.contents import Item
from al_bench.analysis.coverage import MEASURED, NO_DATA, Covered, CoveredNumber
from al_bench.analysis.questions import Answer
from al_bench.analysis.statistics.paired import LEVEL
from al_bench.analysis.statistics.power import tell_seeds_needed
from al_bench.report.measures import listed
from al_bench.report.tables import Cell, Table

_ONLY = {"figure": "figure only", "picture": "pictures only", "claims in the text": "claims only"}

_VERDICTS: Mapping[Word, str] = {"holds": "hold", "does not hold": "do not hold", "not decided": "are not decided"}


def tabulate_items(items: Sequence[Item], covered: Mapping[str, Covered]) -> Table:
    """A row for each table and figure: what of it is measured, and what its claims came to. An experiment that is of
    several items counts in each."""
    rows = [_item_row(item, [covered[name] for name in item.experiments]) for item in items]
    columns = [
        "paper", "item", "holds", "experiments", "state", "numbers", "measured", "runs", "claims", "hold",
        "do not hold", "not decided", "on other data",
    ]  # fmt: skip
    return Table("contents", "Every table and figure of the four papers, and how much of it is measured", columns, rows)


def tabulate_numbers(covered: Sequence[Covered]) -> Table:
    """A row for each published number and what was measured in its place, in the unit of the paper."""
    rows = [_number_row(one.name, number) for one in covered for number in one.numbers]
    columns = [
        "experiment", "line", "at", "published", "its std", "its n", "measured", "our std", "seeds", "difference",
        "state", "scale", "commits", "hardware", "source",
    ]  # fmt: skip
    return Table(
        "numbers", "Published numbers beside measured ones; doubted ones are compared with nothing", columns, rows
    )


def tabulate_claims(covered: Sequence[Covered]) -> Table:
    """A row for each line that a claim is said of, with its rule, its verdict and the comparison that it hangs on."""
    rows: list[list[Cell]] = [
        [
            one.name, claim.line, claim.column, claim.sentence, claim.rule, claim.verdict.word, claim.verdict.reason,
            claim.scale,
        ]
        for one in covered
        for claim in one.claims
    ]  # fmt: skip
    about = "What the papers say in words, judged by the rules in conf/experiment"
    return Table("claims", about, ["experiment", "line", "of", "claim", "rule", "verdict", "by", "scale"], rows)


def tabulate_answers(answers: Sequence[Answer]) -> Table:
    """A row for each question, with its answer, test and number of seeds."""
    columns = [
        "question", "answer", "by", "metric", "difference", f"{LEVEL:.0%} low", "high", "p", "p after Holm", "d",
        "seeds", "unpaired", "annotations", "seeds it would take", "experiment", "scale", "hardware",
    ]  # fmt: skip
    about = (
        "Each line minus the other, area under the curve over annotations, paired t over seeds; of FID and KID less is "
        "better; unpaired are seeds that one of both has alone, begins otherwise with, or has come less than half as "
        "far with; annotations are those compared, of the longer line's"
    )
    return Table("questions", about, columns, [_answer_row(one) for one in answers])


def _answer_row(one: Answer) -> list[Cell]:
    asked = one.question
    by = f"{asked.first} minus {one.second}"
    if one.tested is None:
        return [asked.question, one.word, by, asked.metric, *[None] * 10, asked.experiment, one.scale, one.machines]
    test = one.tested.test
    ends = [None if value is None else value * one.factor for value in (test.mean, test.low, test.high)]
    return [
        asked.question, one.word, by, one.metric, *ends, test.p, one.tested.p, test.effect, test.n,
        ", ".join(map(str, test.unpaired)), one.part.words if one.part else "",
        tell_seeds_needed(test.effect, one.tested.level), asked.experiment, one.scale, one.machines,
    ]  # fmt: skip


def summarize_coverage(covered: Sequence[Covered]) -> str:
    """In one sentence, each experiment counted once."""
    numbers = [number for one in covered for number in one.numbers]
    states = Counter(number.state for number in numbers)
    claims = [claim for one in covered for claim in one.claims]
    smaller = _at_smaller([number.scale for number in numbers if number.state == MEASURED])
    said = [
        f"{len(numbers):,} published numbers: {listed([f'{count:,} {state}' for state, count in states.items()])}"
        f"{smaller and f'; of the measured {smaller}'}."
    ]
    for about, other in (("claims, one for each line", False), ("more on other data than the papers'", True)):
        verdicts = Counter(claim.verdict.word for claim in claims if claim.of_other_data == other)
        if verdicts or not other:
            ours = listed([f"{verdicts[word]:,} {words}" for word, words in _VERDICTS.items()])
            decided = [one.scale for one in claims if one.of_other_data == other and one.verdict.word != OPEN]
            smaller = _at_smaller(decided)
            said.append(f"{verdicts.total():,} {about}: {ours}{smaller and f'; of the decided {smaller}'}.")
    return " ".join(said)


def _at_smaller(scales: Sequence[str]) -> str:
    """How many are of another scale than the paper's, in words; "" where none is."""
    found = Counter(scale for scale in scales if scale not in ("", "paper"))
    return listed([f"{count:,} at scale={scale}" for scale, count in found.items()]) if found else ""


def _item_row(item: Item, covered: Sequence[Covered]) -> list[Cell]:
    numbers = [number for one in covered for number in one.numbers]
    claims = [claim for one in covered for claim in one.claims]
    verdicts = Counter(claim.verdict.word for claim in claims if not claim.of_other_data)
    elsewhere = Counter(claim.verdict.word for claim in claims if claim.of_other_data)
    measured = sum(number.state == MEASURED for number in numbers)
    runs = sum(one.runs for one in covered if not one.of_other_data)
    return [
        item.paper, item.item, item.holds, " ".join(item.experiments) or item.reason,
        _state(item, numbers, runs, sum(one.runs for one in covered) - runs),
        len(numbers), measured, runs, verdicts.total(), verdicts["holds"],
        verdicts["does not hold"], verdicts["not decided"],
        listed([f"{elsewhere[word]} {words}" for word, words in _VERDICTS.items()]) if elsewhere else "",
    ]  # fmt: skip


def _state(item: Item, numbers: Sequence[CoveredNumber], runs: int, elsewhere: int) -> str:
    """ "measured", "3 of 20", "missing", "no data here"; "figure only" where no number is printed. runs: of the paper's
    data; elsewhere: of other data alone."""
    if not item.experiments:
        return "no experiment"
    if not numbers:
        only = _ONLY.get(item.holds, "no number is printed")
        return f"{only}; {'runs stored' if runs else 'runs of other data' if elsewhere else 'missing'}"
    measured = sum(number.state == MEASURED for number in numbers)
    if measured == len(numbers):
        return "measured"
    if measured:
        return f"{measured} of {len(numbers)}"
    return NO_DATA if all(number.state == NO_DATA for number in numbers) else "missing"


def _number_row(name: str, one: CoveredNumber) -> list[Cell]:
    number, compared = one.compared.number, one.compared
    seeds = compared.found.seeds if compared.found else None
    words = f"{one.state}: {number.doubt}" if number.doubt else one.state
    return [
        name, number.row, number.column, number.mean, number.std, number.n, compared.mean, compared.deviation, seeds,
        compared.difference, words, one.scale, ", ".join(one.commits), "; ".join(one.hardware), number.source,
    ]  # fmt: skip
