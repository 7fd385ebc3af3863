"""The boundary of a linear model of two classes, and lines across it (ADBA: Huijser and van Gemert 2017, Sec. 3)."""

import torch
from torch import Tensor
from torch.nn.functional import normalize

from al_bench.network import Network


def hyperplane(model: Network, size: int) -> tuple[Tensor, Tensor]:
    """Normal (D,) and offset () of the boundary: the decision value, l_1 - l_0, is s(x) = normal x + offset.

    model: of two classes, its logits linear in inputs (B, D); positive is class 1. size: D. Differentiable in the
    model's weights.
    """
    parameter = next(model.parameters())
    origin = torch.zeros(1, size, device=parameter.device, dtype=parameter.dtype, requires_grad=True)
    with torch.enable_grad():
        logits = model.acquisition_logits(origin)
        assert logits.shape[1] == 2, "more classes have more boundaries"
        offset = logits[0, 1] - logits[0, 0]
        (normal,) = torch.autograd.grad(offset, origin, create_graph=True)
    return normal[0], offset


def feet(points: Tensor, normal: Tensor, offset: Tensor) -> Tensor:
    """(Q, D) points, each projected on the boundary."""
    return points - ((points @ normal + offset) / normal.square().sum())[:, None] * normal


def chords(points: Tensor, normal: Tensor, center: Tensor, radius: Tensor, count: int) -> Tensor:
    """(Q, count, D) equally spaced points of the lines through `points` along `normal`, from the side of class 0 to
    that of class 1, the first and the last on the sphere around `center` (D,).

    points: (Q, D), such as feet; a line that misses the sphere is its nearest point, `count` times.

    For the unit vector u along the normal and d = point - center, t solves t^2 + 2 t (u d) + |d|^2 - radius^2 = 0, so
    its middle is -u d. The authors' code adds the center where it has to be subtracted, which is harmless only
    because their latents are centered (docs/papers/asal.md, ADBA).
    """
    unit, away = normal / normal.norm(), points - center
    middle = -(away @ unit)
    half = (radius.square() - away.square().sum(1) + middle.square()).clamp(min=0).sqrt()
    steps = torch.linspace(-1, 1, count, device=points.device, dtype=points.dtype)
    along = middle[:, None] + half[:, None] * steps  # (Q, count)
    found: Tensor = points[:, None] + along[:, :, None] * unit
    return found


def distances(points: Tensor, lines: Tensor) -> Tensor:
    """(N, S) distances of points (N, D) from the straight lines through the ends of (S, V, D), in double precision."""
    points, first, last = points.double(), lines[:, 0].double(), lines[:, -1].double()
    unit = normalize(last - first, dim=1)
    along = points @ unit.T - (first * unit).sum(1)
    away = points.square().sum(1)[:, None] - 2 * points @ first.T + first.square().sum(1)
    found: Tensor = (away - along.square()).clamp(min=0).sqrt()
    return found


def flip(points: Tensor, signs: Tensor) -> Tensor | None:
    """Where one class ends and the other begins: the point (D,) in the middle of two neighbors; None without such.

    points: (V, D) along a line. signs: (V,), -1 and 1 for the classes. Where labels change more than once, the first
    cut that contradicts the fewest of them; None where no cut does better than no cut.
    """
    if len(signs) == 0:
        return None
    before = signs.cumsum(0)
    agreement = (2 * before - before[-1]).abs()  # of "one class up to here, the other one after"; the last cut is none
    cut = int(agreement.argmax())
    if agreement[cut] <= agreement[-1]:
        return None
    return (points[cut] + points[cut + 1]) / 2
