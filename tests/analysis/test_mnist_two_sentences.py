"""What is written of ASAL and its GANs on MNIST two, computed anew from the stored cells."""

from collections.abc import Mapping
from statistics import mean

import pytest
from kept_cells import RESULTS, apart, area, kept_runs, page_of, words_of
from mnist_two_cells import curves, runs_of

from al_bench.analysis.statistics.paired import interval

PAGE = page_of("asal")
SPACES = ("asal_pixel", "asal_auto", "asal_disc")


def measured(line: str) -> Mapping[str, float]:
    """The metrics of the one cell of a measurement."""
    (measurement,) = [run.measurement for run in kept_runs(f"mnist_two-asal-{line}-seed=0")]
    assert measurement is not None
    return {name: float(value) for name, value in measurement.metrics.items() if value is not None}


@pytest.mark.parametrize(("gan", "name"), [("wgan_gp", "WGAN-GP"), ("dcgan", "DCGAN, batch norm in its generator")])
def test_whether_a_gan_counts_and_what_its_judge_is_worth(gan: str, name: str) -> None:
    found = measured(f"gan_quality+{gan}")
    ends = sorted({f"{found['smallest_ratio']:.2f}", f"{found['largest_ratio']:.2f}"})
    assert f"| {name} | {found['confident_share']:.1%} | {' to '.join(ends)} | yes |".replace("%", " %") in RESULTS
    assert found["real_confident_share"] == 1.0 and found["counts"]
    words = (
        f"sure of all real test images of MNIST's two classes, and right about {found['judge_accuracy']:.1%} of them"
    )
    assert words.replace("%", " %") in RESULTS


@pytest.mark.parametrize("line", SPACES)
def test_each_space_is_above_random_sampling_on_average_and_at_three_sizes(line: str) -> None:
    found = apart(curves(line), curves("random"))
    assert all(found[at].low > 0 for at in (150, 200, 250))
    assert any(found[at].low <= 0 for at in range(150, 251, 10)), "not at each size between"
    assert area(curves(line), curves("random")).low > 0


def test_by_how_much_they_are_above_it() -> None:
    means = [area(curves(line), curves("random")).mean for line in SPACES]
    assert f"ASAL above random, by {min(means):.2f} to {max(means):.2f} points on average over all sizes" in PAGE
    assert "as they are at 150, 200 and 250 labels and not at each size between" in PAGE


def test_gaal_is_at_the_level_of_random_sampling_at_all_later_sizes_but_one() -> None:
    found = {at: one for at, one in apart(curves("gaal+hinge"), curves("random")).items() if at >= 150}
    told = [at for at, one in found.items() if one.low > 0 or one.high < 0]
    assert f"one size of {len(found)} has an interval to random without 0 ({told[0]} labels)" in RESULTS
    assert len(told) == 1


def test_the_lead_of_gaal_is_there_before_anything_is_asked_for() -> None:
    one, other = curves("gaal+hinge"), curves("random")
    first = interval([one[seed][50] - other[seed][50] for seed in one])
    assert first is not None
    words = f"{first.mean:.2f} points ({first.low:.2f} to {first.high:.2f}) above random at 50 labels already"
    assert words in RESULTS


def test_beside_random_sampling_with_its_loss_gaal_has_none() -> None:
    found = apart(curves("gaal+hinge"), curves("random+hinge"))
    told = [f"{found[at].mean:+.2f} ({found[at].low:.2f} to {found[at].high:.2f}) at {at}" for at in (100, 200, 500)]
    assert f"{told[0]}, {told[1]} and {told[2]}" in RESULTS
    above = [at for at, one in found.items() if one.low > 0]
    below = [at for at, one in found.items() if one.high < 0]
    assert (len(found), above, below) == (45, [60], [440, 450])
    assert "of the 45 sizes after the first its interval is above 0 at one (60 labels) and below at two" in RESULTS
    assert f"level with it at {len(found) - len(above) - len(below)} of {len(found)} sizes" in PAGE


def test_gaal_with_the_gan_of_the_original_is_not_behind_random_sampling() -> None:
    random, hinge = curves("random"), curves("random+hinge")
    of = {kind: curves("gaal+hinge", kind) for kind in ("dcgan", "wgan_gp")}
    to_random, to_hinge = ({kind: area(one, other) for kind, one in of.items()} for other in (random, hinge))
    assert to_random["dcgan"].low > 0 and to_hinge["dcgan"].low < 0 < to_hinge["dcgan"].high
    words = {kind: (words_of(to_random[kind]), words_of(to_hinge[kind])) for kind in of}
    assert f"it is {words['dcgan'][0]} of area, less random sampling with its loss {words['dcgan'][1]}" in RESULTS
    assert f"with WGAN-GP {' and '.join(words['wgan_gp'])}" in RESULTS
    between = area(of["dcgan"], of["wgan_gp"])
    assert between.low < 0 < between.high and f"not told apart ({words_of(between)})" in RESULTS
    assert f"and {mean(one[500] for one in of['dcgan'].values()):.2f} at 500 labels; with WGAN-GP" in RESULTS


