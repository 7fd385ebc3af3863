"""MAL's Tables 1 to 9 as they are stored: whole, the same where the paper prints a number twice, and what they say of
its claims: each figure of that is computed anew from the numbers beside it."""

from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import pytest
from kept_cells import page_of

from al_bench.analysis.contrast import read_contrasts
from al_bench.analysis.published import Number, Published, read_published
from al_bench.analysis.rules import Rule

SUMS = {  # of each table's means, a line a number in the table's order; its full supervision; of all its deviations
    "imagenet": ([150.0, 152.3, 155.1, 156.3, 158.5, 178.6], [61.5], 8.0),
    "inaturalist2018": ([83.7, 83.6, 86.4, 89.1, 93.6, 112.8], [46.7], 8.8),
    "cifar100": ([169.7, 172.9, 173.7, 176.8, 177.6, 192.4], [60.7], 11.1),
    "cifar100_imbalanced": ([86.6, 88.2, 89.5, 90.0, 91.2, 104.4], [34.2], 11.5),
    "cityscapes": ([250.8, 250.7, 254.6, 255.1, 257.8, 271.6], [61.9], 28.8),
    "bdd100k": ([188.1, 190.2, 191.2, 192.9, 216.0], [51.2], 29.7),
    "ablation_imagenet": ([146.5, 147.8, 150.3, 150.0, 160.2, 163.7, 164.5, 178.6], [61.5], 11.5),
    "ablation_bdd100k": ([143.2, 144.8, 145.0, 148.1, 160.2, 159.9, 161.6, 170.1], [51.2], 33.1),
    "backbones_cifar100": ([153.5, 164.1, 136.0, 146.3], [71.9, 60.7], 7.5),
}
PAGE = Path(__file__).parents[2] / "docs" / "papers" / "mal.md"
BASELINES = ("random", "entropy", "coreset", "bald", "drn/bald", "vaal")
PARTIAL = ("ssl_unc", "ssl_random", "ssl_div")


class Sizes(NamedTuple):
    """A line of Table 10, of Cityscapes the 2,975 official images (it says 3,475), and how many columns."""

    train: int
    initial: int  # percent
    budget: int  # percent
    columns: int


TABLE_10 = {
    "cifar100": Sizes(50_000, 2, 2, 5), "backbones_cifar100": Sizes(50_000, 2, 2, 4),
    "inaturalist2018": Sizes(437_513, 10, 10, 4), "imagenet": Sizes(1_281_167, 5, 5, 4),
    "ablation_imagenet": Sizes(1_281_167, 5, 5, 4), "cityscapes": Sizes(2975, 10, 5, 5),
    "bdd100k": Sizes(7000, 10, 5, 5), "ablation_bdd100k": Sizes(7000, 10, 5, 4),
}  # fmt: skip


@cache
def table(name: str) -> Published:
    (found,) = [one for one in read_published([]) if one.name == f"mal/{name}"]
    return found


def line(name: str, row: str) -> list[float]:
    """The means of a line at its numbers of labels."""
    return [number.mean for number in numbers(name, row)]


def numbers(name: str, row: str) -> list[Number]:
    return [one for one in table(name).numbers if one.row == f"mal/{row}" and one.column.isdigit()]


def shares(name: str) -> list[float]:
    """The columns in percent, as they are printed."""
    of = TABLE_10[name]
    return [of.initial + of.budget * index for index in range(of.columns)]


def needed(name: str, row: str, mean: float) -> float:
    """The share of the data, in percent, with which a line reaches a mean, on straight lines between its columns."""
    known = list(zip(shares(name), line(name, row), strict=True))
    for (at, low), (after, high) in pairwise(known):
        if low <= mean <= high:
            return at + (after - at) * (mean - low) / (high - low)
    raise AssertionError(f"{row} does not reach {mean}")


def minus(name: str, first: str, second: str) -> list[float]:
    """One line minus another, rounded as the paper prints them."""
    return [round(a - b, 1) for a, b in zip(line(name, first), line(name, second), strict=True)]


def baselines(name: str) -> list[str]:
    """Those of a table; Table 6 has no BALD."""
    return [row for row in BASELINES if numbers(name, row)]


def above_the_best(name: str) -> list[float]:
    """MAL minus the best baseline at each number of labels."""
    return [min(gaps) for gaps in zip(*(minus(name, "mal", row) for row in baselines(name)), strict=True)]


