"""The classes that fakes are drawn of, and a choice per class beside a loop."""

import pytest
import torch

from al_bench import seeding
from al_bench.training.fakes import classes_to_draw, first_of_each_class


def test_an_even_draw_has_each_labeled_class_once_and_the_other_each_label() -> None:
    labels = torch.tensor([5, 1, 5, 5, 2])
    assert classes_to_draw(labels, "even").tolist() == [1, 2, 5]
    assert classes_to_draw(labels, "labeled").tolist() == labels.tolist()


@pytest.mark.parametrize("gamma", [1, 2, 5])
@pytest.mark.parametrize("classes", [1, 3, 40])
def test_the_first_of_each_class_are_those_of_a_loop(classes: int, gamma: int) -> None:
    rng = seeding.generator(classes)
    slots = torch.randint(classes, (30,), generator=rng)
    wanted = slots.repeat_interleave(gamma)[torch.randperm(30 * gamma, generator=rng)]
    ranked = torch.randperm(30 * gamma, generator=rng)
    left = torch.bincount(slots, minlength=classes).tolist()
    expected = list[int]()
    for row in ranked.tolist():
        if left[wanted[row]]:
            left[wanted[row]] -= 1
            expected.append(row)
    found = first_of_each_class(ranked, wanted, gamma)
    assert sorted(found.tolist()) == sorted(expected)
