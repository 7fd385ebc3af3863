"""The rules of the claims of ASAL and WAAL ask for what their sentences say: all of it, so, and of those lines."""

from collections.abc import Iterator

import pytest
from composing import compose

from al_bench.analysis.published import Claim, Published, read_published
from al_bench.analysis.rules import Clause, Rule

TABLES = {table.name: table for table in read_published([])}
OURS = [table for name, table in TABLES.items() if name.startswith(("asal/", "waal/"))]
SPACES = ("asal_pixel", "asal_auto", "asal_disc")
EIGHT = "one of ten benchmarks, on eight of which ASAL outperforms random sampling"
NOT_EIGHT = "outperforms random sampling on eight of ten benchmarks, of which this is none"


def claims(words: str, tables: list[Published] = OURS) -> list[tuple[str, Claim]]:
    """Each with its experiment; no words that no claim has."""
    found = [(table.name, claim) for table in tables for claim in table.claims if words in claim.sentence]
    assert found, words
    return found


def ruled(words: str, *names: str) -> Iterator[tuple[str, str, Rule]]:
    """Experiment, line ("" for all of them) and rule of each row with these words."""
    for name, claim in claims(words, [TABLES[name] for name in names] if names else OURS):
        for row, rule in zip(claim.rows or [""], claim.rules, strict=True):
            assert rule is not None
            yield name, row, rule


def lines(clause: Clause) -> list[str]:
    return [operand.line for operand in clause.operands]


@pytest.mark.parametrize(("words", "count"), [("consistently", 9), ("always higher", 6)])
def test_what_is_always_so_is_judged_at_every_size(words: str, count: int) -> None:
    """An average over the sizes holds where a line is behind at half of them."""
    found = [rule for _, _, rule in ruled(words)]
    assert len(found) == count
    assert {clause.where for rule in found for clause in rule.clauses} == {"at every size"}


def test_eight_of_ten_benchmarks_are_told_from_the_two_others() -> None:
    """On those ASAL is said to be as good as random sampling: that it is not ahead does not refute the sentence."""
    benchmarks = {name for name, _ in claims(EIGHT)}
    others = {name for name, _ in claims(NOT_EIGHT)}
    assert len(benchmarks) == 8 and others == {"asal/cifar10_ten", "asal/celeba_eyeglasses"} and not benchmarks & others
    for words, relation in ((EIGHT, "better"), (NOT_EIGHT, "within")):
        assert {clause.relation for _, _, rule in ruled(words) for clause in rule.clauses} == {relation}
    assert [row for _, row, _ in ruled(EIGHT, "asal/cifar10_two")] == ["asal_auto"], "the only space that is ahead"


def test_only_one_space_is_ahead_on_cifar10_two() -> None:
    rules = {row: rule for _, row, rule in ruled("only ASAL-Autoencoder", "asal/cifar10_two")}
    (ahead,) = rules["asal_auto"].clauses
    assert (ahead.relation, lines(ahead)) == ("better", ["random", "asal_pixel", "asal_disc"])


@pytest.mark.parametrize("words", ["approaches maximum entropy", "approaches uncertainty sampling with a better"])
def test_what_approaches_uncertainty_sampling_comes_near_to_it(words: str) -> None:
    for _, _, rule in ruled(words):
        assert ("within", ["entropy"]) in [(clause.relation, lines(clause)) for clause in rule.clauses]


def test_gaal_begins_as_asal_and_ends_as_random_sampling() -> None:
    for name, row, rule in ruled("at the beginning better than random sampling and almost as good as ASAL"):
        spaces = list(SPACES) if row == "gaal" else ["asal_auto"]
        assert [(clause.relation, lines(clause), clause.where) for clause in rule.clauses] == [
            ("better", ["random"], "up to 350"), ("within", spaces, "up to 350"),
            ("worse", [""], "at the end"), ("within", ["random"], "at the end"), ("worse", spaces, "at the end"),
        ], name  # fmt: skip
        assert rule.clauses[2].operands[0].at == 350, "it drops, which no other line tells"


def test_alike_is_nearer_than_what_asal_gains() -> None:
    """Half a point apart are ASAL and random sampling on MNIST two (results/README.md)."""
    clauses = [clause for _, _, rule in ruled("perform equally well", "asal/mnist_two") for clause in rule.clauses]
    assert [clause.margin for clause in clauses] == [0.25] * 3


@pytest.mark.parametrize(
    ("name", "words", "printed", "refused"),
    [
        ("mnist_two_gans", "almost three times", 100 / 3.9, (20, 30, 33, 100 / 3)),  # 2.9 sevens to a five
        ("mnist_ten_gans", "30% images with the digit 1", 30, (10, 20, 40)),
    ],
)
def test_a_printed_share_is_that_and_not_any_beyond(name: str, words: str, printed: float, refused: tuple) -> None:
    for _, _, rule in ruled(words, f"asal/{name}"):
        (clause,) = rule.clauses
        (operand,) = clause.operands
        assert clause.relation == "within" and abs(printed - operand.factor) <= clause.margin
        assert all(abs(share - operand.factor) > clause.margin for share in refused)


def test_the_smallest_gap_is_that_at_500_labels() -> None:
    for _, _, rule in ruled("reaches the smallest gap", "asal/mnist_two_gans"):
        fewest, gap = rule.clauses
        assert (gap.measure, gap.relation, gap.where, lines(gap)) == ("accuracy", "better", "at 500", lines(fewest))


