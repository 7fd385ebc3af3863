"""What is written of ADBA on MNIST two, computed anew from the stored cells."""

from statistics import mean

import pytest
from kept_cells import RESULTS, apart, area, words_of
from mnist_two_cells import curves

POINTS = curves("adba+boundary+latent", "boundary")
LINES = curves("adba+boundary+latent", "labels")
RANDOM = curves("random+boundary+latent")
UNCERTAIN = curves("min_distance+boundary+latent")
ROWS = {
    "adba, boundary points | ADBA's": POINTS,
    "adba, eleven labels a line | ADBA's": LINES,
    "random, on latents | ADBA's": RANDOM,
    "min_distance, on latents | ADBA's": UNCERTAIN,
    "random, on latents | as elsewhere": curves("random+latent"),
    "min_distance, on latents | as elsewhere, hinge": curves("min_distance+hinge+latent"),
    "random, on images | as elsewhere": curves("random"),
}


@pytest.mark.parametrize("row", ROWS)
def test_a_row(row: str) -> None:
    of = ROWS[row].values()
    assert len(of) == 5
    means = [f"{mean(one[at] for one in of):.2f}" for at in (50, 100, 200, 300, 400, 500)]
    assert f"| {row} | {' | '.join(means)} |" in RESULTS


def test_all_labels_are_worth_less_on_latents_than_on_images() -> None:
    latents, images = (
        f"{mean(accuracy for one in curves(line).values() for accuracy in one.values()):.2f}"
        for line in ("full+latent", "full")
    )
    assert f"a linear classifier has {latents} on them and {images} on images" in RESULTS


def test_it_is_worse_than_random_sampling_on_images() -> None:
    found = [words_of(area(one, curves("random"))) for one in (POINTS, LINES)]
    assert f"{' and '.join(found)} of area to random sampling on images" in RESULTS


def test_it_is_behind_random_sampling_with_its_learner() -> None:
    points, at_end = area(POINTS, RANDOM), apart(POINTS, RANDOM)[500]
    assert points.high < 0 and at_end.high < 0
    words = f"boundary points less random is {words_of(points)} of area and {words_of(at_end)} at 500 labels"
    assert f"{words}, eleven labels a line less random {words_of(area(LINES, RANDOM))}" in RESULTS


def test_it_is_behind_uncertainty_sampling_and_looks_level_with_that_of_another_learner() -> None:
    found = area(UNCERTAIN, POINTS)
    assert f"is ahead of boundary points by {words_of(found).lstrip('+')}" in RESULTS
    other = area(POINTS, curves("min_distance+hinge+latent"))
    assert other.low < 0 < other.high and f"it would have looked level ({words_of(other)})" in RESULTS


def test_what_a_boundary_point_is_worth() -> None:
    words = words_of(area(POINTS, LINES)).lstrip("+")
    assert f"The point where the labels flip is worth more than all eleven labels ({words} of area)" in RESULTS
