import pytest
import torch

from al_bench.errors import UserError
from al_bench.network.resampling import down, halved, up


@pytest.mark.parametrize(
    ("size", "levels", "expected"),
    [(28, 3, [28, 14, 7, 4]), (32, 3, [32, 16, 8, 4]), (64, 4, [64, 32, 16, 8, 4]), (8, 1, [8, 4]), (1, 2, [1, 1, 1])],
)
def test_sizes_round_up(size: int, levels: int, expected: list[int]) -> None:
    assert halved((size, 10), levels)[0] == (size, 10)
    assert [height for height, _ in halved((size, size), levels)] == expected


@pytest.mark.parametrize("kernel_size", [1, 3, 5, 7])
@pytest.mark.parametrize("size", [(8, 8), (7, 7), (7, 10), (1, 3)])
def test_up_undoes_the_size_of_down(size: tuple[int, int], kernel_size: int) -> None:
    small = halved(size, 1)[1]
    narrow = down(2, 3, kernel_size)(torch.zeros(1, 2, *size))
    assert narrow.shape == (1, 3, *small)
    assert up(3, 2, kernel_size, small, size)(narrow).shape == (1, 2, *size)


def test_an_odd_size_is_the_crop_of_the_even_one() -> None:
    """4 -> 7 is 4 -> 8 without the last row and column (docs/papers/asal.md, Networks)."""
    to_even, to_odd = up(2, 3, 5, (4, 4), (8, 8)), up(2, 3, 5, (4, 4), (7, 7))
    to_odd.load_state_dict(to_even.state_dict())
    maps = torch.rand(1, 2, 4, 4)
    torch.testing.assert_close(to_odd(maps), to_even(maps)[..., :7, :7])


def test_refuses_even_kernels() -> None:
    with pytest.raises(UserError, match="kernel_size=4"):
        down(1, 1, 4)
