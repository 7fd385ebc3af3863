"""The table of contents: as many tables and figures as the papers have."""

from pathlib import Path

import pytest

from al_bench.analysis.contents import choose_items, dataset_of, has_data, read_contents
from al_bench.analysis.published import read_published
from al_bench.errors import UserError

COUNTED = {  # of each paper's own numbering
    "ASAL": [*(f"Fig. {number}" for number in (1, 2, *range(6, 29))), "Tab. 1", "Tab. 2"]
    + [f"Fig. {panel}" for panel in ("3a", "3b", "3c", "3d", "4a", "4b", "4c", "4d", "5a", "5b", "5c", "5d")],
    "WAAL": ["Fig. 1", "Fig. 2", "Fig. 3a", "Fig. 3b", "Fig. 3c", "Fig. 4", "Fig. 5a", "Fig. 5b"]
    + [f"Tab. {number}" for number in range(1, 10)],
    "MAL": ["Fig. 1", *(f"Tab. {number}" for number in range(1, 11))],
    "ALCG": [f"Fig. {number}" for number in range(1, 11)],
}
HEADER = "paper,item,holds,experiments,reason\n"


@pytest.mark.parametrize("paper", COUNTED)
def test_every_table_and_figure_is_listed_once(paper: str) -> None:
    found = [item.item for item in read_contents() if item.paper == paper]
    assert sorted(name for name in found if name.startswith(("Fig.", "Tab."))) == sorted(COUNTED[paper])
    assert len(set(found)) == len(found)


def test_every_experiment_of_a_paper_is_of_an_item() -> None:
    """All that have published numbers or claims."""
    listed = {name for item in read_contents() for name in item.experiments}
    assert {table.name for table in read_published([])} <= listed


def written(tmp_path: Path, text: str) -> Path:
    conf = tmp_path / "conf"
    (conf / "experiment").mkdir(parents=True)
    (conf / "experiment" / "contents.csv").write_text(text)
    return conf


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("paper,item\n", "its columns have to be"),
        (HEADER + "MAL,Tab. 1,table\n", "row 2 has not as many cells"),
        (HEADER + "MAL,Tab. 1,poem,,none\n", "holds is 'poem', use one of table"),
        (HEADER + "MAL,Tab. 1,table,,\n", "name experiments, or the reason"),
        (HEADER + "MAL,Tab. 1,table,mal/none,\n", "there is no experiment mal/none"),
    ],
)
def test_a_row_that_is_no_item_is_refused(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(UserError, match=words):
        read_contents(written(tmp_path, text))


def test_items_are_chosen_by_name() -> None:
    items = read_contents()
    assert [item.name for item in choose_items(items, "waal", "Tab. 4")] == ["WAAL Tab. 4"]
    with pytest.raises(UserError, match=r"MAL Tab\. 11 is no table or figure, use one of MAL Fig\. 1, MAL Tab\. 1"):
        choose_items(items, "MAL", "Tab. 11")


def test_data_are_looked_for_where_the_data_set_has_them(tmp_path: Path) -> None:
    assert dataset_of("asal/svhn") == "svhn"
    assert dataset_of("waal/toy") == "digits"
    assert has_data("digits", tmp_path)
    assert not has_data("svhn", tmp_path)
    (tmp_path / "svhn").mkdir()
    assert has_data("svhn", tmp_path)