def test_higher_entropy_is_against_random_sampling_of_the_same_loss() -> None:
    found = list(ruled("in all four settings ASAL selects", "asal/mnist_two_gans"))
    assert len({row for _, row, _ in found}) == 12
    for _, row, rule in found:
        (clause,) = rule.clauses
        assert lines(clause) == ["random, learner hinge" if "min_distance" in row else "random"]


def test_the_larger_gap_of_wgan_gp_is_judged() -> None:
    for _, row, rule in ruled("larger on average with WGAN-GP than with DCGAN", "asal/mnist_ten_gans"):
        assert (lines(rule.clauses[-1]) == [row.replace("wgan_gp", "dcgan")]) == ("wgan_gp" in row)


@pytest.mark.parametrize(
    ("words", "relations"),
    [
        ("only marginally exceeds", ["better", "within"]),
        ("slightly higher entropy at the beginning alone", ["within", "less"]),
        ("ASAL with the maximum entropy score selects", ["within", "more"]),
        ("where random sampling requires approximately twice", ["within", "better", "within"]),
    ],
)
def test_both_halves_of_a_sentence_are_judged(words: str, relations: list[str]) -> None:
    for _, _, rule in ruled(words, "asal/cifar10_ten" if "alone" in words or "marg" in words else "asal/cifar10_two"):
        assert [clause.relation for clause in rule.clauses] == relations


def test_any_other_strategy_is_random_sampling_too() -> None:
    ((_, _, rule),) = ruled("worse than any other strategy")
    assert {"random", "entropy"} < set(lines(rule.clauses[0]))


def test_of_fewer_dimensions_than_50_nothing_is_said() -> None:
    rules = {row: rule for _, row, rule in ruled("more dimensions than 50", "asal/pca")}
    assert [row for row, rule in rules.items() if rule.clauses] == ["pca size 100"]


def test_no_rule_compares_the_unit_of_query_times_with_itself() -> None:
    """WAAL's time in times of WAAL's is 1, whatever is measured: the others of its level are compared."""
    unit = f"{compose('experiment=waal/query_time').procedure.unit}_ratio"
    clauses = [clause for _, _, rule in ruled("", "waal/query_time") for clause in rule.clauses]
    assert unit not in {clause.measure for clause in clauses}
    ((_, _, level),) = ruled("same querying time level", "waal/query_time")
    assert [one.measure for one in level.clauses] == ["least_confidence_ratio", "margin_ratio", "entropy_ratio"]
    ((_, _, faster),) = ruled("much faster query strategy", "waal/query_time")
    slow = ["mc_entropy_ratio", "coreset_ratio", "k_median_ratio", "deepfool_ratio"]
    assert [one.measure for one in faster.clauses] == slow


def test_the_gap_to_the_h_divergence_is_one_of_points() -> None:
    """About 5 %, of which any lead at all would be less."""
    ((_, _, rule),) = ruled("is about 5%", "waal/h_divergence_cifar10")
    more, less = rule.clauses
    assert (more.relation, more.margin, more.where, len(more.operands)) == ("better", 4.0, "at the start", 8)
    assert (less.relation, less.margin, less.where, lines(less)) == ("within", 6.0, "at the start", lines(more))


def test_the_gap_that_is_reduced_is_judged_where_its_lines_are() -> None:
    """Of about 8 %, by which the largest of the other gap is less."""
    ((_, row, rule),) = ruled("reduced from about 8%", "waal/cifar10")
    more, less = rule.clauses
    assert (row, more.relation, more.margin, less.relation, less.margin) == ("waal", "better", 7.0, "within", 9.0)
    assert {clause.where for clause in rule.clauses} == {"at the start"} and len(lines(more)) == len(lines(less)) == 8
    ((_, _, other),) = ruled("is about 5%", "waal/h_divergence_cifar10")
    assert other.clauses[1].margin < more.margin


def test_twice_as_many_labels_are_for_what_asal_has_with_500() -> None:
    """And not for what random sampling ends with."""
    ((_, _, rule),) = ruled("approximately twice as many", "asal/cifar10_two")
    (clause,) = [one for one in rule.clauses if one.measure == "labels"]
    assert (clause.own, clause.of, lines(clause), clause.operands[0].factor) == (500, None, ["random"], 0.5)


def test_faster_to_uncertainty_sampling_is_near_to_it_with_fewer_labels() -> None:
    found = list(ruled("approaches uncertainty sampling faster", "asal/fig16"))
    assert len(found) == 6
    for _, row, rule in found:
        near, fewer = rule.clauses
        assert (near.relation, lines(near), fewer.measure, fewer.relation) == ("within", ["entropy"], "labels", "less")
        assert lines(fewer) == [f"entropy_subset, {row.partition(', ')[2]}"]


def test_what_app_c_prints_of_d_h_is_not_held_by_that_both_are_equal() -> None:
    rules = {claim.sentence: claim.rules[0] for claim in TABLES["waal/toy"].claims}
    assert rules["d_H(D1, D2) = d_H(D1, D3)"].clauses
    assert not rules["d_H(D1, D2) = d_H(D1, D3) = b/(a + b)"].clauses
