"""Two lines of an experiment, subtracted: by hand, and beside scipy's own paired test."""

from pathlib import Path

import numpy as np
import pytest
from made_runs import EMPTY, made_run
from scipy import stats

from al_bench.analysis.contrast import (
    contrast_lines,
    groups_by_line,
    read_contrasts,
    refuse_unknown_lines,
    right_images,
)
from al_bench.analysis.experiment import plan_experiment
from al_bench.analysis.grouping import Group, sections
from al_bench.analysis.reading import Problem, stored
from al_bench.analysis.statistics.paired import interval
from al_bench.errors import UserError

RIGHT = {"random": "1100000000", "entropy": "1111100010"}  # of ten test images


def line(outputs: Path, strategy: str, accuracies: dict[int, tuple[float, ...]], bits: str | None = None) -> None:
    packed = None if bits is None else np.packbits([int(bit) for bit in bits])
    for seed, of_seed in accuracies.items():
        more = {} if packed is None else {"test_images": 10}
        tensors = None if packed is None else {"labels": np.array([0, 1]), "correct": packed}
        made_run(outputs, strategy, seed, of_seed, more=more, tensors=tensors)


def lines(outputs: Path) -> dict[str, Group]:
    (section,) = sections(stored(outputs, outputs / "cells").runs)
    return dict(groups_by_line(section.groups))


def test_an_interval_is_that_of_the_paired_t_test() -> None:
    first, second = np.array([0.81, 0.84, 0.80, 0.86]), np.array([0.80, 0.81, 0.80, 0.82])
    found, expected = interval(first - second), stats.ttest_rel(first, second).confidence_interval(0.95)
    assert found is not None
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))
    assert found.mean == pytest.approx(0.02)
    assert interval([0.1]) is None


def test_the_seeds_and_numbers_that_both_have(tmp_path: Path) -> None:
    line(tmp_path, "random", {0: (0.50, 0.60), 1: (0.52, 0.66), 3: (0.9,)})
    line(tmp_path, "entropy", {0: (0.55, 0.61, 0.7), 1: (0.54, 0.63), 2: (0.1, 0.1)})
    found = lines(tmp_path)
    first, second = contrast_lines(found["entropy"], found["random"], "accuracy", [])
    assert (first.annotations, second.annotations) == (10, 20)
    assert first.seeds == [0, 1]
    assert (first.mean, second.mean) == pytest.approx((0.035, -0.01))
    assert first.over_seeds is not None
    half = 12.7062 * 0.03 / 2**0.5 / 2**0.5  # t of one degree of freedom; 0.05 and 0.02 deviate by 0.03 / sqrt 2
    assert first.over_seeds.high - first.mean == pytest.approx(half, rel=1e-4)
    assert first.over_images is None, "no bits were kept"


def test_a_seed_that_drew_other_first_labels_is_no_pair(tmp_path: Path) -> None:
    """As in claims and in tests of areas: of seed 1 nothing is subtracted."""
    for seed, other in ((0, 0), (1, 9)):
        for strategy, last, first in (("entropy", 0.8, seed), ("random", 0.7 + seed / 10, other)):
            made_run(tmp_path, strategy, seed, (0.5, last), more={"query": {**EMPTY, "indices": [first, 5]}})
    found = lines(tmp_path)
    last = contrast_lines(found["entropy"], found["random"], "accuracy", [])[-1]
    assert (last.seeds, last.mean, last.over_seeds) == ([0], pytest.approx(0.1), None)


def test_images_are_paired_by_their_bits(tmp_path: Path) -> None:
    """entropy has four more right of ten, none that random has right is wrong: +1 four times, 0 six times."""
    for strategy, bits in RIGHT.items():
        line(tmp_path, strategy, {0: (0.5, bits.count("1") / 10)}, bits)
    found = lines(tmp_path)
    last = contrast_lines(found["entropy"], found["random"], "accuracy", [])[-1]
    expected = interval([1.0] * 4 + [0.0] * 6)
    assert last.over_images == expected
    assert last.over_images is not None
    assert last.over_images.mean == pytest.approx(last.mean)
    assert last.over_seeds is None, "one seed"


