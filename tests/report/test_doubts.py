from made_picks import CLASSES, asked, pool, section_of
from made_runs import made_run

from al_bench.analysis.reading import stored
from al_bench.report.doubts import show_doubts
from al_bench.report.page import write_report

GUESSES = {
    "indices": [0, 1, 2, 3], "labels": [0, 0, 1, -1], "scores": [0.5] * 4, "guesses": [0, 2, 2, 1],
    "of_guess": [0.9, 0.5, 0.75, 0.8], "of_answer": [0.9, 0.375, 0.125, None],
}  # fmt: skip


def test_answers_and_guesses_are_counted_over_all_runs_of_a_method(tmp_path):
    for seed in (0, 1):
        made_run(tmp_path, "margin", seed, (0.5, 0.6), more=asked(**GUESSES))
    (one,) = show_doubts(section_of(tmp_path), pool(), CLASSES).confusions
    assert one.counts == [[4, 0, 4], [0, 0, 4], [0, 0, 0]], "two seeds of two cycles; what could not be told is in none"
    assert (one.of, one.share(0, 2), one.share(2, 0)) == (12, 0.5, 0.0)


def test_the_queue_begins_with_what_the_model_was_surest_of(tmp_path):
    made_run(tmp_path, "margin", 0, (0.5, 0.6), more=asked(**GUESSES))
    found = show_doubts(section_of(tmp_path), pool(), CLASSES)
    (queue,) = found.queues
    assert (queue.length, queue.of, len(queue.shown)) == (4, 6, 4)
    assert [one.words[-1] for one in queue.shown] == [
        "doubt 0.62, cycle 0", "doubt 0.62, cycle 1", "doubt 0.12, cycle 0", "doubt 0.12, cycle 1"
    ]  # fmt: skip
    pairs, rows = (table.rows for table in found.tables)
    assert pairs == [["margin", "cat", "owl", 2], ["margin", "dog & <b>", "owl", 2]]
    assert rows[0] == ["margin", 0, 1, 0, 2, "x" * 60 + "/end.png", "dog & <b>", "owl", 0.625]


def test_many_classes_have_their_pairs_in_the_table_alone(tmp_path):
    names = [f"kind {number}" for number in range(21)]
    made_run(tmp_path, "margin", 0, more={**asked(**GUESSES), "class_counts": [1] * 21})
    found = show_doubts(section_of(tmp_path), pool(), names)
    assert found.confusions == []
    assert found.tables[0].rows[0] == ["margin", "kind 0", "kind 2", 2]


def test_without_guesses_there_is_nothing_to_doubt(tmp_path):
    made_run(tmp_path, "margin", 0, more=asked(guesses=None, of_guess=None, of_answer=None))
    assert show_doubts(section_of(tmp_path), pool(), CLASSES) is None


def test_the_page_has_both(tmp_path):
    made_run(tmp_path, "margin", 0, more=asked(**GUESSES))
    made_run(tmp_path, "random", 0, more={"class_counts": [5, 5, 5]})
    write_report(stored(tmp_path, tmp_path / "cells"), tmp_path / "report", "range", pool())
    text = (tmp_path / "report" / "index.html").read_text().split("Model and answer</h3>")[1]
    assert "margin, 6 pictures" in text and "margin, seed 0: 4 of 6 answers" in text
    tables = tmp_path / "report" / "tables"
    assert (tables / "confused-digits.csv").exists() and (tables / "second-look-digits.csv").exists()
