"""What is written of WAAL and of MAL on the embedded digits, computed anew from the stored cells."""

from collections.abc import Mapping, Sequence
from functools import cache
from statistics import fmean
from typing import NamedTuple

import pytest
from kept_cells import RESULTS, Curves, accuracies_of, area, correct_areas, kept_runs, page_of, words_of

from al_bench.analysis.contrast import read_contrasts
from al_bench.analysis.reading import Run
from al_bench.analysis.statistics.correction import CorrectedTest
from al_bench.analysis.statistics.paired import Interval, interval

SEEDS = range(10)
PATTERNS = (
    "random",
    "random+match_steps",
    "random+last_batch=filled+match_steps",
    "margin+match_steps",
    "*+mal",
    "*+minimax",
    "*+waal",
)


class Digits(NamedTuple):
    """An experiment on them: its lines and its differences by what they are called in results/README.md."""

    sizes: range
    lines: Mapping[str, str]
    differences: Mapping[str, str]


WAAL = Digits(
    range(20, 61, 10),
    {
        "random": "matched/random",
        "random, whole batches": "matched/random_filled",
        "random, tuned": "tuned/digits_waal",
        "margin": "matched/margin",
        "WAAL's training, random images": "adversarial/random",
        "WAAL": "waal",
    },
    {
        "WAAL's training, random images": "adversarial training, random images",
        "WAAL's query, its training": "WAAL's query, its training",
        "margin, supervised": "margin, supervised",
        "tuning, random images": "tuning, random images, equal steps",
        "all of WAAL but its steps": "all of WAAL but its steps",
        "the same, whole batches": "all of WAAL but its steps, each of as many labeled images",
        "whole batches, random images": "whole batches, random images, equal steps",
        "the same against tuned random sampling": "all of WAAL against random sampling, tuned, at equal steps",
        "all of WAAL against margin": "all of WAAL against margin at equal steps",
    },
)
MAL = Digits(
    range(20, 101, 10),
    {
        "random": "mal/random",
        "random, longer": "mal/random_longer",
        "random, as long as SSL-Random": "mal/random_ssl_steps",
        "random, longer, tuned": "tuned/digits_mal",
        "SL-Random": "mal/sl_random",
        "SL-Unc": "mal/sl_unc",
        "SL-Div": "mal/sl_div",
        "SSL-Random": "mal/ssl_random",
        "SSL-Unc": "mal/ssl_unc",
        "SSL-Div": "mal/ssl_div",
        "MAL": "mal/mal",
    },
    {
        "minimax training: SSL-Random minus SL-Random": "minimax training, random images",
        "the same by the entropy: SSL-Unc minus SL-Unc": "minimax training, by the prototypes' entropy",
        "the same by the discriminator: SSL-Div minus SL-Div": "minimax training, by the discriminator",
        "SSL-Random minus random, longer": "minimax training against random sampling of more steps",
        "SSL-Random minus random, as long": "minimax training against random sampling of as many steps",
        "MAL's query: MAL minus SSL-Random": "MAL's query, its training",
        "the entropy alone: SSL-Unc minus SSL-Random": "the prototypes' entropy, minimax training",
        "the discriminator alone: SSL-Div minus SSL-Random": "the discriminator, minimax training",
        "D's part of the query: MAL minus SSL-Unc": "the discriminator beside the entropy, minimax training",
        "MAL minus SL-Random": "all of MAL but its first training's length",
        "MAL minus random, longer": "all of MAL but its steps",
        "MAL minus random, longer, tuned": "all of MAL against random sampling, tuned, at equal steps",
        "MAL minus SL-Unc": "all of MAL against the entropy alone, supervised",
        "MAL minus random": "all of MAL",
        "tuning: random, longer, tuned minus random, longer": "tuning, random images, equal steps",
        "SL-Random minus random": "features trained beforehand, supervised",
    },
)
OF = {"waal/digits": WAAL, "mal/digits": MAL}
ROWS = [(name, line) for name, one in OF.items() for line in one.lines]
PAIRS = [(name, words) for name, one in OF.items() for words in one.differences]


