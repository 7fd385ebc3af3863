"""Stored cells computed again from nothing: the same bits twice, and what `results/cells` keeps within half a point."""

import json
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from composing import compose, run_id
from safetensors.torch import load_file

from al_bench.config.groups import CONF
from al_bench.config.identity import identify
from al_bench.sources.archives import unpack
from al_bench.storage.cell import read_cell
from al_bench.storage.store import RunStore
from run import instantiated

CELLS = CONF.parent / "results" / "cells"
CLOCKS = ("effort", "commit", "sha256_record")
POINTS = 0.005  # other processors round otherwise, and a training goes its own way from there


class Stored(NamedTuple):
    """line: the command; metrics: those that are held against the cell, None for all; cycles: those that are computed,
    the first one counted, None for all; archive: what of the real data is unpacked for it; times: computed so often;
    moved: by how much rounding on another processor moves a metric, where that is more than POINTS."""

    line: tuple[str, ...]
    metrics: tuple[str, ...] | None = ("accuracy",)
    cycles: int | None = 1
    archive: str = ""
    times: int = 2
    moved: tuple[tuple[str, float], ...] = ()


STORED = {  # lines whose queries no rounding moves
    "asal": Stored(("experiment=asal/mnist_two", "scale=small", "strategy=random"), cycles=11),
    "waal": Stored(("experiment=waal/toy",), metrics=None, cycles=None),
    "waal_fashion_mnist": Stored(("experiment=waal/fashion_mnist", "strategy=random"), times=1),
    "mal": Stored(
        ("experiment=mal/tiny_imagenet", "method=mal/random", "scale=small"), archive="tiny_imagenet20.tar.xz"
    ),
    "alcg": Stored(
        ("experiment=alcg/digits", "method=alcg/rand"),
        ("gan_test", "gan_train", "judge_accuracy"),
        moved=(("gan_test", 0.05), ("gan_train", 0.05)),  # a GAN's first cycle has 0.944 and 0.91 on two processors
    ),
}
EMBEDDED = ("waal", "alcg")  # on the digits
DEAR = {"mal": "two trainings of 40 CPU seconds: --dear-cells"}


def line_of(stored: Stored) -> tuple[str, ...]:
    cut = () if stored.cycles is None else (f"loop.max_cycles={stored.cycles - 1}",)
    return (*stored.line, "seed=0", "device=cpu", "tracking=none", *cut)


def compute(stored: Stored, folder: Path, data: Path) -> dict[str, Any]:
    """Everything that a run leaves, by file name, but for what a clock says."""
    config = compose(*line_of(stored), f"paths.outputs={folder}", f"paths.data={data}")
    with RunStore(folder / "run", identify(config), {}) as store:
        instantiated(config.procedure).run(store)
    found: dict[str, Any] = {}
    for path in sorted((folder / "run").rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.suffix == ".safetensors":
            found[name] = {key: tensor.numpy().tobytes() for key, tensor in load_file(path).items()}
        elif path.suffix == ".json" and path.parent.name == "cycles":
            found[name] = {key: value for key, value in json.loads(path.read_text()).items() if key not in CLOCKS}
    assert found
    return found


@pytest.fixture
def data(request: pytest.FixtureRequest, name: str, tmp_path: Path) -> Path:
    """Where the data of a cell are, unpacked where they are packed."""
    if name in DEAR and not request.config.getoption("--dear-cells"):
        pytest.skip(DEAR[name])
    if name in EMBEDDED:
        return tmp_path
    real: Path = request.getfixturevalue("real_data")
    if STORED[name].archive:
        unpack(real / STORED[name].archive, tmp_path / "data")
        return tmp_path / "data"
    return real


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in EMBEDDED else pytest.mark.real_data) for name in STORED]
)
def test_a_stored_cell_is_computed_again(name: str, data: Path, tmp_path: Path) -> None:
    stored = STORED[name]
    first, *others = (compute(stored, tmp_path / str(number), data) for number in range(stored.times))
    for again in others:
        assert again == first, "the same bits"
    cell = kept(stored, f"paths.data={data}")
    cycles = [value for key, value in first.items() if key.endswith(".json")]
    assert len(cycles) == (stored.cycles or len(cell["cycles"]))
    for mine, theirs in zip(cycles, cell["cycles"], strict=False):
        assert mine["annotations"] == theirs["annotations"]
        for metric in stored.metrics or theirs["metrics"]:
            apart = dict(stored.moved).get(metric, POINTS)
            assert mine["metrics"][metric] == pytest.approx(theirs["metrics"][metric], abs=apart), metric
        if "query" in mine:
            assert mine["query"]["indices"] == list(theirs["query"]["indices"]) != []


def kept(stored: Stored, *overrides: str) -> Any:
    """The cell whose name has the id that this command line gives today."""
    (path,) = CELLS.glob(f"*-{run_id(*line_of(stored), *overrides)}.cell.xz")
    return read_cell(path)


def test_a_cell_of_each_paper_is_kept_under_its_id() -> None:
    papers = {stored.line[0].removeprefix("experiment=").split("/")[0] for stored in STORED.values()}
    assert papers == {"asal", "waal", "mal", "alcg"}
    for stored in (one for one in STORED.values() if not one.archive):  # whose files count, too
        assert len(kept(stored)["cycles"]) >= (stored.cycles or 1)
