"""How many picks another library's functions make too: the file, and that it is what the script measures."""

import runpy
from pathlib import Path

import pytest

from al_bench.analysis.peers import read_agreements
from al_bench.errors import UserError

SCRIPT = Path(__file__).parents[2] / "scripts" / "compare_peers.py"
HEAD = "strategy,peer,seeds,asked,equal\n"
DRAWN = {"badge", "typiclust", "dropquery", "probcover", "batchbald"}  # by other generators, of ProbCover its many ties


def test_what_draws_nothing_picks_all_that_its_peer_does() -> None:
    found = read_agreements()
    assert {one.strategy for one in found} >= {"margin", "entropy", "coreset", "maxherding", *DRAWN}
    for one in found:
        assert one.equal == one.asked or one.strategy in DRAWN, one
        assert one.equal > 1.2 * one.asked * 30 / 360, "more than one that draws from all points"


def test_the_file_is_what_the_script_measures() -> None:
    script = runpy.run_path(str(SCRIPT))
    kept = {one.strategy: one for one in read_agreements()}
    assert set(kept) == set(script["PEERS"])
    for name in ("margin", "power_bald", "coreset", "badge", "dropquery"):
        one = kept[name]
        assert script["measure"](name) == (name, one.peer, one.seeds, one.asked, one.equal)


def test_every_strategy_that_a_test_holds_against_a_peer_has_its_row() -> None:
    tests = (Path(__file__).parents[1] / "strategy").glob("test_*.py")
    held = {path.stem.removeprefix("test_") for path in tests if "from skactiveml" in path.read_text()}
    assert held >= {"badge", "batchbald", "power_bald", "maxherding"}
    assert held <= {one.strategy for one in read_agreements()}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("strategy,peer\n", "its columns have to be strategy, peer"),
        (HEAD + "margin,made,5,many,3\n", "row 2 has 5, many, 3: seeds, asked and equal have to be whole numbers"),
        (HEAD + "margin,made,5,2,3\n", "row 2 has 3 equal picks of 2 that were asked for"),
    ],
)
def test_another_file_is_refused(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "strategy").mkdir()
    assert read_agreements(tmp_path) == []
    (tmp_path / "strategy" / "peers.csv").write_text(text)
    with pytest.raises(UserError, match=words):
        read_agreements(tmp_path)