def says(name: str, row: str, *words: str) -> bool:
    """Whether one claim of a row has all these words behind what the paper says: as the table has it."""
    of = [claim.sentence.partition("; ")[2] for claim in table(name).claims if f"mal/{row}" in claim.rows]
    return any(all(word in sentence for word in words) for sentence in of)


@pytest.mark.parametrize("name", SUMS)
def test_a_table_is_whole(name: str) -> None:
    """Three runs in every cell, each line at every number of labels, and what they add up to."""
    means, full, deviation = SUMS[name]
    found = table(name).numbers
    rows = list(dict.fromkeys(number.row for number in found if number.column.isdigit()))
    sums = [sum(line(name, row.removeprefix("mal/"))) for row in rows]
    assert sums == pytest.approx(means)
    assert [number.mean for number in found if not number.column.isdigit()] == full
    assert {number.n for number in found} == {3}
    assert sum(number.std or 0 for number in found) == pytest.approx(deviation)
    assert len({len(numbers(name, row.removeprefix("mal/"))) for row in rows}) == 1


@pytest.mark.parametrize("name", TABLE_10)
def test_the_columns_are_the_shares_of_table_10(name: str) -> None:
    """Each query as large as the first, rounded down once."""
    train, initial, budget, columns = TABLE_10[name]
    first, query = train * initial // 100, train * budget // 100
    expected = [first + query * index for index in range(columns)]
    assert list(dict.fromkeys(int(one.column) for one in table(name).numbers if one.column.isdigit())) == expected


def test_the_imbalanced_columns_are_as_printed() -> None:
    assert [one.column for one in numbers("cifar100_imbalanced", "mal")] == ["1458", "2916", "4375", "5834"]


@pytest.mark.parametrize(
    ("part", "whole", "rows"),
    [
        ("ablation_imagenet", "imagenet", ("random", "mal")),
        ("ablation_bdd100k", "bdd100k", ("random", "mal")),
        ("backbones_cifar100", "cifar100", ("vaal", "mal")),
    ],
)
def test_a_number_that_is_printed_twice_is_the_same(part: str, whole: str, rows: tuple[str, ...]) -> None:
    for row in rows:
        twice = [[(one.column, one.mean, one.std) for one in numbers(name, row)] for name in (part, whole)]
        assert twice[0] == twice[1][: len(twice[0])]


def test_three_cells_of_table_8_are_those_of_table_7_and_doubted() -> None:
    doubted = [(name, one) for name in SUMS for one in table(name).numbers if one.doubt]
    assert {(name, one.row, one.column) for name, one in doubted} == {
        ("ablation_bdd100k", f"mal/{row}", "1050") for row in ("sl_unc", "sl_div", "sl_random")
    }
    for _, one in doubted:
        (copied,) = [it for it in table("ablation_imagenet").numbers if (it.row, it.column) == (one.row, "128116")]
        assert (copied.mean, copied.std) == (one.mean, one.std)


@pytest.mark.parametrize("name", list(SUMS)[:6])
def test_mal_is_the_best_line_of_tables_1_to_6_from_the_first_column_on(name: str) -> None:
    known = baselines(name)
    assert len(known) == (4 if name == "bdd100k" else 5)
    gaps = [minus(name, "mal", row) for row in known]
    assert min(min(gap) for gap in gaps) > 0
    assert len({gap[0] for gap in gaps}) == 1, "one first column for all baselines"
    assert says(name, "mal", "the best line at every size")
    assert says(name, "mal", f"by {gaps[0][0]} points")


@pytest.mark.parametrize("name", list(SUMS)[:6])
def test_the_page_has_its_lead_over_the_best_baseline(name: str) -> None:
    lead = above_the_best(name)
    assert f"| {name} | {lead[0]} | {lead[-1]} |" in PAGE.read_text()


def test_the_page_has_what_training_and_query_add() -> None:
    query = {name: minus(name, "mal", "ssl_random") for name in ("ablation_imagenet", "ablation_bdd100k")}
    minimax = minus("ablation_imagenet", "ssl_random", "sl_random")
    (imagenet, on_maps), text = query.values(), " ".join(PAGE.read_text().split())
    assert f"{imagenet[0]} points on ImageNet with the initial labels, then {listed(imagenet[1:])};" in text
    assert f"on BDD100K {on_maps[0]}, then {listed(on_maps[1:])}." in text
    assert f"adds to random images is {listed(minimax)} on ImageNet" in text


