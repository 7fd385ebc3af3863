"""DFAL: ask for what the smallest perturbation takes to another class (Ducoffe and Precioso 2018)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from al_bench.active.inputs import Inputs, to_float
from al_bench.active.part import declare
from al_bench.active.pool import Pool
from al_bench.active.query import PoolQuery
from al_bench.config.ranges import ModerateOrZero, Rounds
from al_bench.network import Network
from al_bench.network.predict import evaluating, predict, stream
from al_bench.strategy import Strategy
from al_bench.strategy.ranking import query_highest

_WAVE = 2**24  # numbers of the images that are moved at a time: 64 MiB, and their perturbations as much
_ON_CPU, _ON_GPU = 128, 256  # images of a batch: more are no quicker
_THIN = 3  # input channels; oneDNN computes 16 of them, however few there are


@declare("strategy/deepfool", revision=2)
@dataclass(frozen=True)
class DeepFool(Strategy):
    """Asks for the unlabeled images that DeepFool (Moosavi-Dezfooli et al. 2016) has to change least, in L2.

    DeepFool goes again and again to the nearest boundary of the model's linearisation, until the class changes.
    max_iter: steps at most; an image whose class still is the first then counts as far as it went. overshoot: each
    position is tried, and linearised, this share farther out; what was walked counts without it. running_minimum:
    whether the nearest of all boundaries is gone to; False goes to the last class's, as the code behind WAAL's
    baselines did.

    Perturbations are of float images (that code: of standardised ones, a factor where all channels have one
    deviation). Classes of label maps are those of the mean logits. Scores are minus the squared norms; minus infinity
    where the gradients vanish, so that no boundary can be gone to.
    """

    max_iter: Rounds
    overshoot: ModerateOrZero
    running_minimum: bool = True

    def query(self, model: Network, pool: Pool, size: int, rng: torch.Generator) -> PoolQuery:
        squares, _ = self.perturbations(model, pool.inputs, pool.unlabeled)
        if squares.isinf().all():
            raise FloatingPointError("no logit depends on the images, so that DeepFool finds no boundary")
        return query_highest(-squares, pool.unlabeled, size, rng)

    def perturbations(self, model: Network, inputs: Inputs, indices: Tensor) -> tuple[Tensor, Tensor]:
        """(U,) squared norms of the perturbations of inputs[indices], and the (U,) int64 steps that each took.

        Raises FloatingPointError at a logit that is not finite.
        """
        labels = predict(model, inputs, indices, _finite_classes)
        rows = max(1, _WAVE // inputs.shape[1:].numel())
        with evaluating(model):
            parts = [
                self._wave(model, to_float(inputs[indices[first : first + rows]].to(labels.device)), wave)
                for first, wave in zip(range(0, len(indices), rows), labels.split(rows), strict=True)
            ]
        squares, taken = zip(*parts, strict=True)
        return torch.cat(squares), torch.cat(taken)

    def _wave(self, model: Network, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Moves all (B, ...) images one step after the other; those that crossed leave, so that batches stay full."""
        walked = torch.zeros_like(images)
        squares, taken = images.new_zeros(len(images)), torch.zeros_like(labels)
        inside = torch.arange(len(images), device=images.device)
        for _ in range(self.max_iter):
            for rows in inside.split(_ON_GPU if images.is_cuda else _ON_CPU):
                moved = images[rows] + (1 + self.overshoot) * walked[rows]
                walked[rows] += self._step(model, moved.requires_grad_(), labels[rows])
            squares[inside] = walked[inside].flatten(1).square().sum(1)
            taken[inside] += 1
            inside = inside[squares[inside].isfinite()]
            moved = images[inside] + (1 + self.overshoot) * walked[inside]
            inside = inside[_classes(model, moved) == labels[inside]]
            if not len(inside):
                break
        return squares, taken

    def _step(self, model: Network, images: Tensor, labels: Tensor) -> Tensor:
        """(B, ...) steps from images that need gradients to the nearest boundary; infinite where there is none."""
        with ThinConvolutions():
            logits = class_logits(model.acquisition_logits(images))
        own = logits.gather(1, labels[:, None])
        nearest, step = torch.full_like(own[:, 0], torch.inf), torch.full_like(images, torch.inf)
        for others in self._others(labels, logits.shape[1]):
            gap = (logits.gather(1, others[:, None]) - own).squeeze(1)
            (slope,) = torch.autograd.grad(gap.sum(), images, retain_graph=True, materialize_grads=True)
            square = slope.flatten(1).square().sum(1)
            distance = (gap.detach().abs() / square.sqrt()).masked_fill(square == 0, torch.inf)
            nearer = distance.isnan() | (distance < nearest)
            nearest = torch.where(nearer, distance, nearest)
            factor = (gap.detach().abs() / square).view(-1, *[1] * (images.dim() - 1))
            step = torch.where(nearer.view_as(factor), factor * slope, step)
        return step.detach()

    def _others(self, labels: Tensor, num_classes: int) -> list[Tensor]:
        """For each class to be compared with, its (B,) number for each image."""
        if self.running_minimum:
            return [(labels + number) % num_classes for number in range(1, num_classes)]
        return [torch.where(labels == num_classes - 1, num_classes - 2, num_classes - 1)]


def class_logits(logits: Tensor) -> Tensor:
    """(B, K[, H, W]) to (B, K): the mean over the pixels of a label map."""
    return logits.flatten(2).mean(2) if logits.dim() > 2 else logits


def _classes(model: Network, images: Tensor) -> Tensor:
    """(B,) classes of (B, ...) float images."""
    parts = [class_logits(logits).argmax(1) for logits in stream(model.acquisition_logits, model, images)]
    return torch.cat(parts) if parts else torch.empty(0, dtype=torch.int64, device=images.device)


def _finite_classes(logits: Tensor) -> Tensor:
    """(B,) classes. Raises FloatingPointError where a logit is not finite."""
    if not logits.isfinite().all():
        raise FloatingPointError("a logit is not finite, so that DeepFool finds no boundary")
    return class_logits(logits).argmax(1)


class ThinConvolutions(TorchFunctionMode):
    """Inside the block convolutions of images of up to three channels on a CPU go back through a product of matrices,
    which takes gradients of images a few times as fast as torch does.

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
        images = images.clone(memory_format=torch.contiguous_format)  # the kernel of the way back is slow on another
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