@cache
def runs() -> Sequence[Run]:
    found = [run for pattern in PATTERNS for run in kept_runs(f"digits-{pattern}-seed=*")]
    return list({run.place: run for run in found}.values())


@cache
def curves(name: str, method: str) -> Curves:
    """In percent."""
    found = {run.seed: accuracies_of(run) for run in runs() if run.choices["method"] == method}
    assert sorted(found) == list(SEEDS)
    return {seed: {at: found[seed][at] for at in OF[name].sizes} for seed in SEEDS}


def pair(name: str, words: str) -> tuple[Curves, Curves]:
    first, second = read_contrasts(name)[OF[name].differences[words]]
    return curves(name, first), curves(name, second)


@cache
def areas_tested(name: str) -> Mapping[str, CorrectedTest]:
    """Of the areas, among each other: all that the experiment's file asks for."""
    assert sorted(OF[name].differences.values()) == sorted(read_contrasts(name))
    return correct_areas({words: pair(name, words) for words in OF[name].differences})


def at(name: str, words: str, size: int) -> Interval:
    first, second = pair(name, words)
    found = interval([first[seed][size] - second[seed][size] for seed in SEEDS])
    assert found is not None
    return found


def probability(p: float | None) -> str:
    assert p is not None
    return "< 0.001" if p < 0.0005 else f"{p:.3f}"


def row(name: str, words: str) -> str:
    """A difference's: the area with p and p after Holm, then some sizes."""
    one = areas_tested(name)[words]
    over_all = words_of(area(*pair(name, words)))
    over_all = f"**{over_all}**" if one.better is not None else over_all
    sizes = OF[name].sizes if name == "waal/digits" else (30, 60, 100)
    cells = [
        over_all,
        probability(one.test.p),
        probability(one.p),
        *(words_of(at(name, words, size), 1) for size in sizes),
    ]
    return f"| {words} | {' | '.join(cells)} |"


@pytest.mark.parametrize(("name", "line"), ROWS)
def test_a_row_of_the_means(name: str, line: str) -> None:
    found = curves(name, OF[name].lines[line])
    means = [f"{fmean(found[seed][size] for seed in SEEDS):.1f}" for size in OF[name].sizes]
    assert f"| {line} | {' | '.join(means)} |" in RESULTS


@pytest.mark.parametrize(("name", "words"), PAIRS)
def test_a_row_of_the_differences(name: str, words: str) -> None:
    """In bold where Holm's correction over all differences of the experiment leaves its area below 5 %."""
    assert row(name, words) in RESULTS


def told(name: str, *words: str) -> set[str]:
    """Of these differences, or of all, those that are decided over all sizes."""
    return {one for one in words or OF[name].differences if areas_tested(name)[one].better is not None}


def test_what_is_said_of_waal() -> None:
    name = "waal/digits"
    training, query, margin = (area(*pair(name, one)) for one in list(OF[name].differences)[:3])
    assert told(name) == {
        "margin, supervised",
        "tuning, random images",
        "the same against tuned random sampling",
        "all of WAAL against margin",
    }
    words = f"{training.mean:.2f} points apart, interval {training.low:.2f} to {training.high:.2f}"
    assert f"its area over all sizes is {words}" in RESULTS
    assert f"{training.mean:.2f} points of area [{training.low:.2f}, {training.high:.2f}] apart" in page_of("waal")
    assert f"by {-query.mean:.2f} points, interval {query.low:.2f} to {query.high:.2f}, which the correction" in RESULTS
    assert f"behind random images by {-query.mean:.2f} [{query.low:.2f}, {query.high:.2f}], which" in page_of("waal")
    assert f"ahead of untuned random images by {margin.mean:.2f} points, decided" in RESULTS
    assert f"{margin.mean:.2f} points [{margin.low:.2f}, {margin.high:.2f}] above untuned ones" in page_of("waal")
    lines = (curves(name, OF[name].lines[line]) for line in ("margin", "random, tuned"))
    assert f"of tuned ones it is not told apart, {words_of(area(*lines))}" in RESULTS
    whole, beside = "the same, whole batches", "whole batches, random images"
    said = f"random sampling is {words_of(area(*pair(name, beside)))} of area apart from what it was, and WAAL "
    said += f"{words_of(area(*pair(name, whole)))} from it, p {probability(areas_tested(name)[whole].test.p)}, "
    assert f"{said}after the correction {probability(areas_tested(name)[whole].p)}." in RESULTS
    tuned = area(*pair(name, "the same against tuned random sampling"))
    assert f"{-tuned.mean:.2f} points behind it over ten seeds (decided after Holm" in page_of("waal")


