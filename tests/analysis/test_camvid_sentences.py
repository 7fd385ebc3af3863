"""What is written of MAL on CamVid, computed anew from the stored cells."""

from collections.abc import Sequence
from functools import cache
from statistics import fmean

import pytest
from kept_cells import MAL_DIFFERENCES, RESULTS, Curves, Differences, area, kept_runs, page_of, words_of

from al_bench.analysis.published import read_published
from al_bench.analysis.reading import Run
from al_bench.dataset.camvid import SOURCE
from al_bench.report.paper.mal_query import auroc

SEEDS = range(3)
SIZES = (37, 55, 73, 91, 109)
LINES = {
    "random": "mal/random",
    "random, for as many steps as MAL": "mal/random_longer",
    "entropy": "mal/entropy",
    "VAAL": "mal/vaal",
    "SL-Random (features and prototypes first, on labels alone)": "mal/sl_random",
    "SSL-Random (with minimax entropy, random pictures)": "mal/ssl_random",
    "MAL": "mal/mal",
}


@cache
def runs() -> Sequence[Run]:
    found = kept_runs("camvid-mal-*")
    assert len(found) == len(SEEDS) * (len(LINES) + 1)
    return found


@cache
def run_of(method: str, seed: int) -> Run:
    (run,) = [run for run in runs() if (run.choices["method"], run.seed) == (method, seed)]
    return run


def curves(method: str) -> Curves:
    """Mean intersection over union in percent."""
    found = {
        seed: {one.annotations: 100 * float(one.metrics["mean_iou"]) for one in run_of(method, seed).cycles}
        for seed in SEEDS
    }
    assert {tuple(curve) for curve in found.values()} == {SIZES}
    return found


def means(method: str) -> list[float]:
    found = curves(method)
    return [fmean(found[seed][at] for seed in SEEDS) for at in SIZES]


TABLE = Differences("mal/camvid", MAL_DIFFERENCES, curves)


def class_iou(method: str) -> dict[str, float]:
    """Of each class in percent with all annotations, mean over seeds."""
    found = [run_of(method, seed).cycles[-1].metrics["iou"] for seed in SEEDS]
    return dict(zip(SOURCE.class_names, (100 * fmean(one) for one in zip(*found, strict=True)), strict=True))


@pytest.mark.parametrize("line", LINES)
def test_a_row_of_the_means(line: str) -> None:
    assert f"| {line} | {' | '.join(f'{value:.1f}' for value in means(LINES[line]))} |" in RESULTS


@pytest.mark.parametrize("words", MAL_DIFFERENCES)
def test_a_row_of_the_differences(words: str) -> None:
    assert TABLE.row(words) in RESULTS


def found(words: str) -> str:
    return words_of(area(*TABLE.pair(words)))


def test_none_is_decided() -> None:
    assert all(one.better is None for one in TABLE.tested.values())
    told = {words for words, one in TABLE.tested.items() if one.test.better is not None}
    mal = {"MAL minus random", "MAL minus random, for as many steps", "MAL minus VAAL"}
    minimax = {words for words in MAL_DIFFERENCES if "SSL-Random minus" in words}
    assert told == {*mal, *minimax, "entropy minus random"}, "before correction"
    assert all(area(*TABLE.pair(words)).mean > 0 for words in told)
    nearest = sorted(MAL_DIFFERENCES, key=lambda words: TABLE.tested[words].p or 0)[:2]
    assert set(nearest) == {"MAL minus random", "MAL minus random, for as many steps"}
    after = {f"{TABLE.tested[words].p:.2f}" for words in nearest}
    assert f"of random sampling for as many steps, {found(nearest[1])} (both {after.pop()} after it)." in RESULTS
    assert not after


def test_whether_training_or_query_does_it() -> None:
    training = found("minimax training: SSL-Random minus SL-Random")
    longer = found("SSL-Random minus random, for as many steps as MAL")
    query, steps = found("MAL's query: MAL minus SSL-Random"), found("random, for as many steps, minus random")
    assert f"SSL-Random is ahead of SL-Random, {training}, and of random sampling for as many steps" in RESULTS
    assert f"as MAL's, {longer}; MAL's query is not told apart from random pictures, {query}." in RESULTS
    assert f"Steps alone give random sampling {steps}." in RESULTS
    whole = found("MAL minus random, for as many steps")
    assert f"ahead of random sampling for as many steps, {whole}, by its training ({training} over" in page_of("mal")
    assert f"SL-Random); its query is not told apart from random pictures ({query} over SSL-Random)" in page_of("mal")


