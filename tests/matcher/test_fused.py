"""The scan in one pass: its kernel run by Triton's interpreter on the CPU, and compiled for a GPU that is not here."""

import importlib.util
import re
import subprocess
from pathlib import Path
from types import ModuleType

import pytest
import torch
from torch import Tensor

from al_bench.matcher.exact import Exact, nearest, squared_norms
from al_bench.seeding import generator

triton = pytest.importorskip("triton")
POINTERS = ("queries", "features", "norms", "least", "positions", "dropped")


def loaded() -> ModuleType:
    """The module anew: a kernel is the interpreter's or the compiler's from where it is defined."""
    spec = importlib.util.find_spec("al_bench.matcher.fused")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def fused(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.setenv("TRITON_INTERPRET", "1")
    return loaded()


def searched(fused: ModuleType, features: Tensor, queries: Tensor, count: int) -> Tensor:
    return fused.nearest_fused(features, queries, count, squared_norms(features))


@pytest.mark.parametrize("programs", [1, 2, 1024])
@pytest.mark.parametrize(("at_once", "size"), [(64, 5), (64, 50), (7, 1)])
def test_finds_the_nearest_in_order(
    fused: ModuleType, monkeypatch: pytest.MonkeyPatch, programs: int, at_once: int, size: int
) -> None:
    """Lanes shared by ten features and by one; one part of the columns and two; two groups and three launches."""
    monkeypatch.setattr(fused, "_PROGRAMS", programs)
    monkeypatch.setattr(fused, "_AT_ONCE", at_once)
    features, queries = torch.randn(650, size, generator=generator(0)), torch.randn(19, size, generator=generator(1))
    by_definition = torch.cdist(queries.double(), features.double()).argsort(1)
    for count in (1, 16, 64, 65):
        assert torch.equal(searched(fused, features, queries, count), by_definition[:, :count])


@pytest.mark.parametrize("num_features", [1, 63, 64, 65, 129])
def test_ends_of_blocks(fused: ModuleType, num_features: int) -> None:
    features, queries = torch.randn(num_features, 3, generator=generator(0)), torch.randn(17, 3, generator=generator(1))
    assert torch.equal(searched(fused, features, queries, 1), nearest(features, queries, 1))
    least, positions, dropped = fused.scan(features, queries, squared_norms(features))
    assert sorted(positions[0][positions[0] >= 0].tolist()) == list(range(num_features))
    assert least[positions < 0].isinf().all() and dropped.isinf().all(), "each has a lane of its own"


def test_one_pass_is_all_where_no_two_of_the_nearest_share_a_lane(
    fused: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fused, "_PROGRAMS", 1)
    monkeypatch.setattr(fused, "nearest", None)
    features = torch.arange(200.0)[:, None]
    assert searched(fused, features, torch.tensor([[70.0]]), 3).sort().values.tolist() == [[69, 70, 71]]
    assert searched(fused, features, torch.tensor([[70.0]]), 63).shape == (1, 63)


def test_what_a_lane_dropped_is_found_by_a_second_scan(fused: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """Positions 3 and 67 have one lane of 64; the second query's nearest have not."""
    monkeypatch.setattr(fused, "_PROGRAMS", 1)
    features, again = 10 + torch.arange(130.0)[:, None], []
    features[3], features[67] = 1.0, 2.0
    monkeypatch.setattr(fused, "nearest", lambda *scanned: again.append(scanned[1].tolist()) or nearest(*scanned))
    assert searched(fused, features, torch.tensor([[0.0], [100.2]]), 2).tolist() == [[3, 67], [90, 91]]
    assert again == [[[0.0]]]


@pytest.mark.parametrize("programs", [1, 1024])
def test_matches_are_those_of_torch(fused: ModuleType, monkeypatch: pytest.MonkeyPatch, programs: int) -> None:
    """Few distinct points, so that all depends on ties, and more is fetched than fits in the lanes."""
    monkeypatch.setattr(fused, "_PROGRAMS", programs)
    features = torch.randint(-2, 3, (300, 2), generator=generator(0)).float()
    queries, taken = torch.randint(-4, 5, (40, 2), generator=generator(1)) / 2, torch.arange(0, 300, 3)
    there, here = Exact("torch"), Exact("torch")
    for matcher in (there, here):
        matcher.fit(features)
    there.scan = fused.nearest_fused
    found, expected = (matcher.match(queries, taken, generator(2)) for matcher in (there, here))
    assert torch.equal(found.indices, expected.indices) and torch.equal(found.ranks, expected.ranks)


def test_compiles_for_an_h100_and_keeps_all_in_registers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What runs there is not what the interpreter runs; STACK is what a thread has to put elsewhere."""
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource

    monkeypatch.setenv("TRITON_CACHE_DIR", str(tmp_path / "cache"))
    fused = loaded()
    names = fused._scan.arg_names
    tile = {"group": fused._QUERIES, "width": fused._LANES, "chunk": fused._DEPTH}
    kinds = {**dict.fromkeys(names, "i32"), **dict.fromkeys(POINTERS, "*fp32"), "positions": "*i32"}
    kinds |= dict.fromkeys(tile, "constexpr")
    source = ASTSource(fused._scan, kinds, tile, {(names.index(name),): [["tt.divisibility", 16]] for name in POINTERS})
    binary = tmp_path / "scan.cubin"
    binary.write_bytes(triton.compile(source, GPUTarget("cuda", 90, 32), fused._OPTIONS).asm["cubin"])
    command = [triton.knobs.nvidia.cuobjdump.path, "-res-usage", str(binary)]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert re.search(r"STACK:(\d+)", said).group(1) == "0", said  # type: ignore[union-attr]
