"""Every strategy that is given a score refuses one of the other kind before anything is trained."""

import pytest
import torch
from composing import compose, members, on_digits, part
from omegaconf import OmegaConf

from al_bench.active.pool import Pool
from al_bench.errors import UserError

OTHER = {False: "mutual_information", True: "least_confidence"}  # by whether it takes dropout passes


def places_of(name: str) -> list[str]:
    """Where a strategy names its scores."""
    config = compose(*on_digits(f"strategy={name}")).strategy
    named = ("score", "bounds.0", "bounds.1", "score.bounds.0", "score.bounds.1")
    return [place for place in named if OmegaConf.select(config, f"{place}.path") is not None]


GIVEN = [(name, place) for name in members("strategy") for place in places_of(name)]


def test_there_are_some_of_each_kind() -> None:
    assert {"entropy", "bald", "asal_auto", "waal", "waal_uncertainty", "uherding"} <= {name for name, _ in GIVEN}


@pytest.mark.parametrize(("name", "place"), GIVEN)
def test_a_score_of_the_other_kind_is_refused(name: str, place: str) -> None:
    line = on_digits(f"strategy={name}")
    pool = Pool.unlabeled_from(torch.empty(0, 1, 8, 8), 10 if "+dataset.classes=[3,8]" not in line else 2)
    part("strategy", *line).check(pool, 20)
    takes_passes = "dropout" in part("strategy", *line).needs
    other = part("strategy", *line, f"strategy.{place}.path=al_bench.active.scores.{OTHER[takes_passes]}")
    with pytest.raises(UserError, match="makes no score of the logits of"):
        other.check(pool, 20)