@pytest.mark.parametrize("other", [None, RIGHT["random"][:8]])
def test_test_images_tell_nothing_of_a_difference_over_more_seeds(other: str | None, tmp_path: Path) -> None:
    """Of a second seed no bits, or those of fewer images, were kept: an interval of the first alone may leave the mean
    of both out."""
    for strategy, bits in RIGHT.items():
        line(tmp_path, strategy, {0: (0.5, bits.count("1") / 10)}, bits)
        line(tmp_path, strategy, {1: (0.5, 0.2)}, other)
    found = lines(tmp_path)
    last = contrast_lines(found["entropy"], found["random"], "accuracy", [])[-1]
    assert (last.seeds, last.over_images) == ([0, 1], None)


def test_test_images_tell_nothing_of_another_metric_than_accuracy(tmp_path: Path) -> None:
    for strategy, bits in RIGHT.items():
        more = {"test_images": 10, "metrics": {"accuracy": 0.5, "calibration_error": 0.1}}
        tensors = {"labels": np.array([0, 1]), "correct": np.packbits([int(bit) for bit in bits])}
        made_run(tmp_path, strategy, 0, (0.5, 0.5), more=more, tensors=tensors)
    found = lines(tmp_path)
    for name, has in (("accuracy", True), ("calibration_error", False)):
        last = contrast_lines(found["entropy"], found["random"], name, [])[-1]
        assert (last.over_images is not None) == has


def test_bits_are_read_from_a_folder_and_from_a_cell_alike(tmp_path: Path) -> None:
    line(tmp_path, "random", {0: (0.5, 0.2)}, RIGHT["random"])
    (run,) = stored(tmp_path, tmp_path / "cells").runs
    record = run.cycles[1]
    packed = record.model_copy(update={"correct": np.packbits([int(bit) for bit in RIGHT["random"]]).tolist()})
    for one in (record, packed):
        right = right_images(run, one)
        assert right is not None
        assert right.astype(int).tolist() == [int(bit) for bit in RIGHT["random"]]


def test_corrupted_bits_are_named(tmp_path: Path) -> None:
    for strategy, bits in RIGHT.items():
        line(tmp_path, strategy, {0: (0.5, 0.5)}, bits)
    next(tmp_path.glob("**/random/**/001.safetensors")).write_bytes(b"nothing")
    found, problems = lines(tmp_path), list[Problem]()
    last = contrast_lines(found["entropy"], found["random"], "accuracy", problems)[-1]
    assert last.over_images is None
    assert "tensors of cycle 1" in problems[0].sentence


@pytest.mark.parametrize("pair", ["[waal]", "[waal, margin, random]", "[waal, 3]", "waal"])
def test_a_contrast_of_other_than_two_lines_is_refused(pair: str, tmp_path: Path) -> None:
    (tmp_path / "experiment").mkdir()
    (tmp_path / "experiment" / "made.yaml").write_text(f"contrasts: {{gain: {pair}}}\n")
    with pytest.raises(UserError, match=r"contrasts has gain: .*waal.* the names of two lines"):
        read_contrasts("made", tmp_path)


def test_a_contrast_of_a_line_that_there_is_not_is_refused(tmp_path: Path) -> None:
    """Unless what was given beside may have left it out, or have named it otherwise."""
    whole = plan_experiment("waal/digits", ["seed=0"])
    asked = {"gain": ("waal", "matched/rndom")}
    with pytest.raises(UserError, match=r"contrasts has gain: .*rndom is no line of it: did you mean matched/random\?"):
        refuse_unknown_lines(whole, asked)
    refuse_unknown_lines(whole, {"gain": ("waal", "matched/random")})
    for given in (["method=waal"], ["learner.epochs=1,2"]):
        refuse_unknown_lines(plan_experiment("waal/digits", ["seed=0", *given]), asked)
