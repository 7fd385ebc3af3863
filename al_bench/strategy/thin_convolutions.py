"""Gradients of images through the first convolution, on a CPU a few times as fast as torch takes them."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

_THIN = 3  # input channels; oneDNN computes 16 of them, however few there are


class ThinConvolutions(TorchFunctionMode):
    """Inside the block convolutions of images of up to three channels on a CPU go back through a product of matrices.

    Their weights are taken as constants, so this is not for training.
    """

    def __torch_function__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        if func is torch.conv2d and not kwargs and _is_thin(*args):
            images, weight, bias, stride, padding, _, _ = args
            return _Convolution.apply(images, weight.detach(), None if bias is None else bias.detach(), stride, padding)
        return func(*args, **(kwargs or {}))


def _is_thin(images: Tensor, weight: Tensor, *others: Any) -> bool:
    """others: as `nn.Conv2d` gives them."""
    if images.device.type != "cpu" or images.dim() != 4 or len(weight[0]) > _THIN or len(others) != 5:
        return False
    _, _, padding, dilation, groups = others
    return not isinstance(padding, str) and set(dilation) == {1} and groups == 1


class _Convolution(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, images: Tensor, weight: Tensor, bias: Tensor | None, stride: Any, padding: Any) -> Tensor:
        ctx.save_for_backward(images, weight)
        ctx.stride, ctx.padding = stride, padding
        return torch.conv2d(images, weight, bias, stride, padding)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Any:
        images, weight = ctx.saved_tensors
        one = torch.ops.aten._slow_conv2d_backward.output_mask(
            gradient.contiguous(), images, weight, weight.shape[2:], ctx.stride, ctx.padding, [True, False, False]
        )[0]
        return one, None, None, None, None
