"""What is written of the parts of WAAL on Fashion-MNIST, computed anew from the stored cells."""

from functools import cache

import pytest
from kept_cells import RESULTS, ROOT, accuracies_of, apart, area, kept_runs, words_of

SIZES = (1000, 1500, 2000, 2500, 3000)
LINES = {
    "supervised, random images": "random+match_steps",
    "supervised, margin": "margin+match_steps",
    "supervised, WAAL's uncertainty term": "waal_uncertainty+match_steps",
    "adversarial training, random images": "random+waal",
    "adversarial training, margin": "margin+waal",
    "WAAL": "waal+waal",
}


@cache
def accuracies(line: str, seed: int) -> dict[int, float]:
    """In percent, by annotations, of the untuned line with the tie rule that is, as the paper has it."""
    (run,) = [
        run
        for run in kept_runs(f"fashion_mnist-waal-{line}-seed={seed}")
        if run.choices["preset"] == "as_paper"
        and run.config["learner"]["augmentation"] is None
        and run.identity["strategy"]["part"] != "strategy/waal@1"
    ]
    return accuracies_of(run)


def numbers(line: str, seed: int) -> list[str]:
    return [f"{accuracies(line, seed)[at]:.2f}" for at in SIZES]


@pytest.mark.parametrize("row", LINES)
def test_a_row_of_seed_0(row: str) -> None:
    assert f"| {row} | {' | '.join(numbers(LINES[row], 0))} |" in RESULTS


@pytest.mark.parametrize(
    ("row", "line"),
    [
        ("WAAL's uncertainty term, as many steps", "waal_uncertainty+match_steps"),
        ("adversarial training, random images", "random+waal"),
        ("adversarial training, margin", "margin+waal"),
    ],
)
def test_a_row_of_seed_1(row: str, line: str) -> None:
    assert f"| {row} (seed 1 alone) | {' | '.join(numbers(line, 1))} | |" in RESULTS


@pytest.mark.parametrize(
    ("row", "line"),
    [
        ("WAAL", "waal+waal"),
        ("random, as many steps", "random+match_steps"),
        ("margin, as many steps", "margin+match_steps"),
    ],
)
def test_a_row_of_two_more_seeds(row: str, line: str) -> None:
    both = zip(numbers(line, 1), numbers(line, 2), strict=True)
    assert f"| {row} | {' | '.join(', '.join(pair) for pair in both)} |" in RESULTS


def test_what_seed_1_says_of_the_parts() -> None:
    def less(first: str, second: str, sizes: tuple[int, ...] = SIZES) -> list[float]:
        return [round(accuracies(first, 1)[at] - accuracies(second, 1)[at], 2) for at in sizes]

    assert max(map(abs, less("random+waal", "random+match_steps"))) <= 0.4
    level, above = (less("margin+waal", "margin+match_steps", sizes) for sizes in (SIZES[:2], SIZES[2:]))
    assert max(map(abs, level)) < 0.1
    assert f"{min(above):.2f} to {max(above):.2f} above it from 2,000 on" in RESULTS
    of_random = [f"{one:+.2f}" for one in less("waal+waal", "random+waal", SIZES[1:])]
    assert f"WAAL's images give {', '.join(of_random[:3])} and {of_random[3]} points to random" in RESULTS
    of_margin = [f"{-one:.2f}" for one in less("waal+waal", "margin+waal", SIZES[1:])]
    assert f"{', '.join(of_margin[:3])} and {of_margin[3]} less than margin's" in RESULTS


def test_what_seed_1_says_of_the_uncertainty_term() -> None:
    of_random, of_margin = (
        [accuracies("waal_uncertainty+match_steps", 1)[at] - accuracies(f"{line}+match_steps", 1)[at] for at in SIZES]
        for line in ("random", "margin")
    )
    words = f"is {-min(of_random):.2f} behind random images to {max(of_random):.2f} ahead of them on this seed"
    later = [-one for one in of_margin[1:]]
    assert f"{words}, and {min(later):.2f} to {max(later):.2f} behind margin from 1,500 labels on" in RESULTS


def test_margin_is_ahead_at_equal_steps() -> None:
    margin, random, waal = (
        {seed: {at: accuracies(line, seed)[at] for at in SIZES} for seed in range(3)}
        for line in ("margin+match_steps", "random+match_steps", "waal+waal")
    )
    areas = [area(margin, other) for other in (random, waal)]
    ends = [apart(margin, other)[3000] for other in (random, waal)]
    assert all(one.low > 0 for one in [*areas, *ends])
    to_random, to_waal = map(words_of, areas)
    assert f"{to_random} of area to random images and {to_waal} to WAAL" in RESULTS
    page = " ".join((ROOT / "docs" / "papers" / "waal.md").read_text().split())
    assert f"supervised steps is {to_random} of area above random images and {to_waal} above WAAL" in page
    assert f"at 3,000 labels {words_of(ends[0])} and {words_of(ends[1])} (paired t" in RESULTS