def test_the_best_baselines() -> None:
    def best(name: str) -> list[str]:
        rows = baselines(name)
        columns = zip(*(line(name, row) for row in rows), strict=True)
        return [rows[means.index(max(means))] for means in columns][1:]  # the first column is one for all

    assert best("cifar100") == ["vaal", "bald", "vaal", "vaal"]
    assert set(best("inaturalist2018")) == {"bald"}
    assert set(best("cifar100_imbalanced")) == {"entropy"}


def test_the_gap_to_random_on_imagenet() -> None:
    mal, vaal = (minus("imagenet", row, "random")[1:] for row in ("mal", "vaal"))
    times = [a / b for a, b in zip(mal, vaal, strict=True)]
    assert min(times) > 2, "more than 100 % larger"
    assert says("imagenet", "mal", f"{min(times):.1f} to {max(times):.1f} times")


def test_labels_on_imagenet() -> None:
    more = [needed("imagenet", row, 42.9) - 10 for row in ("vaal", "coreset", "random")]
    vaal, coreset, random = (f"{share / 100 * 1281.167:.0f}K" for share in more)
    assert says("imagenet", "mal", f"{vaal}, {coreset} and {random}")
    deviation = next(one.std for one in numbers("imagenet", "mal") if one.column == "128116")
    assert says("imagenet", "mal", f"prints {deviation}")


def test_labels_on_inaturalist() -> None:
    more = [needed("inaturalist2018", row, 29.2) - 20 for row in ("vaal", "random")]
    assert says("inaturalist2018", "mal", f"{more[0]:.1f} and {more[1]:.1f}")
    above = [minus("inaturalist2018", row, "random")[-1] for row in baselines("inaturalist2018") if row != "random"]
    assert says("inaturalist2018", "vaal", f"{min(above)} to {max(above)} points above Random")


def test_labels_on_cifar100() -> None:
    """At each accuracy that a baseline has after its first query."""
    known = {
        row: list(zip(shares("cifar100"), line("cifar100", row), strict=True))[1:] for row in baselines("cifar100")
    }
    saved = {row: [at - needed("cifar100", "mal", mean) for at, mean in found] for row, found in known.items()}
    vaal, others = saved.pop("vaal"), [share for row in saved.values() for share in row]
    assert says("cifar100", "mal", f"{min(others):.1f}% to {max(others):.1f}%")
    assert says("cifar100", "mal", f"{min(vaal):.1f}% to {max(vaal):.1f}%")


def test_bald_jumps_on_cifar100() -> None:
    gains = {
        row: round(line("cifar100", row)[2] - line("cifar100", row)[1], 1) for row in (*baselines("cifar100"), "mal")
    }
    bald = gains.pop("bald")
    (sentence,) = [one.sentence for one in table("cifar100").claims if one.rows == ["mal/bald"]]
    assert f"{bald} points" in sentence
    assert f"more than {max(gains.values())}" in sentence
    assert line("cifar100", "bald")[2] > line("cifar100", "vaal")[2], "and is above the most competitive baseline"


def test_the_gap_on_the_imbalanced_set() -> None:
    gaps = above_the_best("cifar100_imbalanced")
    assert says("cifar100_imbalanced", "mal", f"by {min(gaps)} to {max(gaps)} points")


def test_the_gap_on_cityscapes() -> None:
    gaps = above_the_best("cityscapes")
    assert says("cityscapes", "mal", f"by {min(gaps)} to {max(gaps)} points")


def test_the_gap_in_labels_is_larger_on_bdd100k() -> None:
    cityscapes, bdd100k = (
        needed(name, "vaal", mean) - needed(name, "mal", mean) for name, mean in (("cityscapes", 55), ("bdd100k", 40))
    )
    assert cityscapes < bdd100k
    assert says("bdd100k", "mal", f"{cityscapes:.1f}% for 55% there, {bdd100k:.1f}% for 40% here")


