"""What is written of MAL on Tiny-ImageNet's twenty classes, computed anew from the stored cells."""

import itertools
from collections.abc import Sequence
from functools import cache
from statistics import fmean

import pytest
from kept_cells import MAL_DIFFERENCES, RESULTS, Curves, Differences, accuracies_of, area, kept_runs, page_of, words_of

from al_bench.analysis.reading import Run
from al_bench.report.paper.mal_query import auroc

SEEDS = range(3)
SIZES = (500, 1000, 1500, 2000, 2500)
LINES = {
    "random": "mal/random",
    "random, for as many steps as MAL": "mal/random_longer",
    "entropy": "mal/entropy",
    "core-set": "mal/coreset",
    "BALD, its network with dropout": "mal/bald",
    "VAAL": "mal/vaal",
    "SL-Random (features and prototypes first, on labels alone)": "mal/sl_random",
    "SL-Unc": "mal/sl_unc",
    "SL-Div": "mal/sl_div",
    "SSL-Random (with minimax entropy, random images)": "mal/ssl_random",
    "SSL-Unc": "mal/ssl_unc",
    "SSL-Div": "mal/ssl_div",
    "MAL": "mal/mal",
}
DIFFERENCES = {
    **MAL_DIFFERENCES,
    "core-set minus random": "core-set, supervised",
    "BALD minus random": "BALD and dropout, supervised",
    "SL-Unc minus SL-Random": "the prototypes' entropy, supervised",
    "SL-Div minus SL-Random": "the discriminator, supervised",
    "SSL-Unc minus SSL-Random": "the prototypes' entropy, minimax training",
    "SSL-Div minus SSL-Random": "the discriminator, minimax training",
    "MAL minus SSL-Unc": "the discriminator beside the entropy, minimax training",
    "MAL minus SSL-Div": "the entropy beside the discriminator, minimax training",
    "SSL-Unc minus SL-Unc": "minimax training, by the prototypes' entropy",
    "SSL-Div minus SL-Div": "minimax training, by the discriminator",
}


@cache
def runs() -> Sequence[Run]:
    return kept_runs("tiny_imagenet-mal-*")


@cache
def run_of(method: str, seed: int, precision: str = "bf16-mixed") -> Run:
    (run,) = [
        run for run in runs() if (run.choices["method"], run.seed, run.config["precision"]) == (method, seed, precision)
    ]
    return run


def curves(method: str) -> Curves:
    """In percent."""
    return {seed: accuracies_of(run_of(method, seed)) for seed in SEEDS}


TABLE = Differences("mal/tiny_imagenet", DIFFERENCES, curves)


@pytest.mark.parametrize("line", LINES)
def test_a_row_of_the_means(line: str) -> None:
    found = curves(LINES[line])
    means = [f"{fmean(found[seed][at] for seed in SEEDS):.1f}" for at in SIZES]
    assert f"| {line} | {' | '.join(means)} |" in RESULTS


@pytest.mark.parametrize("words", DIFFERENCES)
def test_a_row_of_the_differences(words: str) -> None:
    assert TABLE.row(words) in RESULTS


def test_none_is_decided() -> None:
    assert all(one.better is None for one in TABLE.tested.values())
    told = {words for words, one in TABLE.tested.items() if one.test.better is not None}
    ahead = {"minimax training: SSL-Random minus SL-Random", "SSL-Unc minus SL-Unc", "SSL-Div minus SL-Div"}
    whole = {"SSL-Random minus random", "MAL minus random", "MAL minus VAAL"}
    behind = {"VAAL's query: VAAL minus random", "SSL-Unc minus SSL-Random"}
    assert told == ahead | whole | behind, "before correction"
    assert all((area(*TABLE.pair(words)).mean > 0) == (words not in behind) for words in told)
    training, query, all_of_it = (
        area(*TABLE.pair(words))
        for words in (
            "minimax training: SSL-Random minus SL-Random",
            "MAL's query: MAL minus SSL-Random",
            "MAL minus random",
        )
    )
    assert (
        f"trained on labels alone, {words_of(training)}, and MAL of random sampling, {words_of(all_of_it)};" in RESULTS
    )
    assert f"and its mean is below them ({query.mean:.2f})" in RESULTS
    left, longer = (
        words_of(area(*TABLE.pair(words)))
        for words in ("MAL minus random, for as many steps", "random, for as many steps, minus random")
    )
    assert f"{left} of area is left of its lead, and these steps alone give random sampling {longer}" in RESULTS
    page = page_of("mal")
    assert f"for as many steps, {left}" in page
    ends = f"[{training.low:.2f}, {training.high:.2f}], and MAL's query is not told apart from random images"
    assert f"{training.mean:.2f} points of area ahead of training on labels alone {ends}, {words_of(query)}" in page


