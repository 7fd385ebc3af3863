from made_picks import CLASSES, NAMES, asked, pool, section_of
from made_runs import made_run

from al_bench.analysis.reading import stored
from al_bench.analysis.rebuilding import Rebuilder
from al_bench.errors import UserError
from al_bench.report import picks
from al_bench.report.page import write_report
from al_bench.report.picks import MOST_CYCLES, MOST_PICTURES, Album, cycles_of, show_gallery
from al_bench.report.queries import show_picks


def test_each_picture_has_its_name_guess_answer_and_score(tmp_path):
    made_run(tmp_path, "margin", 0, more=asked())
    found = show_gallery(section_of(tmp_path), pool(), CLASSES)
    ((first, second),) = [cycle.shown for cycle in found.runs[0].cycles]
    assert first.words == [NAMES[1], "model: dog & <b>, 62\N{NO-BREAK SPACE}%", "answer: cat", "score 0.75"]
    assert second.words[0] == "…" + NAMES[2][-39:] and second.name == NAMES[2]
    assert second.words[1:] == ["model: owl, 50\N{NO-BREAK SPACE}%", "answer: cannot tell"]
    assert (first.disagrees, second.disagrees) == (True, False), "what nobody could tell differs from nothing"
    assert first.picture.alt == NAMES[1] and first.picture.uri.startswith("data:image/png")
    rows = found.table.rows
    assert [row[2] for row in rows] == [0, 0, 1, 1], "initial labels too"
    assert rows[2] == ["margin", 0, 1, 0, 1, NAMES[1], "dog & <b>", 0.625, "cat", 0.25, 0.75]


def test_without_the_data_set_names_are_positions_and_the_page_says_why(tmp_path):
    def refuse(node, family):
        raise UserError("no such folder")

    made_run(tmp_path, "margin", 0, more=asked())
    gone = Rebuilder(refuse)
    shown = show_gallery(section_of(tmp_path), gone, ("class 0", "class 1", "class 2")).runs[0].cycles[0].shown
    assert [one.words[:2] for one in shown] == [
        ["position 1", "model: class 1, 62\N{NO-BREAK SPACE}%"],
        ["position 2", "model: class 2, 50\N{NO-BREAK SPACE}%"],
    ]
    assert {one.picture for one in shown} == {None}
    assert gone.words() == ["the data set digits could not be loaded here: no such folder"]


def test_a_picture_that_is_gone_is_left_out_and_named_once(tmp_path):
    made_run(tmp_path, "margin", 0, (0.5, 0.6, 0.7), more=asked())
    left = pool(gone=2)
    for cycle in show_gallery(section_of(tmp_path), left, CLASSES).runs[0].cycles:
        first, second = cycle.shown
        assert first.picture and second.picture is None and second.words[1].startswith("model: owl")
    assert left.words() == [f"a picture of the data set digits is not shown: {NAMES[2]} is no longer there"]
    rows = [one.rows for one in show_picks(section_of(tmp_path), pool(gone=1))]
    assert [[shot.alt for shot, _ in row.first] for (row,) in rows] == [["pool image 2"]] * 2


def test_a_data_set_without_names_or_with_fewer_pictures_has_positions(tmp_path):
    made_run(tmp_path, "margin", 0, more=asked((1, 9)))
    (run,) = section_of(tmp_path).groups[0].runs
    album = Album(run, pool(names=None), CLASSES)
    assert album.name(1) == "position 1" and len(album.pictures([1])) == 1 and album.pictures([1])[0]
    assert Album(run, pool(), CLASSES).name(9) == "position 9"
    assert Album(run, pool(), CLASSES).pictures([1, 9]) == [None, None], "another data set has taken its place"


def test_cycles_of_before_guesses_were_kept_have_the_rest(tmp_path):
    made_run(tmp_path, "margin", 0, more=asked(guesses=None, of_guess=None, of_answer=None))
    (first, _) = show_gallery(section_of(tmp_path), pool(), CLASSES).runs[0].cycles[0].shown
    assert first.words[1:] == ["answer: cat", "score 0.75"] and not first.disagrees


def test_only_what_is_shown_is_read(tmp_path):
    """However many were asked for, in however many cycles."""
    rows, read = MOST_PICTURES + 3, []
    many = asked([place % 4 for place in range(rows)], labels=[0] * rows, scores=[0.5] * rows, guesses=[1] * rows)
    made_run(tmp_path, "margin", 0, (0.5,) * 30, more=many)
    found = show_gallery(section_of(tmp_path), pool(read=read), CLASSES).runs[0]
    assert len(read) == MOST_CYCLES * MOST_PICTURES
    assert [cycle.cycle for cycle in found.cycles] == [1, 7, 12, 18, 23, 29]
    assert (found.more, found.cycles[0].more) == (23, 3)


def test_a_page_of_many_methods_shows_fewer_queries_of_each(tmp_path):
    """Those of few methods have as many as ever; the first and the last one are always there."""
    assert [cycles_of(methods) for methods in (0, 1, 12, 13, 24, 36, 200)] == [6, 6, 6, 5, 3, 2, 2]
    made_run(tmp_path, "margin", 0, (0.5,) * 9, more=asked())
    found = show_gallery(section_of(tmp_path), pool(), CLASSES, cycles_of(200)).runs[0]
    assert ([cycle.cycle for cycle in found.cycles], found.more) == ([1, 8], 6)


def test_methods_and_rows_have_a_limit(tmp_path, monkeypatch):
    monkeypatch.setattr(picks, "MOST_METHODS", 1)
    monkeypatch.setattr(picks, "_MOST_ROWS", 5)
    for strategy in ("margin", "entropy"):
        made_run(tmp_path, strategy, 0, more=asked())
    found = show_gallery(section_of(tmp_path), pool(), CLASSES)
    assert (len(found.runs), found.more, len(found.table.rows)) == (1, 1, 5)
    assert "the first 5 pictures" in found.table.about


def test_synthetic_queries_and_initial_labels_alone_make_no_gallery(tmp_path):
    made_run(
        tmp_path, "gaal", 0, more=asked(indices=(), labels=[], scores=[], guesses=None, of_guess=None, of_answer=None)
    )
    assert show_gallery(section_of(tmp_path), pool(), CLASSES) is None
    made_run(tmp_path / "full", "full", 0, (0.5,), more=asked())
    assert show_gallery(section_of(tmp_path / "full"), pool(), CLASSES) is None


def test_a_larger_picture_is_a_photo(tmp_path):
    made_run(tmp_path, "margin", 0, more=asked())
    found = show_gallery(section_of(tmp_path), pool(width=64), CLASSES).runs[0].cycles[0].shown[0].picture
    assert found.uri.startswith("data:image/webp") and found.width == 64


def test_names_of_files_and_classes_are_text_on_the_page(tmp_path):
    made_run(tmp_path, "margin", 0, more=asked())
    write_report(stored(tmp_path, tmp_path / "cells"), tmp_path / "report", "range", pool())
    text = (tmp_path / "report" / "index.html").read_text()
    shown = text.split("Chosen pictures</h3>")[1].split("<h3")[0]
    assert "Füße/&lt;script&gt;alert(1)&lt;/script&gt;.png" in shown and "<script" not in text
    assert "model: dog &amp; &lt;b&gt;" in shown and "dog & <b>" not in text
    assert 'class="other"' in shown
    assert (tmp_path / "report" / "tables" / "picks-digits.csv").exists()
