"""The distances to all features and the nearest of them in one pass, by a kernel in Triton; for GPUs.

No distance is ever written: a program goes through blocks of features, a stride apart, and keeps in registers for each
query and each column of its blocks, a lane, the least distance yet and whose it is, and of what the lane drops the
least, too. The nearest of all are among the lanes' nearest unless two of them share a lane, which is seen: then a lane
has dropped something nearer than the last that is returned, and that query is searched by `nearest`. With 16 of many
features in 65,536 lanes it happens once in five hundred queries. Not run on a GPU yet: the tests compile it for one
and run it by Triton's interpreter on a CPU. Imported when it is first needed; Triton comes with torch on Linux.
"""

from typing import Any

import torch
import triton
import triton.language as tl
from torch import Tensor

from al_bench.matcher.exact import nearest

MOST = 64  # neighbors that are sought so: of more, some share a lane too often
_LANES, _PROGRAMS = 64, 1024  # of a program; of a launch, where there are features enough for all
_QUERIES, _DEPTH = 16, 32  # of a product: queries of a program, and features' columns multiplied at once
_AT_ONCE = 64  # queries of a launch, whose lanes are 48 MiB
_OPTIONS: dict[str, Any] = {"num_warps": 8, "num_stages": 3, "enable_fp_fusion": True}  # all of it stays in registers


def nearest_fused(features: Tensor, queries: Tensor, count: int, norms: Tensor) -> Tensor:
    """What `nearest` returns, the (Q, count) positions nearest first; equals may be others, and in another order."""
    if count > MOST:
        return nearest(features, queries, count, norms)
    return torch.cat([_nearest(features, part.contiguous(), count, norms) for part in queries.split(_AT_ONCE)])


def _nearest(features: Tensor, queries: Tensor, count: int, norms: Tensor) -> Tensor:
    least, positions, dropped = scan(features, queries, norms)
    near, lanes = least.topk(count, largest=False)
    found = positions.gather(1, lanes).long()
    unsure = dropped.amin(1) < near[:, -1]
    if unsure.any():
        found[unsure] = nearest(features, queries[unsure], count, norms)
    return found


def scan(features: Tensor, queries: Tensor, norms: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The lanes' least distances (Q, L) from queries (Q, D) to features (N, D), whose they are, int32 (Q, L), and the
    least that each lane dropped (Q, L); N below 2^31.

    Distances are squared and without |query|^2, which is the same for all; norms: (N,) of the features, squared.
    Lanes without a feature have infinity and -1.
    """
    num_features, size = features.shape
    programs = min(triton.cdiv(num_features, _LANES), _PROGRAMS)
    least, dropped = features.new_empty(2, len(queries), programs * _LANES)
    positions = torch.empty_like(least, dtype=torch.int32)
    # groups of queries that go through the same features stand next to each other and share what the cache holds
    grid = (triton.cdiv(len(queries), _QUERIES), programs)
    shapes = (len(queries), num_features, size, programs)
    tensors, tile = (queries, features, norms, least, positions, dropped), (_QUERIES, _LANES, _DEPTH)
    with torch.cuda.device_of(features):
        _scan[grid](*tensors, *shapes, *tile, **_OPTIONS)
    return least, positions, dropped


@triton.jit  # type: ignore[untyped-decorator]
def _scan(  # type: ignore[no-untyped-def]  # what a program is given is pointers and numbers of Triton's
    queries,
    features,
    norms,
    least,
    positions,
    dropped,
    num_queries,
    num_features,
    size,
    programs,
    group: tl.constexpr,
    width: tl.constexpr,
    chunk: tl.constexpr,
):
    """A program's part of `scan`: blocks of `width` features for `group` queries, by `chunk` columns at once."""
    program = tl.program_id(1)
    rows, lanes, ahead = tl.program_id(0) * group + tl.arange(0, group), tl.arange(0, width), tl.arange(0, chunk)
    asked = (rows < num_queries)[:, None]
    best = tl.full((group, width), float("inf"), tl.float32)
    lost = tl.full((group, width), float("inf"), tl.float32)
    at = tl.full((group, width), -1, tl.int32)
    for start in range(program * width, num_features, programs * width):
        columns = start + lanes
        inside = columns < num_features
        block = features + columns.to(tl.int64)[None, :] * size  # beyond 2^31 numbers in all
        products = tl.full((group, width), 0.0, tl.float32)
        for first in range(0, size, chunk):
            depth = first + ahead
            within = depth < size
            part = tl.load(queries + rows[:, None] * size + depth[None, :], asked & within[None, :], 0.0)
            other = tl.load(block + depth[:, None], within[:, None] & inside[None, :], 0.0)
            products = tl.dot(part, other, products, input_precision="ieee")  # TF32 would not tell neighbors apart
        distances = tl.load(norms + columns, inside, float("inf"))[None, :] - 2 * products
        lost = tl.minimum(lost, tl.maximum(best, distances))
        at = tl.where(distances < best, columns[None, :], at)
        best = tl.minimum(best, distances)
    lane = rows[:, None] * (programs * width) + program * width + lanes[None, :]
    tl.store(least + lane, best, asked)
    tl.store(positions + lane, at, asked)
    tl.store(dropped + lane, lost, asked)