def test_what_vaal_and_entropy_do() -> None:
    assert f"MAL is {found('MAL minus VAAL')} beside VAAL before correction" in RESULTS
    query = found("VAAL's query: VAAL minus random")
    assert f"is not told apart from random pictures, {query}; entropy is {found('entropy minus random')}" in RESULTS


def test_what_random_sampling_and_every_label_give() -> None:
    whole = [100 * float(run_of("mal/full", seed).cycles[0].metrics["mean_iou"]) for seed in SEEDS]
    span = f"{min(whole):.1f} to {max(whole):.1f}"
    assert f"All 367 pictures give {fmean(whole):.1f} % (three seeds, {span})." in RESULTS
    random = means("mal/random")
    gains = f"Random gains {random[-1] - random[0]:.1f} points over its budgets and full supervision"
    assert f"{gains} {fmean(whole) - random[0]:.1f}:" in RESULTS
    seen = class_iou("mal/random")
    told = ", ".join(f"{seen[name]:.0f}" for name in ("road", "sky"))
    assert f"Road, sky and building are found ({told} and {seen['building']:.0f} % by random)" in RESULTS
    most = max(class_iou(line)[name] for line in LINES.values() for name in ("pole", "sign", "bicyclist"))
    assert f"pole, sign and bicyclist hardly (no line reaches {most + 0.05:.1f} %)" in RESULTS


def test_what_the_query_does() -> None:
    cycles = [cycle for seed in SEEDS for cycle in run_of("mal/mal", seed).cycles[1:]]
    spans = []
    for name in ("by_entropy", "by_labeledness"):
        shares = [100 * fmean(cycle.trace[name]) for cycle in cycles]
        spans.append(f"{min(shares):.0f} to {max(shares):.0f} %")
    apart_in = [
        100 * auroc(cycle.trace["labeledness_of_labeled"], cycle.trace["labeledness_of_pool"]) for cycle in cycles
    ]
    words = f"the entropy alone would have asked for {spans[0]}, the discriminator alone for {spans[1]}, in each of"
    assert words in RESULTS
    assert f"twelve queries; D's AUROC is {min(apart_in):.0f} to {max(apart_in):.0f} %." in RESULTS


def test_what_is_said_of_the_papers_tables() -> None:
    published = {table.name: table for table in read_published([])}
    numbers = {
        name: {(one.row, one.column): one.mean for one in published[f"mal/{name}"].numbers if not one.doubt}
        for name in ("ablation_imagenet", "ablation_bdd100k")
    }

    def less(name: str, first: str, second: str) -> list[float]:
        own = numbers[name]
        columns = [column for row, column in own if row == first and (second, column) in own]
        return [own[first, column] - own[second, column] for column in columns]

    behind = [-one for one in less("ablation_bdd100k", "mal/sl_random", "mal/random")]
    assert f"the other way round ({min(behind):.1f} to {max(behind):.1f} below, its doubtful cell left out)" in RESULTS
    assert f"SL-Random is {found('SL-Random minus random')} beside random" in RESULTS
    ahead = [one for name in numbers for one in less(name, "mal/mal", "mal/ssl_random")]
    assert f"which is {min(ahead):.1f} to {max(ahead):.1f} points above SSL-Random in Tables 7 and 8" in RESULTS
    assert all(one > 0 for name in numbers for one in less(name, "mal/ssl_random", "mal/sl_random"))
    ours = [one - other for one, other in zip(means("mal/ssl_random"), means("mal/sl_random"), strict=True)]
    assert (
        f"SSL-Random is {min(ours):.1f} to {max(ours):.1f} points above SL-Random at each of the five sizes" in RESULTS
    )
    query = [one - other for one, other in zip(means("mal/mal"), means("mal/ssl_random"), strict=True)]
    assert query[0] == 0 and sum(one > 0 for one in query) == sum(one < 0 for one in query) == 2
    assert "is above it at two sizes here and below it at two" in RESULTS