def row_of(line: str, gan: str) -> str:
    """Of the table of Figs. 8 to 11: means over the seeds that are kept."""
    strategy, _, learner = line.partition("+")
    runs, of = runs_of(line, gan).values(), curves(line, gan).values()
    score = "" if strategy in ("random", "entropy", "min_distance") else "min_distance, " if learner else "entropy, "
    accuracies = [mean(one[at] for one in of) for at in (100, 200, 300, 500)]
    entropies = mean(mean(one.chosen_entropy for one in run.cycles if one.chosen_entropy is not None) for run in runs)
    fives = mean(run.cycles[-1].class_counts[0] / sum(run.cycles[-1].class_counts) for run in runs)
    name = {"dcgan": "DCGAN", "wgan_gp": "WGAN-GP"}[gan] if strategy.startswith("asal_") else ""
    cells = [strategy, name, f"{score}{learner or 'cross entropy'}", *(f"{one:.2f}" for one in accuracies)]
    return f"| {' | '.join([*cells, f'{entropies:.3f}', f'{fives:.1%}'])} |".replace("%", " %").replace("|  |", "| |")


@pytest.mark.parametrize("gan", ["dcgan", "wgan_gp"])
@pytest.mark.parametrize("line", [*SPACES, *(f"{space}+hinge" for space in SPACES)])
def test_the_row_of_a_space_a_gan_and_a_loss(line: str, gan: str) -> None:
    assert row_of(line, gan) in RESULTS


@pytest.mark.parametrize("line", ["random", "random+hinge", "entropy", "min_distance+hinge"])
def test_the_rows_beside_them(line: str) -> None:
    assert row_of(line, "") in RESULTS


def test_the_two_gans_are_not_told_apart_with_the_hinge_loss() -> None:
    found = [area(curves(f"{space}+hinge"), curves(f"{space}+hinge", "dcgan")) for space in SPACES]
    assert all(one.low < 0 < one.high for one in found)
    assert f"With the hinge loss, five seeds, it is {', '.join(words_of(one) for one in found)} of area" in RESULTS
    to_random = [words_of(area(curves(f"{space}+hinge", "dcgan"), curves("random+hinge"))) for space in SPACES]
    assert f"With DCGAN the three are {', '.join(to_random)} above it" in RESULTS


def test_with_cross_entropy_wgan_gp_is_nowhere_ahead_of_dcgan() -> None:
    found = [(curves(space), curves(space, "dcgan")) for space in SPACES]
    areas = [words_of(area(*both)) for both in found]
    assert f"WGAN-GP minus DCGAN is {', '.join(areas)} of area over all sizes" in RESULTS
    assert all(one.low <= 0 for both in found for one in apart(*both).values())
    ends = [words_of(apart(*both)[500]) for both in found]
    assert f"nowhere above 0 by its interval; at 500 labels {', '.join(ends)}." in RESULTS


def test_how_many_more_sevens_than_fives_are_asked_for_with_dcgan() -> None:
    """The sums of five seeds."""
    times = []
    for learner in ("", "+hinge"):
        shares = [float(row_of(f"{space}{learner}", "dcgan").split(" | ")[-1].split()[0]) / 100 for space in SPACES]
        times.append([1 / share - 1 for share in shares])
    plain, hinge = (f"{min(one):.1f} to {max(one):.1f}" for one in times)
    assert f"{plain} times, and {hinge} with the hinge loss" in RESULTS


def test_what_the_loss_is_worth() -> None:
    """Of the area over all sizes, to each space of ASAL and to random sampling."""
    to_spaces = ", ".join(words_of(area(curves(f"{space}+hinge"), curves(space))) for space in SPACES)
    assert f"minimum distance with the hinge loss less entropy with cross entropy is {to_spaces} of area" in RESULTS
    assert f"To random sampling the loss gives {words_of(area(curves('random+hinge'), curves('random')))}" in RESULTS


def test_beside_random_sampling_with_its_loss_no_space_is_told_apart() -> None:
    found = [area(curves(f"{space}+hinge"), curves("random+hinge")) for space in SPACES]
    assert all(one.low <= 0 <= one.high for one in found)
    assert f"{', '.join(words_of(one) for one in found)} above random sampling with the hinge loss" in RESULTS


def labels_to_the_papers_accuracy(line: str) -> int:
    """The first size at which the mean over seeds has 98.5 %."""
    of = curves(line).values()
    return next(at for at in sorted(next(iter(of))) if mean(one[at] for one in of) >= 98.5)


def test_how_many_labels_the_papers_accuracy_takes_with_the_hinge_loss() -> None:
    found = [labels_to_the_papers_accuracy(f"{space}+hinge") for space in SPACES]
    of_random = labels_to_the_papers_accuracy("random+hinge")
    assert f"98.5 % in the mean with {of_random} labels, the three with {min(found)} to {max(found)}" in RESULTS


def test_all_of_asal_ask_for_more_entropy_than_random_sampling_and_more_with_the_hinge_loss() -> None:
    def entropies(line: str, gans: tuple[str, ...] = ("dcgan", "wgan_gp")) -> list[float]:
        return [float(row_of(line, gan).split(" | ")[-2]) for gan in gans]

    told = []
    for learner in ("", "+hinge"):
        of = [one for space in SPACES for one in entropies(f"{space}{learner}")]
        (of_random,) = entropies(f"random{learner}", ("",))
        assert min(of) > of_random
        told.append(of)
        assert f"{min(of):.2f} to {max(of) + 1e-9:.2f} above {of_random:.3f}" in RESULTS
    assert max(told[0]) < min(told[1])
