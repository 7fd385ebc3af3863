"""What is written of ADBA on MNIST two, computed anew from the stored cells."""

from statistics import mean

import pytest
from kept_cells import RESULTS, area, page_of, words_of
from mnist_two_cells import curves, runs_of

POINTS = curves("adba+boundary+latent", "boundary")
LINES = curves("adba+boundary+latent", "labels")
PADDED = curves("adba+boundary+latent", "boundary, padded")
RANDOM = curves("random+boundary+latent", "labels")
UNCERTAIN = curves("min_distance+boundary+latent", "labels")
RANDOM_L2 = curves("random+boundary+latent", "labels, joint")
UNCERTAIN_L2 = curves("min_distance+boundary+latent", "labels, joint")
ROWS = {
    "adba, boundary points | ADBA's": POINTS,
    "adba, boundary points, sets padded as in its code | ADBA's": PADDED,
    "adba, eleven labels a line | ADBA's, hinge loss alone": LINES,
    "random, on latents | ADBA's, hinge loss alone": RANDOM,
    "min_distance, on latents | ADBA's, hinge loss alone": UNCERTAIN,
    "random, on latents | ADBA's, with its L2": RANDOM_L2,
    "min_distance, on latents | ADBA's, with its L2": UNCERTAIN_L2,
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


def test_eleven_labels_a_line_are_behind_random_images_by_the_same_objective() -> None:
    found = area(LINES, RANDOM)
    assert found.high < 0 and f"eleven labels a line less random images by the hinge loss {words_of(found)}" in RESULTS


def test_with_the_same_objective_boundary_points_are_told_apart_from_nothing() -> None:
    to_random, to_uncertain = area(POINTS, RANDOM_L2), area(POINTS, UNCERTAIN_L2)
    assert to_random.low < 0 < to_random.high and to_uncertain.low < 0 < to_uncertain.high
    words = f"less random images {words_of(to_random)} of area, less uncertainty sampling {words_of(to_uncertain)}"
    assert words in RESULTS
    assert f"by {words_of(to_random)} of area" in page_of("asal")


def test_what_the_l2_costs() -> None:
    random, uncertain = area(RANDOM_L2, RANDOM), area(UNCERTAIN_L2, UNCERTAIN)
    assert random.high < 0 and uncertain.high < 0
    assert f"random images {words_of(random)} and uncertainty sampling {words_of(uncertain)} of area" in RESULTS
    other = [words_of(area(one, POINTS)).lstrip("+") for one in (RANDOM, UNCERTAIN)]
    assert f"they are {other[0]} and {other[1]} ahead of boundary points" in RESULTS


def test_padding_the_sets_changes_nothing_that_is_told_apart() -> None:
    found = area(PADDED, POINTS)
    assert found.low < 0 < found.high and f"Padding the sets as in its code: {words_of(found)}" in RESULTS


def test_what_boundary_points_and_their_objective_are_worth() -> None:
    words = words_of(area(POINTS, LINES)).lstrip("+")
    assert f"Boundary points are ahead of eleven labels a line by {words} of area" in RESULTS


def test_how_long_queries_and_trainings_take() -> None:
    kinds = ("boundary", "labels")
    runs = [run for kind in kinds for run in runs_of("adba+boundary+latent", kind).values()]
    seconds = [sum(one.costs[part].seconds for one in run.cycles for part in ("fit", "query")) for run in runs]
    assert f"trainings after them take {min(seconds):.0f} to {max(seconds):.0f}" in RESULTS