def test_what_is_said_of_lines_of_one_training() -> None:
    """Before the first query: of one commit to the last bit, of two not always."""
    name, same = "waal/digits", {}
    for words in ("WAAL's query, its training", "margin, supervised"):
        methods = read_contrasts(name)[OF[name].differences[words]]
        for seed in SEEDS:
            (first, second) = (
                next(run for run in runs() if (run.choices["method"], run.seed) == (method, seed)) for method in methods
            )
            alike = first.cycles[0].metrics["accuracy"] == second.cycles[0].metrics["accuracy"]
            same[words, seed] = (first.cycles[0].commit == second.cycles[0].commit, alike)
        assert all(alike for (_, seed), (commit, alike) in same.items() if seed >= 6 and commit)
    assert all(alike for commit, alike in same.values() if commit) and not all(alike for _, alike in same.values())
    assert all(commit for (_, seed), (commit, _) in same.items() if seed >= 6)
    apart = [f"{at(name, words, 20).mean:.1f}" for words in ("WAAL's query, its training", "margin, supervised")]
    assert f'the {apart[0]} points of "WAAL\'s query" and the {apart[1]} of "margin, supervised"' in RESULTS


def test_what_is_said_of_mal() -> None:
    name = "mal/digits"
    longer, fair = "SSL-Random minus random, longer", "SSL-Random minus random, as long"
    assert told(name) == {longer, fair, "MAL minus random", "SL-Random minus random"}
    found = area(*pair(name, fair))
    said = f"behind by {-found.mean:.2f} [{-found.high:.2f}, {-found.low:.2f}]"
    assert f"Beside random sampling of no more steps than its own SSL-Random is {said}, decided too." in RESULTS
    assert f"beside random sampling of no more steps than its own is {said}, decided too" in page_of("mal")
    over = {words: area(*pair(name, words)) for words in OF[name].differences}
    ahead = [f"{over[words].mean:.2f}" for words in ("MAL minus random", "SL-Random minus random")]
    assert f"ahead of random sampling that is trained once, by {ahead[0]} and {ahead[1]} points" in RESULTS
    behind = f"{-over['SSL-Random minus random, longer'].mean:.2f}"
    assert f"SSL-Random by {behind}" in RESULTS and f"SSL-Random is {behind} points of area behind" in page_of("mal")
    longer = words_of(over["MAL minus random, longer"])
    assert f"MAL is not told apart from that, {longer}" in RESULTS and f"apart from that, {longer}" in page_of("mal")
    tuning = over["tuning: random, longer, tuned minus random, longer"]
    assert f"gains nothing here, {words_of(tuning)}" in RESULTS
    random, entropy, other = (one.mean for one in list(over.values())[:3])
    assert f"random images ({random:+.2f}) and with the discriminator's ({other:+.2f}), behind with the" in RESULTS
    assert f"behind with the entropy's ({entropy:+.2f})" in RESULTS
    alone = [
        -over[f"{one} minus SSL-Random"].mean
        for one in ("the entropy alone: SSL-Unc", "the discriminator alone: SSL-Div")
    ]
    assert f"the entropy by {alone[0]:.2f} points and the discriminator by {alone[1]:.2f}" in RESULTS
    both = over["D's part of the query: MAL minus SSL-Unc"].mean
    assert f"entropy alone by {both:.2f}." in RESULTS


