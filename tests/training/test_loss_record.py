"""What is kept of the losses of a training."""

import pytest
import torch

from al_bench.training.cost import measure_apart, measure_cost
from al_bench.training.loss_record import MOST_POINTS, LossRecord


def recorded(steps: int) -> LossRecord:
    """Of which the loss of a step is its number, from 0."""
    record = LossRecord()
    for step in range(steps):
        record.add({"loss": torch.tensor(float(step)), "other": torch.tensor(1.0)})
    record.flush()
    return record


@pytest.mark.parametrize(
    ("steps", "ends", "means"),
    [
        (0, [], []),
        (3, [3], [1.0]),
        (120, [50, 100, 120], [24.5, 74.5, 109.5]),
        (50 * 101, [*range(150, 5050, 150), 5050], [*(74.5 + 150 * number for number in range(33)), 4999.5]),
        (2510, [*range(100, 2501, 100), 2510], [*(49.5 + 100 * number for number in range(25)), 2504.5]),
    ],
)
def test_it_is_means_over_at_most_fifty_stretches(steps: int, ends: list[int], means: list[float]) -> None:
    """Each to the iteration that it ends at, steps counted alike in a last block of fewer."""
    found = recorded(steps).summarize()
    assert found == ({"iteration": ends, "loss": pytest.approx(means), "other": [1.0] * len(ends)} if ends else {})
    assert len(ends) <= MOST_POINTS


def test_a_stretch_weighs_its_steps() -> None:
    """Of 51 blocks two each are one stretch, and the last of them may be of one step."""
    found = recorded(50 * 51 + 1).summarize()
    assert found["loss"][-1] == pytest.approx((50 * 2524.5 + 2550) / 51)
    assert found["iteration"][-1] == 2551


def test_what_is_measured_around_a_training_knows_its_losses() -> None:
    from toy_training import CPU, Toy, batches

    from al_bench.training.fit import Fitter

    with measure_cost() as around:
        trace = Fitter(CPU).fit(Toy(), batches(), seed=2, name="toy")
        Fitter(CPU).fit(Toy(), batches(), seed=3, name="toy")
        with measure_apart("evaluate"):
            Fitter(CPU).fit(Toy(), batches(), seed=2, name="judge")
    assert list(around.losses) == ["toy", "toy (2)"]
    assert set(around.losses["toy"]) == {"iteration", *trace}
    assert around.losses["toy"]["iteration"][-1] == len(batches())
    assert around.losses["toy"] != around.losses["toy (2)"]
    assert "losses" not in around.plain()


def test_losses_of_a_checkpoint_wait_beside_those_of_another_device() -> None:
    """They come from the disk to the CPU. A meta tensor is on none, and its value cannot be read."""
    record, again = LossRecord(), LossRecord()
    record.add({"loss": torch.tensor(1.0)})
    again.load(record.state())
    again.add({"loss": torch.tensor(2.0, device="meta")})
    with pytest.raises(NotImplementedError, match="meta"):
        again.flush()


@pytest.mark.gpu
def test_a_training_on_a_gpu_goes_on_with_its_losses() -> None:
    record, again = LossRecord(), LossRecord()
    record.add({"loss": torch.tensor(1.0, device="cuda")})
    again.load(record.state())
    again.add({"loss": torch.tensor(2.0, device="cuda")})
    again.flush()
    assert again.summarize() == {"iteration": [2.0], "loss": [1.5]}