@pytest.mark.parametrize(("name", "mean"), [("cityscapes", 55), ("bdd100k", 40)])
def test_labels_of_segmentation(name: str, mean: float) -> None:
    mal, vaal = (f"{needed(name, row, mean):.1f}%" for row in ("mal", "vaal"))
    assert says(name, "mal", mal, vaal)


def test_the_gap_on_bdd100k() -> None:
    gaps = above_the_best("bdd100k")
    assert says("bdd100k", "mal", f"{min(gaps)} to {max(gaps)} points above the best baseline")


@pytest.mark.parametrize(("name", "places"), [("ablation_imagenet", [0, 1, 2, 3]), ("ablation_bdd100k", [0, 2, 3])])
def test_what_minimax_training_adds_in_the_ablations(name: str, places: list[int]) -> None:
    """places: of the columns, those of doubted cells left out."""
    gains = [minus(name, f"ssl_{query}", f"sl_{query}")[at] for query in ("unc", "random", "div") for at in places]
    assert says(name, "ssl_random", f"{min(gains)} to {max(gains)} points")
    random = [minus(name, "ssl_random", "sl_random")[at] for at in places[1:]]
    query = [minus(name, "mal", "ssl_random")[at] for at in places[1:]]
    assert says(name, "ssl_random", listed(random) + " points above SL-Random", listed(query) + " above SSL-Random")


def listed(values: list[float]) -> str:
    return f"{', '.join(map(str, values[:-1]))} and {values[-1]}"


def rules_of(name: str, row: str, words: str = "") -> list[Rule]:
    """By what a row's claims with these words are judged."""
    claims = [claim for claim in table(name).claims if words in claim.sentence]
    ruled = [pair for claim in claims for pair in zip(claim.rows, claim.rules, strict=True)]
    return [rule for of, rule in ruled if of == f"mal/{row}" and rule]


@pytest.mark.parametrize(
    ("name", "row", "more", "nearly"),
    [
        ("imagenet", "vaal", 32_000, True),  # "almost"
        ("imagenet", "coreset", 64_000, False),
        ("imagenet", "random", 64_000, False),
        ("inaturalist2018", "vaal", 43_751, True),  # "nearly 10% and 20%"
        ("inaturalist2018", "random", 87_502, True),
        *(("cifar100", row, 1000, False) for row in ("random", "coreset", "entropy", "bald")),  # "1000-1500"
        ("cifar100", "vaal", 500, False),  # "1%"
        ("cityscapes", "vaal", 297, True),  # "nearly 10%"
    ],
)
def test_as_many_labels_are_saved_as_the_paper_says(name: str, row: str, more: int, nearly: bool) -> None:
    """Of a range its lower end; nearly so many are nine tenths of them."""
    labels = [one for rule in rules_of(name, "mal") for one in rule.clauses if one.measure == "labels"]
    (margin,) = {one.margin for one in labels for operand in one.operands if operand.line == f"mal/{row}"}
    assert margin == round(0.9 * more if nearly else more)


@pytest.mark.parametrize(("name", "first_query"), [("ablation_imagenet", 128_116), ("ablation_bdd100k", 1050)])
def test_what_is_said_of_the_beginning_is_judged_there(name: str, first_query: int) -> None:
    """And sub-optimal is what the best line is above: SSL-Random itself is said to be above SSL-Unc."""
    (rule,) = rules_of(name, "ssl_random", "sub-optimal in the beginning")
    (clause,) = rule.clauses
    assert (clause.relation, clause.where) == ("worse", f"up to {first_query}")
    assert [operand.line for operand in clause.operands] == ["mal/mal"]
    assert says(name, "ssl_random", f"{minus(name, 'mal', 'ssl_random')[1]} points below MAL")


@pytest.mark.parametrize(("name", "first"), [("ablation_imagenet", 5.1), ("ablation_bdd100k", 2.0)])
def test_mal_is_ahead_of_its_parts_before_anything_is_asked_for(name: str, first: float) -> None:
    """Where the three other lines are one: by more than its query adds over the best of them, on ImageNet."""
    ahead = [
        round(mal - max(rest), 1)
        for mal, *rest in zip(line(name, "mal"), *(line(name, row) for row in PARTIAL), strict=True)
    ]
    assert len({line(name, row)[0] for row in PARTIAL}) == 1
    assert ahead[0] == first
    assert says(name, "mal", f"{first} points above the three SSL lines", f"then {listed(ahead[1:])} above the best")