def test_what_steps_explain_of_minimax_training() -> None:
    whole, left = (
        words_of(area(*TABLE.pair(f"SSL-Random minus random{more}"))) for more in ("", ", for as many steps as MAL")
    )
    assert f"ahead of random sampling, {whole}, before correction; of random sampling for as many" in RESULTS
    assert f"it is not told apart, {left}." in RESULTS
    assert f"with random images is not told apart from that either, {left}." in page_of("mal")


def test_what_vaal_and_other_queries_do() -> None:
    against, query = (area(*TABLE.pair(words)) for words in ("MAL minus VAAL", "VAAL's query: VAAL minus random"))
    ends = f"{against.mean:.2f} [{against.low:.2f}, {against.high:.2f}]"
    behind = f"{-query.mean:.2f} [{-query.high:.2f}, {-query.low:.2f}]"
    assert f"MAL is ahead of VAAL by {ends} before it" in RESULTS
    assert f"which VAAL is {behind} behind" in RESULTS
    assert f"MAL is {ends} ahead of VAAL before correction" in page_of("mal")
    steps = words_of(area(curves("mal/random_longer"), curves("mal/vaal")))
    assert f"random sampling for as many steps as MAL's is {steps} ahead of VAAL" in RESULTS
    assert f"as MAL's leads it by {steps}." in page_of("mal")
    settings = run_of("mal/vaal", 0).config["strategy"]
    assert (settings["vae"]["width"], settings["iterations"]) == (32, 500)
    others = [
        f"{name} {words_of(area(*TABLE.pair(f'{name} minus random')))}" for name in ("entropy", "core-set", "BALD")
    ]
    assert f"ahead of random images: {', '.join(others)};" in RESULTS
    alone = [words_of(area(*TABLE.pair(f"{line} minus SL-Random"))) for line in ("SL-Unc", "SL-Div")]
    assert f"SL-Unc minus SL-Random {alone[0]}, SL-Div {alone[1]};" in RESULTS


def test_what_queries_add_to_minimax_training() -> None:
    found = {words: words_of(area(*TABLE.pair(words))) for words in DIFFERENCES}
    trained = [found[f"SSL-{query} minus SL-{query}"] for query in ("Unc", "Div")]
    assert f"of the prototypes' entropy by {trained[0]}, of the discriminator by {trained[1]}." in RESULTS
    unc, div = (found[f"SSL-{query} minus SSL-Random"] for query in ("Unc", "Div"))
    assert f"SSL-Div {div}, SSL-Unc {unc}, the latter behind before correction" in RESULTS
    assert f"SSL-Unc {unc}, SSL-Div {div}." in page_of("mal")
    assert f"MAL minus SSL-Unc {found['MAL minus SSL-Unc']}, minus SSL-Div {found['MAL minus SSL-Div']}." in RESULTS


def test_another_processor_is_another_draw() -> None:
    """With the initial labels the lines with minimax entropy are one model, on each of two processors."""
    first = {
        line: [curves(f"mal/{line}")[seed][500] for seed in SEEDS]
        for line in ("ssl_random", "mal", "ssl_unc", "ssl_div")
    }
    assert first["ssl_random"] == first["mal"]
    assert first["ssl_unc"] == first["ssl_div"]
    by = [one - other for one, other in zip(first["ssl_unc"], first["mal"], strict=True)]
    assert f"these two are {fmean(by):.1f} points above those, on one seed {max(map(abs, by)):.1f}" in RESULTS


