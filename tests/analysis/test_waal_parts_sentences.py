"""What is written of the parts of WAAL on Fashion-MNIST, computed anew from the stored cells."""

import itertools
from collections import Counter
from collections.abc import Sequence
from functools import cache
from statistics import fmean

import numpy as np
import pytest
from kept_cells import (
    RESULTS,
    accuracies_of,
    apart,
    area,
    areas_of,
    compare_areas,
    correct_areas,
    kept_runs,
    page_of,
    words_of,
)

from al_bench.analysis.contrast import right_images
from al_bench.analysis.reading import Run
from al_bench.analysis.statistics.areas import area_under_curve
from al_bench.analysis.statistics.correction import CorrectedTest
from al_bench.analysis.statistics.paired import interval

SIZES = (1000, 1500, 2000, 2500, 3000)
END = 6000  # of two lines
SIZES_OF_CODE = (1000, 2000, 3000)
SEEDS = range(3)
PRESETS = ("as_paper", "as_code")
LINES = {
    "supervised, random images": "random+match_steps",
    "supervised, margin": "margin+match_steps",
    "supervised, WAAL's uncertainty term": "waal_uncertainty+match_steps",
    "adversarial training, random images": "random+waal",
    "adversarial training, margin": "margin+waal",
    "WAAL": "waal+waal",
}
CODE = "WAAL, the authors' code"
PARTS = {
    "adversarial training less supervised, random images": ("random+waal", "random+match_steps"),
    "adversarial training less supervised, margin": ("margin+waal", "margin+match_steps"),
    "WAAL's query less random images, adversarial training": ("waal+waal", "random+waal"),
    "WAAL's query less margin, adversarial training": ("waal+waal", "margin+waal"),
    "WAAL's uncertainty term less random images, supervised": ("waal_uncertainty+match_steps", "random+match_steps"),
    "margin less random images, supervised": ("margin+match_steps", "random+match_steps"),
    "all of WAAL less random images, supervised": ("waal+waal", "random+match_steps"),
    "all of WAAL less margin, supervised": ("waal+waal", "margin+match_steps"),
}


@cache
def run_of(line: str, seed: int, preset: str = "as_paper") -> Run:
    """Of the untuned line with the tie rule that is."""
    (run,) = [
        run
        for run in kept_runs(f"fashion_mnist-waal-{line}-seed={seed}")
        if run.choices["preset"] == preset
        and run.config["learner"]["augmentation"] is None
        and run.identity["strategy"]["part"] != "strategy/waal@1"
    ]
    return run


def accuracies(line: str, seed: int, preset: str = "as_paper") -> dict[int, float]:
    """In percent, by annotations."""
    return accuracies_of(run_of(line, seed, preset))


def numbers(line: str, seed: int) -> list[str]:
    return [f"{accuracies(line, seed)[at]:.2f}" for at in SIZES]


def of_code(seeds: Sequence[int]) -> list[str]:
    return [", ".join(f"{accuracies('waal+waal', one, 'as_code')[at]:.2f}" for one in seeds) for at in SIZES_OF_CODE]


@pytest.mark.parametrize("row", LINES)
def test_a_row_of_seed_0(row: str) -> None:
    assert f"| {row} | {' | '.join(numbers(LINES[row], 0))} |" in RESULTS


@pytest.mark.parametrize("row", LINES)
def test_a_row_of_two_more_seeds(row: str) -> None:
    both = zip(numbers(LINES[row], 1), numbers(LINES[row], 2), strict=True)
    assert f"| {row} | {' | '.join(', '.join(pair) for pair in both)} |" in RESULTS


def test_the_rows_of_the_authors_code() -> None:
    """It asks for 1,000 labels a query."""
    own = "(1,000 labels a query, 10,000 more images in the pool)"
    for name, seeds in ((f"{CODE} {own}", [0]), (CODE, [1, 2])):
        first, second, third = of_code(seeds)
        assert f"| {name} | {first} | | {second} | | {third} |" in RESULTS


def test_what_seed_0_says_of_the_parts() -> None:
    def less(first: str, second: str) -> list[float]:
        return [round(accuracies(first, 0)[at] - accuracies(second, 0)[at], 2) for at in SIZES]

    assert (
        f"within {max(map(abs, less('random+waal', 'random+match_steps'))):.2f} points of it at every size" in RESULTS
    )
    first, early, *later = less("margin+waal", "margin+match_steps")
    assert max(map(abs, [first, *later])) <= 0.5 and f"at 1,500 labels ({early:.2f} [" in RESULTS
    of_random, of_margin = (
        [f"{-one:.2f}" for one in less("waal+waal", line)[1:]] for line in ("random+waal", "margin+waal")
    )
    assert f"WAAL's images give {', '.join(of_random[:3])} and {of_random[3]} points less than random ones" in RESULTS
    assert f"{', '.join(of_margin[:3])} and {of_margin[3]} less than margin's" in RESULTS
    behind = [-one for one in less("waal_uncertainty+match_steps", "random+match_steps")[1:]]
    assert f"random images too, by {min(behind):.2f} to {max(behind):.2f}" in RESULTS


