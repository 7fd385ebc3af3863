from types import SimpleNamespace

import torch
from made_runs import cycle, made_run

from al_bench.analysis.grouping import sections
from al_bench.analysis.reading import stored
from al_bench.analysis.rebuilding import Rebuilder
from al_bench.report.page import write_report
from al_bench.report.queries import count_classes, show_picks

CLASSES = ("cat", "dog", "owl")


def query(labels, scores=None, **values):
    indices = list(range(len(labels)))
    asked = {"indices": indices, "labels": labels, "scores": scores, "ranks": None, "entropies": None}
    return {"query": {**asked, **values}, "class_counts": [5, 5, 5]}


def pool_of_four(node, family):
    images = torch.arange(64, dtype=torch.uint8).reshape(4, 1, 4, 4)
    split = type("Split", (), {"images": images, "labels": torch.tensor([0, 1, 1, 1]), "__len__": lambda self: 4})()
    return SimpleNamespace(train=split, class_names=CLASSES)


def section_of(tmp_path):
    (section,) = sections(stored(tmp_path, tmp_path / "cells").runs)
    return section


def test_each_query_s_classes_over_seeds_and_those_that_it_left_out(tmp_path):
    made_run(tmp_path, "random", 0, more=query([0, 0, 1, -1]))
    made_run(tmp_path, "random", 1, more=query([0, 0, 0, 0]))
    made_run(tmp_path, "entropy", 0, more=query([[0, 2], [-1, 2]]))
    found = count_classes(section_of(tmp_path), CLASSES)
    (_, (entropy,)), (_, (random,)) = found.queries
    assert (random.cycle, random.counts, random.left_out) == (1, [3, 0.5, 0], ["owl"]), "-1 is of no class"
    assert (random.asked_for, entropy.asked_for) == (1.5, 2), "two classes by one seed, one by the other"
    assert random.shares == [1, 0.5 / 3, 0]
    assert (entropy.counts, entropy.left_out) == ([1, 0, 2], ["dog"]), "each image of a line"
    assert found.table.columns == [
        "method", "cycle", "annotations", "seeds", *CLASSES, "classes asked for", "classes left out", "which"
    ]  # fmt: skip
    assert found.table.rows[1] == ["random", 1, 20, 2, 3, 0.5, 0, 1.5, 1, "owl"]


def test_runs_of_a_section_that_have_different_numbers_of_classes(tmp_path):
    """A person adds a class on the page where pictures are labeled."""
    made_run(tmp_path, "entropy", 0, more={**query([0, 0, 1, 1]), "class_counts": [5, 5]})
    made_run(tmp_path, "random", 0, more={**query([0, 0, 1, 1]), "class_counts": [5, 5]})
    made_run(tmp_path, "random", 1, more=query([0, 1, 2, 2]))
    made_run(tmp_path, "full", 0, (0.5,), more={"class_counts": [5, 5], "unlabeled": 0})
    write_report(stored(tmp_path, tmp_path / "cells"), tmp_path / "report", "range", Rebuilder(pool_of_four))
    text = (tmp_path / "report" / "index.html").read_text()
    assert "Label distribution" in text
    (rows,) = [table.read_text() for table in (tmp_path / "report").rglob("*classes.csv")]
    assert [row.split(",")[2] for row in rows.splitlines()[1:]] == [*CLASSES] * 3
    assert "entropy,owl,1,0.0" in rows
    assert "random,owl,2,16.6" in rows


def test_many_classes_have_no_column_each(tmp_path):
    made_run(tmp_path, "random", 0, more={**query([0, 0, 1, 20]), "class_counts": [1] * 21})
    found = count_classes(section_of(tmp_path), [f"kind {number}" for number in range(21)])
    assert found.classes == ()
    assert found.table.rows[0][:6] == ["random", 1, 20, 1, 3, 18]


def test_label_maps_and_initial_labels_are_no_queries(tmp_path):
    made_run(tmp_path, "random", 0, more={"query": {**query([])["query"], "labels": None}})
    assert count_classes(section_of(tmp_path), CLASSES) is None
    made_run(tmp_path / "full", "full", 0, (0.5,))
    assert count_classes(section_of(tmp_path / "full"), CLASSES) is None


