"""The rules of the claims of MAL and ALCG ask for what their sentences say: all of it, so, and of those lines."""

from collections.abc import Iterator

import pytest

from al_bench.analysis.published import read_published
from al_bench.analysis.rules import END, Clause, Rule

TABLES = {table.name: table for table in read_published([])}
BASELINES = ["mal/random", "mal/entropy", "mal/coreset", "mal/bald"]
SUPERVISED = [f"mal/sl_{query}" for query in ("random", "unc", "div")]
MINIMAX = [f"mal/ssl_{query}" for query in ("random", "unc", "div")]
BASES = ("ac_dcgan", "ac_sngan", "ac_wgan_gp")


def ruled(name: str, words: str) -> Iterator[tuple[str, Rule]]:
    """Line and rule of each row of an experiment with these words; no words that no claim has."""
    claims = [claim for claim in TABLES[name].claims if words in claim.sentence]
    assert claims, words
    for claim in claims:
        for row, rule in zip(claim.rows, claim.rules, strict=True):
            assert rule is not None
            yield row, rule


def lines(clause: Clause) -> list[str]:
    return [operand.line for operand in clause.operands]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("imagenet", "with all of it"),
        ("inaturalist2018", "with all of it"),
        ("cifar100", "with the whole data set"),
        ("cifar100_imbalanced", "with all 14586"),
        ("cityscapes", "with all of them"),
    ],
)
def test_what_all_labels_give_is_judged_too(name: str, words: str) -> None:
    """Each number of the sentence, as the table has it: within a point, or as near as the sentence says."""
    printed = {number.row: number.mean for number in TABLES[f"mal/{name}"].numbers if not number.column.isdigit()}
    rules = dict(ruled(f"mal/{name}", words))
    assert set(rules) == {"mal/mal", "mal/full"}
    (clause,) = rules["mal/full"].clauses
    assert (clause.relation, clause.where) == ("within", "at the end")
    assert [operand.factor for operand in clause.operands] == [printed["mal/full"]]
    assert clause.margin == (0.8 if name == "imagenet" else 1.0)


def test_the_baselines_of_cifar100_have_the_numbers_of_the_sentence() -> None:
    rules = dict(ruled("mal/cifar100", "the most competitive baseline"))
    ahead, near = rules.pop("mal/vaal").clauses
    assert (ahead.relation, sorted(lines(ahead))) == ("better", sorted(BASELINES))
    assert (near.relation, near.operands[0].factor) == ("within", 41.6)
    assert sorted(rules) == sorted(BASELINES)
    for rule in rules.values():
        (clause,) = rule.clauses
        assert (clause.relation, clause.operands[0].factor, clause.where) == ("more", 40, "at 5000"), '"reach 40%"'


@pytest.mark.parametrize(("words", "count"), [("consistently 2% to 3%", 4), ("1% less data than VAAL", 1)])
def test_labels_that_are_saved_consistently_are_so_at_several_accuracies(words: str, count: int) -> None:
    """Which all lines of Tab. 3 pass behind their first column."""
    numbers = [one for one in TABLES["mal/cifar100"].numbers if one.column.isdigit()]
    worst = min(one.mean for one in numbers if one.column == "5000")
    ((_, rule),) = ruled("mal/cifar100", words)
    assert [clause.of for clause in rule.clauses] == [30, 35, 40]
    assert all(
        max(one.mean for one in numbers if one.column == "1000") < (clause.of or 0) < worst for clause in rule.clauses
    )
    assert {len(lines(clause)) for clause in rule.clauses} == {count}


def test_as_many_annotations_as_cityscapes_needs() -> None:
    ((_, rule),) = ruled("mal/cityscapes", "20% of the annotations for 55%")
    first = rule.clauses[0]
    assert (first.of, first.relation, first.operands[0].factor) == (55, "less", 593)


def test_about_four_points_are_not_more_than_four() -> None:
    """Tab. 6 prints a gap of 4.0, whose interval ends below."""
    ((_, rule),) = ruled("mal/bdd100k", "about 4% better")
    (clause,) = rule.clauses
    assert clause.margin == pytest.approx(0.9 * 4)


@pytest.mark.parametrize(("name", "first_query"), [("ablation_imagenet", 128_116), ("ablation_bdd100k", 1050)])
def test_a_large_margin_is_more_than_what_is_called_on_par(name: str, first_query: int) -> None:
    """At the first query: before it the three lines are one model."""
    ((_, behind),) = ruled(f"mal/{name}", "by a large margin early")
    ((_, level),) = ruled(f"mal/{name}", "on par with Random")
    (clause,) = behind.clauses
    assert (clause.relation, clause.where, lines(clause)) == (
        "worse",
        f"at {first_query}",
        ["mal/ssl_random", "mal/ssl_div"],
    )
    assert clause.margin >= level.clauses[0].margin


@pytest.mark.parametrize("name", ["ablation_imagenet", "ablation_bdd100k"])
def test_each_aspect_is_essential_where_mal_is_above_every_line_without_one(name: str) -> None:
    ((row, rule),) = ruled(f"mal/{name}", "each aspect is essential")
    (clause,) = rule.clauses
    assert (row, clause.relation) == ("mal/mal", "better")
    assert sorted(lines(clause)) == sorted([*MINIMAX, *SUPERVISED, "mal/random"])