def test_sl_unc_and_sl_div_against_random() -> None:
    first = [minus("ablation_imagenet", row, "random") for row in ("sl_unc", "sl_div")]
    early, late = [gap for one in first for gap in one[:2]], [gap for one in first for gap in one[2:]]
    assert says("ablation_imagenet", "sl_unc", "not at 5% and 10%", f"{min(early)} to {max(early)} points above Random")
    assert max(late) < 0
    gaps = [
        -minus("ablation_bdd100k", row, other)[at]
        for row in ("sl_unc", "sl_div")
        for other in ("random", "sl_random")
        for at in (2, 3)
    ]
    level, above = (minus("ablation_bdd100k", row, "sl_random")[0] for row in ("sl_unc", "sl_div"))
    early_on_maps = f"not at 10%, where they are {level} and {above} points above SL-Random"
    assert says("ablation_bdd100k", "sl_div", f"{min(gaps)} to {max(gaps)} points", early_on_maps)
    assert "| not at 5 and 10 % of ImageNet, nor at 10 % of BDD100K |" in page_of("mal")


def test_sl_random_against_random() -> None:
    on_imagenet = [abs(gap) for gap in minus("ablation_imagenet", "sl_random", "random")]
    assert says("ablation_imagenet", "sl_random", f"within {max(on_imagenet)} points")
    on_maps = [-minus("ablation_bdd100k", "sl_random", "random")[at] for at in (0, 2, 3)]
    assert says("ablation_bdd100k", "sl_random", f"{min(on_maps)} to {max(on_maps)} points below")


def test_ssl_unc_against_the_baselines_of_table_1() -> None:
    ahead = [row for row in baselines("imagenet") if line("imagenet", row)[1] > line("ablation_imagenet", "ssl_unc")[1]]
    assert ahead == ["coreset", "bald", "vaal"]
    assert says("ablation_imagenet", "ssl_unc", "SSL-Unc at 10% is below Core-set, BALD and VAAL")


def test_ssl_unc_early() -> None:
    over = {row: minus("ablation_imagenet", row, "ssl_unc") for row in ("ssl_random", "ssl_div")}
    late = [gap for found in over.values() for gap in found[2:]]
    early = f"by {over['ssl_random'][1]} and {over['ssl_div'][1]} points at 10%"
    assert says("ablation_imagenet", "ssl_unc", early, f"by {min(late)} to {max(late)}")
    on_maps = [minus("ablation_bdd100k", "ssl_unc", row)[1] for row in ("ssl_random", "ssl_div")]
    assert on_maps[0] > 0 > on_maps[1]
    assert says("ablation_bdd100k", "ssl_unc", f"{on_maps[0]} points above", f"{-on_maps[1]} below")


@pytest.mark.parametrize("name", ["ablation_imagenet", "ablation_bdd100k"])
def test_diversity_against_uncertainty(name: str) -> None:
    gaps = minus(name, "ssl_div", "ssl_unc")[1:]
    assert says(name, "ssl_div", f"{min(gaps)} to {max(gaps)} points above SSL-Unc")


def test_both_backbones() -> None:
    deep = [
        round(a - b, 1)
        for a, b in zip(
            line("backbones_cifar100", "vgg16_bn/mal"), line("backbones_cifar100", "vgg16_bn/vaal"), strict=True
        )
    ]
    residual = minus("backbones_cifar100", "mal", "vaal")
    assert min(*deep, *residual) > 0
    words = f"{min(deep)} to {max(deep)} points with VGG16-BN, {min(residual)} to {max(residual)} with ResNet18"
    assert says("backbones_cifar100", "mal", words)


@pytest.mark.parametrize(
    "name", ["ablation_imagenet", "ablation_bdd100k", "tiny_imagenet", "digits", "camvid", "cifar10_imbalanced"]
)
def test_which_effect_is_the_largest_is_left_to_two_contrasts(name: str) -> None:
    """Any effect of minimax training at all would satisfy a rule, which compares lines and not their differences."""
    (rule,) = rules_of(name, "ssl_random", "the largest effect")
    assert not rule.clauses
    pairs = read_contrasts(f"mal/{name}").values()
    assert {("mal/ssl_random", "mal/sl_random"), ("mal/mal", "mal/ssl_random")} <= set(pairs)
