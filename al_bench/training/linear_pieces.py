"""Second derivatives of networks that are linear piece by piece, without the zeros that autograd carries along.

A gradient penalty differentiates a critic's slopes once more. Where the critic is made of convolutions, rectifiers and
mean poolings, its slopes depend on its weights, and on its input only through the piece that this lies on. Autograd
does not know: it sends zeros back through the whole forward pass, and takes a convolution's second derivative by one
whose kernel is as large as the maps. Here slopes are forward operations, masks and transposed convolutions, whose way
back is the ordinary one. All else that a critic has stays autograd's, with any curvature that it brings.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.nn import functional
from torch.overrides import TorchFunctionMode

aten: Any = torch.ops.aten


class LinearPieces(TorchFunctionMode):
    """Inside the block a network's rectifiers, mean poolings and 2d convolutions are such, and gradients are taken with
    respect to its input alone; those with respect to weights may be taken after it.

    Values are those of autograd, derivatives too, up to the rounding of convolutions. No rectifier works in place.
    """

    def __init__(self) -> None:
        super().__init__()
        self.open = True

    def __exit__(self, *reason: Any) -> None:
        self.open = False
        super().__exit__(*reason)  # type: ignore[no-untyped-call]

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        if func is torch.conv2d:
            func = partial(_convolve, self)
        return _PIECES.get(func, func)(*args, **(kwargs or {}))


class _Piece(Function):
    """value(x) with the gradient back(g, x), linear in g and piecewise constant in x."""

    @staticmethod
    def forward(ctx: Any, inputs: Tensor, value: Callable[..., Tensor], back: Callable[..., Tensor]) -> Tensor:
        ctx.save_for_backward(inputs)
        ctx.back = back
        return value(inputs)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        (inputs,) = ctx.saved_tensors
        return ctx.back(gradient, inputs.detach()), None, None


class _Convolution(Function):
    """A convolution whose slopes are a transposed one."""

    @staticmethod
    def forward(
        ctx: Any, block: LinearPieces, maps: Tensor, weight: Tensor, bias: Tensor | None, *settings: Any
    ) -> Tensor:
        ctx.save_for_backward(maps, weight)
        ctx.block, ctx.settings = block, settings
        return torch.conv2d(maps, weight, bias, *settings)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        maps, weight = ctx.saved_tensors
        stride, padding, dilation, groups = ctx.settings
        if ctx.block.open:  # gradients of weights, which autograd does not tell us nobody asks for, cost as much again
            rest = _rest(maps, weight, gradient, *ctx.settings[:3])
            slopes = functional.conv_transpose2d(gradient, weight, None, stride, padding, rest, groups, dilation)
            return None, slopes, *[None] * 6
        how = (stride, padding, dilation, False, [0, 0], groups, ctx.needs_input_grad[1:4])
        return None, *aten.convolution_backward(gradient, maps, weight, [len(weight)], *how), *[None] * 4


def _convolve(block: LinearPieces, maps: Tensor, *args: Any, **named: Any) -> Tensor:
    """As `nn.Conv2d` calls it, a batch padded by numbers; any other call is autograd's."""
    if named or len(args) != 6 or maps.dim() != 4 or isinstance(args[3], str):
        return torch.conv2d(maps, *args, **named)
    tensors: list[Any] = [maps, *args[:2]]
    if torch.is_autocast_enabled(maps.device.type):
        dtype = torch.get_autocast_dtype(maps.device.type)
        tensors = [tensor if tensor is None else tensor.to(dtype) for tensor in tensors]
    convolved: Tensor = _Convolution.apply(block, *tensors, *args[2:])
    return convolved


def _rest(
    maps: Tensor,
    weight: Tensor,
    convolved: Tensor,
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
) -> list[int]:
    """Rows and columns that a transposed convolution adds, so that it comes back to the maps' size."""
    sizes = zip(maps.shape[2:], weight.shape[2:], convolved.shape[2:], stride, padding, dilation, strict=True)
    return [
        size - ((small - 1) * step - 2 * padded + apart * (kernel - 1) + 1)
        for size, kernel, small, step, padded, apart in sizes
    ]


def _relu(inputs: Tensor, inplace: bool = False) -> Any:
    return _Piece.apply(inputs, functional.relu, lambda gradient, given: aten.threshold_backward(gradient, given, 0))


def _leaky_relu(inputs: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Any:
    value = partial(functional.leaky_relu, negative_slope=negative_slope)
    return _Piece.apply(inputs, value, partial(_leaky_back, slope=negative_slope))


def _leaky_back(gradient: Tensor, inputs: Tensor, slope: float) -> Any:
    return aten.leaky_relu_backward(gradient, inputs, slope, False)


def _mean_pool(
    inputs: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Any:
    how = (kernel_size, stride or kernel_size, padding, ceil_mode, count_include_pad, divisor_override)
    return _Piece.apply(
        inputs,
        lambda given: functional.avg_pool2d(given, *how),
        lambda gradient, given: aten.avg_pool2d_backward(gradient, given, *how),
    )


_PIECES: Mapping[Callable[..., Any], Callable[..., Any]] = {
    functional.relu: _relu,
    functional.leaky_relu: _leaky_relu,
    functional.avg_pool2d: _mean_pool,
}