@pytest.mark.parametrize("name", ["ablation_imagenet", "ablation_bdd100k"])
def test_the_lead_of_the_first_column_is_ascribed_to_minimax_training(name: str) -> None:
    """Of which the tables give it a part: 0.7 of 5.8 points, and 3.1 of 5.1."""
    means = {one.row: one.mean for one in reversed(TABLES[f"mal/{name}"].numbers) if one.column.isdigit()}
    claims = [
        claim for claim in TABLES[f"mal/{name}"].claims if "is due to the semi-supervised training" in claim.sentence
    ]
    ((row, rule),) = ruled(f"mal/{name}", "is due to the semi-supervised training")
    (clause,) = rule.clauses
    assert (row, lines(clause), clause.where) == ("mal/ssl_random", ["mal/sl_random"], "at the start")
    above, below = (means["mal/ssl_random"] - means["mal/sl_random"], means["mal/mal"] - means["mal/ssl_random"])
    assert f"{above:.1f} points above SL-Random and {below:.1f} below MAL" in claims[0].sentence


@pytest.mark.parametrize(("main", "parts"), [("imagenet", "ablation_imagenet"), ("bdd100k", "ablation_bdd100k")])
def test_an_adversarial_game_against_a_reconstruction(main: str, parts: str) -> None:
    """SSL-Random has the game alone; VAAL reconstructs images."""
    vaal = {one.column: one.mean for one in TABLES[f"mal/{main}"].numbers if one.row == "mal/vaal"}
    game = {one.column: one.mean for one in TABLES[f"mal/{parts}"].numbers if one.row == "mal/ssl_random"}
    gaps = [round(game[column] - vaal[column], 1) for column in game]
    ((row, rule),) = ruled(f"mal/{main}", f"SSL-Random is {min(gaps)} to {max(gaps)} points above VAAL")
    assert (row, lines(rule.clauses[0]), rule.clauses[0].relation) == ("mal/ssl_random", ["mal/vaal"], "better")


OF_OTHER_DATA = {"tiny_imagenet": 1000, "digits": 30, "camvid": 55, "cifar10_imbalanced": 2917}  # labels after a query


@pytest.mark.parametrize("name", OF_OTHER_DATA)
@pytest.mark.parametrize(
    "words",
    [
        "worse than Random and SL-Random",
        "by a large margin early",
        "sub-optimal in the beginning",
        "diversity plays a more significant role",
        "on par with Random",
    ],
)
def test_sec_5_is_judged_on_other_data_by_the_rules_of_its_own(name: str, words: str) -> None:
    """But for the measure and the number of labels after the first query."""
    found, own = dict(ruled(f"mal/{name}", words)), dict(ruled("mal/ablation_imagenet", words))
    assert found.keys() == own.keys()
    for row, rule in found.items():
        for one, other in zip(rule.clauses, own[row].clauses, strict=True):
            assert (one.relation, one.margin, lines(one)) == (other.relation, other.margin, lines(other))
            assert one.where == other.where.replace("128116", str(OF_OTHER_DATA[name]))
    sentences = [claim.sentence for claim in TABLES[f"mal/{name}"].claims if words in claim.sentence]
    assert all(sentence.endswith("; there of other data") for sentence in sentences)


@pytest.mark.parametrize("name", [name for name in OF_OTHER_DATA if name != "digits"])
def test_what_is_ahead_of_the_state_of_the_art_is_so_at_every_size(name: str) -> None:
    """The digits have random sampling alone. Steps may not explain it: the control of as many is among the lines."""
    baselines = [*BASELINES[:3], "mal/drn/bald" if name == "camvid" else "mal/bald", "mal/vaal", "mal/random_longer"]
    ((row, rule),) = ruled(f"mal/{name}", "superior to the state of the art")
    (clause,) = rule.clauses
    assert (row, clause.relation, lines(clause), clause.where) == ("mal/mal", "better", baselines, "at every size")
    ((row, rule),) = ruled(f"mal/{name}", "than by reconstructing images")
    (clause,) = rule.clauses
    assert (row, lines(clause), clause.relation) == ("mal/ssl_random", ["mal/vaal", "mal/random_longer"], "better")


@pytest.mark.parametrize("name", ["alcg_cifar10", "alcg_stl10", "alcg_tinyimagenet10"])
def test_less_training_examples_are_labels_and_not_quality(name: str) -> None:
    """With as many labels a better GAN-test says nothing of how many would do: that row is there already."""
    rules = dict(ruled(f"alcg/{name}", "higher generation quality with less training examples"))
    assert set(rules) == {f"alcg/alcg, gan {base}" for base in BASES}
    for row, rule in rules.items():
        (clause,) = rule.clauses
        assert (clause.measure, clause.of, clause.relation) == ("labels", END, "less")
        assert lines(clause) == [row.replace("alcg/alcg", "alcg/rand")]


@pytest.mark.parametrize("name", ["adversarial_cifar10", "adversarial_fashion_mnist"])
def test_the_curves_of_figure_9_are_judged_as_curves_and_their_ends_apart(name: str) -> None:
    """One size of labels: on average and at the end would be one number, and one test counted twice."""
    rules = [rule for words in ("Fig. 9", "often produces better results") for _, rule in ruled(f"alcg/{name}", words)]
    clauses = [clause for rule in rules for clause in rule.clauses]
    assert {(one.measure, one.where) for one in clauses} == {
        ("inception_score", "while trained"),
        ("gan_test", "while trained"),
        ("gan_test", "at the end"),
    }
    assert len({one.text for one in clauses}) == len(clauses) == 6
