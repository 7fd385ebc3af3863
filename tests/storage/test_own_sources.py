"""Code of one's own that was changed since a run was stored is told of, and is in no id."""

import sys
from collections.abc import Iterator
from pathlib import Path

import forked
import pytest

from al_bench.files import read_json
from al_bench.storage.own_sources import own_sources

SOURCE = """
from al_bench.active.part import declare
from al_bench.strategy.random import Random

@declare("mine/plainly")
class Plainly(Random):
    pass
"""
SMOKE = ("dataset=digits", "scale=smoke", "gan=none", "device=cpu", "tracking=none", "strategy=random")
TOLD = "the source of plain_parts.Plainly changed since this run: raise its revision, or remove the run"


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=":")
    (tmp_path / "plain_parts.py").write_text(SOURCE)
    yield tmp_path / "plain_parts.py"
    sys.modules.pop("plain_parts", None)


def test_parts_that_are_ones_own_have_a_sum(module: Path) -> None:
    score = {"_target_": "hydra.utils.get_method", "path": "plain_parts.Plainly"}
    others = [{"_target_": "al_bench.strategy.random.Random"}, {"_target_": "torch.nn.ReLU"}]
    found = own_sources({"_target_": "builtins.dict", "score": score, "others": others, "learner": {"path": "a.b"}})
    assert found.keys() == {"plain_parts.Plainly"}
    module.write_text(SOURCE + "\n# another\n")
    assert own_sources(score) != found


@pytest.mark.slow
def test_a_run_of_a_source_that_was_changed_says_so(module: Path, tmp_path: Path) -> None:
    own = (*SMOKE, "strategy._target_=plain_parts.Plainly", f"paths.outputs={tmp_path / 'out'}")
    first, again = forked.run(*own), forked.run(*own)
    assert first.returncode == again.returncode == 0, first.stdout + first.stderr
    assert "finished before" in again.stdout and TOLD not in first.stdout + again.stdout
    (config,) = (tmp_path / "out").rglob("config.json")
    assert read_json(config)["sources"].keys() == {"plain_parts.Plainly"}
    module.write_text(SOURCE.replace("pass", "order_invariant = False"))
    changed, sweep = forked.run(*own), forked.run("-m", *own)
    for said in (changed.stdout, sweep.stdout):
        assert TOLD in said
    assert changed.stdout.index(TOLD) < changed.stdout.index("finished before")