def test_what_is_said_of_mals_query_by_size() -> None:
    name, words = "mal/digits", "MAL's query: MAL minus SSL-Random"
    whole, early, middle, late = area(*pair(name, words)), *(at(name, words, size).mean for size in (30, 60, 100))
    assert f"is {words_of(whole)} of area apart from random images: behind at 30 labels, by {-early:.1f}" in RESULTS
    assert f"ahead from 60 on ({middle:.1f} at 60, {late:.1f} at 100)" in RESULTS
    assert all(at(name, words, size).mean > 0 for size in range(60, 101, 10))
    assert f"{-early:.1f} points behind random images at 30 labels and {late:.1f} ahead at 100" in page_of("mal")
    entropy = at(name, "MAL minus SL-Unc", 100)
    assert f"{-entropy.mean:.1f} points above MAL (interval {-entropy.high:.1f} to {-entropy.low:.1f}," in RESULTS
    means = {line: fmean(curve[100] for curve in curves(name, one).values()) for line, one in MAL.lines.items()}
    assert max(means, key=means.__getitem__) == "SL-Unc"


def test_how_long_a_cycle_trains() -> None:
    steps = {
        line: next(run for run in runs() if run.choices["method"] == method).cycles[0].costs["fit"].optimizer_steps
        for line, method in MAL.lines.items()
    }
    assert (steps["random"], steps["SL-Random"], steps["SSL-Random"], steps["SL-Div"]) == (80, 160, 240, 240)
    assert steps["MAL"] == steps["random, longer"] == 320
    assert steps["random, as long as SSL-Random"] == steps["SSL-Random"]
    assert {steps[f"SSL-{query}"] - steps[f"SL-{query}"] for query in ("Random", "Unc", "Div")} == {80}
    assert (
        "takes 80 optimizer steps of random, 160 of SL-Random, 240 of SSL-Random and SL-Div and 320 of MAL" in RESULTS
    )


def even_and_smaller() -> tuple[Curves, Curves]:
    """Random sampling of MAL's lines whose epochs have batches of one size, and as it is."""
    even = {run.seed: accuracies_of(run) for run in kept_runs("digits-random+last_batch=even-seed=*")}
    assert sorted(even) == list(SEEDS)
    return even, curves("mal/digits", "mal/random")


def test_the_rows_of_the_last_batch() -> None:
    for name, line in zip(("even", "smaller"), even_and_smaller(), strict=True):
        means = [f"{fmean(line[seed][size] for seed in SEEDS):.1f}" for size in MAL.sizes]
        assert f"| {name} | {' | '.join(means)} |" in RESULTS
    images = [str(size % 16 or 16) for size in MAL.sizes]
    assert f"| images in it | {' | '.join(images)} |" in RESULTS


def test_what_is_said_of_the_last_batch() -> None:
    even, smaller = even_and_smaller()
    assert f"Even batches are {words_of(area(even, smaller))} points of area apart" in RESULTS
    found = {at: interval([even[seed][at] - smaller[seed][at] for seed in SEEDS]) for at in MAL.sizes}
    told = [at for at, one in found.items() if one is not None and (one.low > 0 or one.high < 0)]
    assert told == [20, 50, 100]
    for size in told:
        one = found[size]
        assert one is not None and f"{words_of(one, 1)} at {size}" in RESULTS
    more = [fmean(line[seed][50] - line[seed][40] for seed in SEEDS) for line in (smaller, even)]
    assert f"50 labels are worth {more[0]:.1f} points more than 40, with even ones {more[1]:.1f}" in RESULTS