def test_of_many_queries_the_first_the_last_and_some_between_are_shown(tmp_path):
    made_run(tmp_path, "random", 0, (0.5,) * 30, more=query([0, 1]))
    found = count_classes(section_of(tmp_path), CLASSES)
    ((_, queries),) = found.queries
    shown = found.shown(queries)
    assert len(queries) == 29
    assert (len(shown), shown[0].cycle, shown[-1].cycle) == (12, 1, 29)


def test_first_picks_of_methods_that_rank_side_by_side(tmp_path):
    made_run(tmp_path, "certainty_mc", 0, (0.5, 0.6, 0.7), more=query([1, 2], [0.5, 0.25]))
    made_run(tmp_path, "least_confidence", 0, (0.5, 0.6, 0.7), more=query([0, -1], [2.0, 1.0], indices=[3, 2]))
    made_run(tmp_path, "least_confidence", 1, (0.5, 0.6, 0.7), more=query([0, 0], [2.0, 1.0]))
    made_run(tmp_path, "random", 0, (0.5, 0.6, 0.7), more=query([0, 1]))
    made_run(tmp_path, "asal_auto", 0, (0.5, 0.6, 0.7), more=query([0, 1], [2.0, 1.0], ranks=[0, 0]))
    first, last = show_picks(section_of(tmp_path), Rebuilder(pool_of_four))
    assert (first.seed, first.cycle, last.cycle) == (0, 1, 2)
    assert [row.group.name for row in first.rows] == ["certainty_mc", "least_confidence"]
    shots = first.rows[1].first
    assert [shot.alt for shot, _ in shots] == ["pool image 3", "pool image 2"]
    assert [words for _, words in shots] == [["label cat", "score 2"], ["no label", "score 1"]]
    assert not first.shows_last and not any(row.last for row in first.rows), "not kept, as in older runs"
    assert show_picks(section_of(tmp_path), Rebuilder(None)) == []


def test_the_other_end_of_a_ranking_stands_below_its_first_picks(tmp_path):
    lowest = {"indices": [3, 0], "scores": [-2.0, None]}
    made_run(tmp_path, "certainty_mc", 0, more=query([1, 2], [0.5, 0.25], lowest=lowest))
    made_run(tmp_path, "entropy", 0, more=query([1, 2], [0.5, 0.25]))
    ((certain, other),) = [picks.rows for picks in show_picks(section_of(tmp_path), Rebuilder(pool_of_four))]
    assert [(shot.alt, words) for shot, words in certain.last] == [("pool image 3", ["score -2"]), ("pool image 0", [])]
    assert [shot.alt for shot, _ in certain.first] == ["pool image 0", "pool image 1"] and not other.last
    write_report(stored(tmp_path, tmp_path / "cells"), tmp_path / "report", "range", Rebuilder(pool_of_four))
    picks = (tmp_path / "report" / "index.html").read_text().split("First picks</h3>")[1].split("<h3")[0]
    assert picks.index("score 0.5") < picks.index("certainty_mc, </span>lowest score</th>") < picks.index("score -2")
    assert picks.count("lowest score</th>") == 1 and "at its other end, which is not asked for" in picks


def test_a_picture_of_the_other_end_that_is_not_in_the_pool(tmp_path):
    made_run(tmp_path, "entropy", 0, more=query([1, 2], [1, 0.25], lowest={"indices": [9], "scores": [0.0]}))
    (picks,) = show_picks(section_of(tmp_path), Rebuilder(pool_of_four))
    assert len(picks.rows[0].first) == 2 and not picks.shows_last


def test_the_page_shows_both(tmp_path):
    made_run(tmp_path, "entropy", 0, more=query([0, 0, 2], [0.75, 0.5, 0.25]))
    write_report(stored(tmp_path, tmp_path / "cells"), tmp_path / "report", "range", Rebuilder(pool_of_four))
    text = (tmp_path / "report" / "index.html").read_text()
    assert ">none</td>" in text.split('class="asked"')[1].split("</table>")[0]
    picks = text.split("First picks</h3>")[1].split("<h3")[0]
    assert "score 0.75" in picks and "lowest score" not in picks and "other end" not in picks
    assert cycle(1, 0.5)["query"]["scores"] is None
    made_run(tmp_path / "other", "random", 0)
    write_report(stored(tmp_path / "other", tmp_path / "cells"), tmp_path / "report", "range", Rebuilder(pool_of_four))
    assert "First picks" not in (tmp_path / "report" / "index.html").read_text()