def test_what_the_authors_code_is_behind() -> None:
    apart = []
    for at in SIZES_OF_CODE:
        found = interval(
            [accuracies("waal+waal", one, "as_code")[at] - accuracies("waal+waal", one)[at] for one in SEEDS]
        )
        assert found is not None and (found.low < 0 < found.high) == (at != 2000) and found.mean < 0
        apart.append(words_of(found))
    assert f"{apart[0]} at 1,000 labels, {apart[1]} at 2,000 and {apart[2]} at 3,000, of which one interval" in RESULTS
    first = {preset: run_of("waal+waal", 0, preset).cycles[0].costs["fit"].optimizer_steps // 2 for preset in PRESETS}
    steps = f"{first['as_code']:,} steps at 1,000 labels for {first['as_paper']:,}"
    assert f"so {steps}, and as many of the critic" in RESULTS


def test_five_trainings_ended_early() -> None:
    """Of a size all trainings of one learner take as many steps otherwise."""
    trained = {
        (line, seed, cycle.annotations): cycle.costs["fit"].optimizer_steps
        for line, seed in itertools.product(LINES.values(), SEEDS)
        for cycle in run_of(line, seed).cycles
        if cycle.annotations in SIZES
    }
    whole: Counter[tuple[bool, int]] = Counter()
    for (line, _, at), steps in trained.items():
        whole[line.endswith("waal"), at] = max(steps, whole[line.endswith("waal"), at])
    epochs = {key: round(80 * steps / whole[key[0].endswith("waal"), key[2]]) for key, steps in trained.items()}
    assert len(trained) == 90
    assert {key: count for key, count in epochs.items() if count != 80} == {
        ("margin+waal", 0, 1500): 70,
        ("random+waal", 0, 3000): 75,
        ("random+waal", 1, 1500): 60,
        ("waal+waal", 2, 2500): 75,
        ("waal_uncertainty+match_steps", 1, 1000): 65,
    }
    assert "five of the 90 trainings ended early, after 60 to 75 of 80 epochs" in RESULTS


def test_what_the_critic_says() -> None:
    """By the means over each query: of what it chose from, of what is labeled and of what it chose."""
    said = {}
    for preset in PRESETS:
        cycles = [cycle for seed in SEEDS for cycle in run_of("waal+waal", seed, preset).cycles]
        queries = [cycle.trace for cycle in cycles if cycle.trace and cycle.annotations in SIZES]
        said[preset] = [
            [fmean(trace[name]) for trace in queries] for name in ("critic_of_pool", "critic_of_labeled", "critic")
        ]
    pool, labeled, chosen = said["as_paper"]
    spans = [f"{min(means):.2f} to {max(means):.2f}" for means in (pool, labeled, chosen)]
    lower = sum(one < other for one, other in zip(chosen, pool, strict=True))
    words = f"{spans[0]} in the pool, {spans[1]} of what is labeled and {spans[2]} of what is chosen"
    assert (
        f"{words}: in {lower} of {len(pool)} queries lower than in the pool, where the term asks for higher" in RESULTS
    )
    pool, _, chosen = said["as_code"]
    assert f"at least {min(pool):.4f} in the pool and {min(chosen):.4f} in what is chosen" in RESULTS


def test_how_many_picks_the_uncertainty_alone_would_have_made() -> None:
    told: dict[int, list[float]] = {}
    for seed, preset in itertools.product(SEEDS, PRESETS):
        for cycle in run_of("waal+waal", seed, preset).cycles:
            if "by_uncertainty" in cycle.trace and cycle.annotations in SIZES:
                told.setdefault(seed, []).append(100 * fmean(cycle.trace["by_uncertainty"]))
    assert list(told) == [1], "the one whose cell records it"
    first, second, third, last = (f"{share:.1f}" for share in told[1])
    assert f"made {first}, {second}, {third} and {last} % of the 500 picks at 1,500 to 3,000 labels." in RESULTS
    page = page_of("waal")
    assert f"would have made {min(told[1]):.1f} to {max(told[1]):.1f} % of the picks of seed 1" in page


def over_images(first: str, second: str, at: int = 3000, seeds: Sequence[int] = SEEDS, preset: str = "as_paper") -> str:
    """The mean difference with its interval over test images. preset: of the first line."""
    by_image = []
    for seed in seeds:
        both = run_of(first, seed, preset), run_of(second, seed)
        cycles = [next(cycle for cycle in run.cycles if cycle.annotations == at) for run in both]
        one, other = (right_images(run, cycle) for run, cycle in zip(both, cycles, strict=True))
        assert one is not None and other is not None
        by_image.append(100.0 * (one.astype(int) - other))
    found = interval(np.mean(by_image, axis=0))
    assert found is not None
    return words_of(found)


def test_what_the_models_say_over_test_images() -> None:
    random, margin, waal = "random+match_steps", "margin+match_steps", "waal+waal"
    training = over_images("random+waal", random), over_images("margin+waal", margin)
    whole, term, queries = (over_images(line, random) for line in (waal, "waal_uncertainty+match_steps", margin))
    assert f"less supervised {training[0]} on random images and {training[1]} by margin, all of WAAL" in RESULTS
    assert f"all of WAAL less random images {whole}, the uncertainty term less random images {term}" in RESULTS
    assert f"margin less random images {queries}, all of WAAL less margin {over_images(waal, margin)}" in RESULTS
    by_query = (
        f"less random images {over_images(waal, 'random+waal')} and less margin {over_images(waal, 'margin+waal')}"
    )
    code = over_images(waal, waal, preset="as_code")
    assert f"WAAL's query {by_query}; the authors' code less the text {code}" in RESULTS


def test_what_seed_0_says_over_test_images() -> None:
    def alone(first: str, second: str, at: int, preset: str = "as_paper") -> str:
        return over_images(first, second, at, [0], preset)

    said = {at: alone("waal+waal", "waal+waal", at, "as_code") for at in SIZES_OF_CODE}
    behind = [words.replace("-", "").split(" [")[0] for words in said.values()]
    assert said[1000] == "-1.89 [-2.60, -1.18]" and f"by {behind[0]} [1.18, 2.60] on other" in RESULTS
    assert f"at 2,000 and 3,000 by {behind[1]} and {behind[2]}, whose intervals have 0 in them" in RESULTS
    assert all(", -" not in said[at] for at in SIZES_OF_CODE[1:])
    for words in (
        alone("margin+waal", "margin+match_steps", 1500),
        alone("waal+waal", "random+waal", 3000),
        alone("waal+waal", "margin+waal", 3000),
    ):
        assert words in RESULTS


def test_its_query_is_behind_margin_on_every_seed() -> None:
    waal = areas_by_seed("waal+waal")
    for line in ("margin+waal", "margin+match_steps"):
        assert all(waal[seed] < at for seed, at in areas_by_seed(line).items())


def test_the_step_matched_row_and_what_tuning_is_behind() -> None:
    matched = accuracies("random+match_steps", 0)
    row = " | ".join(f"{matched[at]:.2f}" for at in range(1000, 6001, 1000))
    assert f"| random, step-matched | {row} |" in RESULTS
    (before,) = [
        run
        for run in kept_runs("fashion_mnist-waal-waal+waal-seed=0")
        if run.identity["strategy"]["part"] == "strategy/waal@1"
    ]
    ahead = [size for size, value in accuracies_of(before).items() if matched[size] > value]
    assert len(ahead) == 10 and 1000 not in ahead, "more at each of the other ten sizes"
    (tuned,) = [
        accuracies_of(run)
        for run in kept_runs("fashion_mnist-waal-random+match_steps-seed=0")
        if run.config["learner"]["augmentation"] is not None
    ]
    behind = [matched[at] - tuned[at] for at in SIZES[1:]]
    said = ", ".join(f"{matched[at]:.2f}" for at in SIZES[1:])
    assert f"and {min(behind):.1f} to {max(behind):.1f} points less from 1,500 on ({said})" in RESULTS
    whole = area_under_curve(SIZES, [matched[at] - tuned[at] for at in SIZES])
    waal = [
        area_under_curve(SIZES, [accuracies("waal+waal", 0)[at] - line[at] for at in SIZES])
        for line in (tuned, matched)
    ]
    assert f"the tuned line is {whole:.2f} of area behind the untuned one" in RESULTS
    assert f"WAAL's area is {waal[0]:+.2f} against it and {waal[1]:+.2f} against the untuned line" in RESULTS
    page = page_of("waal")
    assert f"is itself {whole:.2f} of area behind" in page
    assert f"WAAL is {waal[0]:+.2f} against it, {waal[1]:+.2f} against the untuned" in page


def by_seed(line: str) -> dict[int, dict[int, float]]:
    return {seed: {at: accuracies(line, seed)[at] for at in SIZES} for seed in SEEDS}


def areas_by_seed(line: str) -> dict[int, float]:
    return areas_of(by_seed(line))


@cache
def compare_parts() -> dict[str, CorrectedTest]:
    """Of the area under the curve, over the three seeds, among each other."""
    return correct_areas({part: (by_seed(first), by_seed(second)) for part, (first, second) in PARTS.items()})


@pytest.mark.parametrize("part", PARTS)
def test_a_difference_over_three_seeds(part: str) -> None:
    one = compare_parts()[part]
    words = words_of(area(*map(by_seed, PARTS[part])))
    assert one.test.p is not None and one.p is not None
    assert f"| {part} | {words} | {one.test.p:.3f}, {one.p:.2f} |" in RESULTS


def test_margin_is_ahead_at_equal_steps() -> None:
    margin, random, waal = map(by_seed, ("margin+match_steps", "random+match_steps", "waal+waal"))
    areas = [area(margin, other) for other in (random, waal)]
    ends = [apart(margin, other)[3000] for other in (random, waal)]
    assert all(one.low > 0 for one in [*areas, ends[1]]) and ends[0].low < 0
    to_random, to_waal = map(words_of, areas)
    assert f"{to_random} of area to random images and {to_waal} to WAAL" in RESULTS
    page = page_of("waal")
    assert f"supervised steps is {to_random} of area above random images and {to_waal} above WAAL" in page
    training = area(by_seed("random+waal"), random)
    words = f"training is {training.mean:.2f} points of area [{training.low:.2f}, {training.high:.2f}] apart"
    assert words in page
    assert f"its area is within {max(map(abs, (training.low, training.high))):.2f} points of supervised" in RESULTS
    assert f"by its own training {words_of(area(waal, by_seed('margin+waal')))};" in page
    assert f"at 3,000 labels {words_of(ends[0])} and {words_of(ends[1])} (paired t" in RESULTS


def to_the_end(line: str) -> dict[int, dict[int, float]]:
    return {seed: {at: accuracies(line, seed)[at] for at in range(1000, END + 1, 500)} for seed in SEEDS}


@pytest.mark.parametrize("row", ["supervised, random images", "WAAL"])
def test_a_row_to_6000_labels(row: str) -> None:
    values = to_the_end(LINES[row])
    cells = [", ".join(f"{values[seed][at]:.2f}" for seed in SEEDS) for at in range(3500, END + 1, 500)]
    assert f"| {row} | {' | '.join(cells)} |" in RESULTS


def test_what_waal_is_beside_as_many_steps_beyond_half_of_the_budget() -> None:
    waal, matched = map(to_the_end, ("waal+waal", "random+match_steps"))
    words = f"{words_of(area(waal, matched))} of area from 1,000 to {END:,} labels"
    assert f"{words} (p {compare_areas(waal, matched).p:.2f} alone)" in RESULTS
    assert words in page_of("waal")
    areas = [areas_of(waal)[seed] - areas_of(matched)[seed] for seed in SEEDS]
    assert f"By seed it is {areas[0]:.2f}, {areas[1]:.2f} and {areas[2]:.2f}" in RESULTS
    ours, others = (fmean(one[seed][END] for seed in SEEDS) for one in (waal, matched))
    ends = [waal[seed][END] - matched[seed][END] for seed in SEEDS]
    said = f"{words_of(apart(waal, matched)[END])}, by seed {ends[0]:.2f}, {ends[1]:.2f} and {ends[2]:+.2f}"
    assert f"WAAL has {ours:.2f} beside the paper's 85.99, and random sampling {others:.2f}: {said}" in RESULTS


def test_the_query_times() -> None:
    (run,) = kept_runs("fashion_mnist-waal-query_time-seed=0")
    assert run.measurement is not None
    ratios = {name.removesuffix("_ratio"): value for name, value in run.measurement.metrics.items()}
    first = [f"{words} {ratios[name]:.2f} (" for words, name in (
        ("margin", "margin"), ("least confidence", "least_confidence"), ("entropy", "entropy"), ("core-set", "coreset"),
    )]  # fmt: skip
    later = [f"k-means {ratios['kmeans']:.1f} and", *(f"{words} {ratios[name]:.1f} (" for words, name in (
        ("k-median", "k_median"), ("DBAL", "mc_entropy"), ("DeepFool", "deepfool"),
    ))]  # fmt: skip
    assert all(words in RESULTS for words in (*first, *later))
    assert max(ratios, key=lambda name: ratios[name]) == "k_median" and ratios["coreset"] < ratios["mc_entropy"]
    table = run.measurement.tables["query_time"]
    unit = next(row for row in table["rows"] if row[0] == "waal")
    assert f"WAAL's {unit[table['columns'].index('seconds')]:.2f} s as the unit" in RESULTS
