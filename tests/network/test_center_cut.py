import pytest
import torch

from al_bench.errors import UserError
from al_bench.network.center_cut import CenterCut


def test_cuts_the_middle_out() -> None:
    images = torch.arange(2 * 1 * 6 * 7).view(2, 1, 6, 7)
    assert torch.equal(CenterCut(4)(images), images[:, :, 1:5, 1:5])  # one column more is left on the right
    assert torch.equal(CenterCut(5)(images), images[:, :, 0:5, 1:6])
    assert torch.equal(CenterCut(6)(images), images[:, :, :, 0:6])


@pytest.mark.parametrize("size", [None, 6])
def test_images_of_that_size_pass(size: int | None) -> None:
    images = torch.rand(2, 3, 6, 6)
    assert CenterCut(size)(images).data_ptr() == images.data_ptr()
    assert torch.equal(CenterCut(size)(images), images)


def test_refuses_smaller_images() -> None:
    with pytest.raises(UserError, match=r"network\.input_size=7 is larger than images of 7 x 6 pixels: give 6 or less"):
        CenterCut(7)(torch.rand(2, 3, 7, 6))
