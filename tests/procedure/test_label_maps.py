"""Every learner and every strategy on label maps: a run, or a sentence that refuses it, and never a traceback."""

from pathlib import Path

import pytest
from composing import compose, members

from al_bench.config.identity import identify
from al_bench.errors import UserError
from al_bench.storage.store import RunStore
from run import instantiated

TINY = (
    "dataset=shapes_seg", "scale=smoke", "scale.image_size=16", "scale.images=24", "scale.test_images=6",
    "scale.gan_width=0.125", "scale.initial_size=6", "scale.query_size=4", "loop.max_cycles=1",
    "loop.every_class=false", "device=cpu", "tracking=none",
)  # fmt: skip
REFUSED = {  # what a sentence says of them; all others run
    "learner=acgan": "trains a GAN that is told classes",
    "learner=boundary": "use one of two classes",
    "strategy=adba": "use one of two classes",
    "strategy=gaal": "nobody labels their pixels: use one that asks for images of the pool",
}
LINES = [f"learner={name}" for name in members("learner")] + [f"strategy={name}" for name in members("strategy")]


@pytest.mark.slow
@pytest.mark.parametrize("line", LINES)
def test_it_runs_or_is_refused(line: str, tmp_path: Path) -> None:
    others = ("strategy=random",) if line.startswith("learner") else ()
    if line in REFUSED:
        with pytest.raises(UserError, match=REFUSED[line]):
            run(tmp_path, line, *others)
        assert not list(tmp_path.rglob("*.safetensors")), "before anything is trained"
        return
    store = run(tmp_path, line, *others)
    assert store.last is not None
    assert 0 <= store.last.metrics["mean_iou"] <= 1
    assert store.last.index == (0 if line == "strategy=full" else 1)


def run(folder: Path, *line: str) -> RunStore:
    config = compose(*line, *TINY, f"paths.outputs={folder}")
    with RunStore(folder / "run", identify(config), {}) as store:
        instantiated(config.procedure).run(store)
    return store


def test_what_is_refused_is_there() -> None:
    assert REFUSED.keys() <= set(LINES)