def test_the_discriminator_gives_features_of_labels_other_flips() -> None:
    """With the initial labels nothing was queried: SL-Unc is SL-Random there, and SL-Div is not."""
    first = {line: [curves(f"mal/{line}")[seed][500] for seed in SEEDS] for line in ("sl_random", "sl_unc", "sl_div")}
    assert first["sl_random"] == first["sl_unc"] != first["sl_div"]
    means = [f"{fmean(first[line]):.1f} %" for line in ("sl_div", "sl_random")]
    assert f"({' and '.join(means)} with the initial labels)" in RESULTS


def test_how_long_lines_train() -> None:
    steps = {line: [one.costs["fit"].optimizer_steps for one in run_of(line, 0).cycles] for line in LINES.values()}
    assert steps["mal/random_longer"] == steps["mal/mal"]
    words = "with 500 labels random takes {} steps, SL-Random {}, SSL-Random {} and MAL {}"
    lines = ("mal/random", "mal/sl_random", "mal/ssl_random", "mal/mal")
    assert words.format(*(steps[line][0] for line in lines)) in RESULTS


def test_where_random_and_mal_begin_and_end() -> None:
    random, mal = (
        {at: fmean(curve[at] for curve in curves(line).values()) for at in SIZES} for line in ("mal/random", "mal/mal")
    )
    assert f"random gains {random[2500] - random[500]:.1f} points over its budgets" in RESULTS
    assert f"MAL is not ahead ({mal[500]:.1f} and {random[500]:.1f})" in RESULTS


def test_what_the_query_does() -> None:
    first = [count for seed in SEEDS for count in run_of("mal/mal", seed).cycles[0].class_counts]
    asked, apart_in = [], []
    shares: dict[str, list[float]] = {"by_entropy": [], "by_labeledness": []}
    for seed in SEEDS:
        cycles = run_of("mal/mal", seed).cycles
        for before, cycle in itertools.pairwise(cycles):
            asked += [now - was for now, was in zip(cycle.class_counts, before.class_counts, strict=True)]
            apart_in.append(auroc(cycle.trace["labeledness_of_labeled"], cycle.trace["labeledness_of_pool"]))
            for name, found in shares.items():
                found.append(fmean(cycle.trace[name]))
    spans = [f"{100 * min(found):.0f} to {100 * max(found):.0f} %" for found in (*shares.values(), apart_in)]
    assert len(apart_in) == 12
    assert f"the entropy alone would have asked for {spans[0]}, the discriminator alone for {spans[1]}" in RESULTS
    assert (
        f"is above an unlabeled one's in {spans[2]} of pairs (its AUROC): it tells them apart by having seen" in RESULTS
    )
    words = f"A query asks for {min(asked)} to {max(asked)} images of a class, where the first draws of 500 have"
    assert f"{words} {min(first)} to {max(first)}." in RESULTS


def test_float32_is_another_draw() -> None:
    before = {
        run.choices["method"] if run.choices["method"] != "none" else "mal/random": accuracies_of(run)
        for run in runs()
        if run.config["precision"] == "32-true" and len(run.cycles) == len(SIZES)
    }
    lines = [line for line in LINES.values() if line in before]
    assert lines == ["mal/random", "mal/entropy", "mal/sl_random", "mal/ssl_random", "mal/mal"]
    farthest = max((abs(curves(line)[0][at] - before[line][at]), line, at) for line in lines for at in SIZES)
    assert f"were within {farthest[0]:.1f} points of these at every size" in RESULTS
    now, was = curves(farthest[1])[0][farthest[2]], before[farthest[1]][farthest[2]]
    assert f"({now:.1f} and {was:.1f} of SSL-Random at {farthest[2]:,} labels are the farthest)" in RESULTS


def test_what_every_label_gives() -> None:
    ends = [accuracies_of(run_of("mal/full", seed))[10_000] for seed in SEEDS]
    span = f"{min(ends):.1f} to {max(ends):.1f}"
    alone = [run for run in runs() if len(run.cycles) == 1 and run.config["precision"] == "32-true"]
    (before,) = (accuracies_of(run)[10_000] for run in alone)
    words = f"All 10,000 labels give {fmean(ends):.1f} % (three seeds, {span}; seed 0 in float32 {before:.1f})."
    assert words in RESULTS
