import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from al_bench.analysis.second_look import GuessedAnswers, answers_of, look_again

PROBABILITIES = np.array(
    [[5, 4, 91], [66, 17, 17], [22, 63, 15], [7, 37, 56], [14, 73, 13], [27, 65, 8], [13, 86, 1], [74, 8, 18],
     [5, 18, 77], [76, 8, 16], [50, 9, 41], [2, 86, 12]]
) / 100  # fmt: skip
LABELS = [0, 0, 0, 2, 1, 2, 2, 0, 0, 0, 0, 1]
# what cleanlab 2.9.0 says of these: `get_label_quality_scores(..., method="normalized_margin")`
QUALITY = np.array([0.07, 0.745, 0.295, 0.595, 0.795, 0.215, 0.075, 0.78, 0.14, 0.8, 0.545, 0.87])


def test_it_says_what_cleanlab_says():
    found = look_again(answers_of(PROBABILITIES, LABELS))
    assert found.scores == pytest.approx(1 - 2 * QUALITY[found.order])
    assert found.order.tolist() == [0, 6, 8, 5, 2]


def test_what_could_not_be_told_is_not_asked_again():
    found = look_again(answers_of(np.array([[0.9, 0.1], [0.8, 0.2]]), [-1, 1]))
    assert found.order.tolist() == [1]


def test_no_answers_make_no_queue():
    found = look_again(answers_of(np.zeros((0, 2)), []))
    assert len(found.order) == len(found.scores) == 0


def test_equally_doubtful_ones_keep_their_order():
    said = GuessedAnswers(np.array([0, 1, 0]), np.array([1, 0, 1]), np.full(3, 0.75), np.full(3, 0.25))
    assert look_again(said).order.tolist() == [0, 1, 2]


def test_other_pictures_and_other_classes_are_refused():
    with pytest.raises(ValueError, match=r"\(12, 3\) probabilities are not of 2 answers"):
        answers_of(PROBABILITIES, [0, 1])
    with pytest.raises(ValueError, match="labels from 0 to 3 are none of 3 classes"):
        answers_of(PROBABILITIES, [*LABELS[:-1], 3])


def test_whoever_labels_needs_no_torch_for_it():
    modules = "al_bench.active.interval, al_bench.analysis.forecast, al_bench.analysis.second_look"
    code = f"import sys, {modules}; assert not {{'torch', 'scipy', 'pandas'}} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[2], check=True)
