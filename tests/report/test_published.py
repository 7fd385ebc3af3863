import pytest
from made_runs import made_run

from al_bench.report.grouping import sections
from al_bench.report.published import Claim, compared, published, run_for
from al_bench.report.reading import stored

HEADER = "row,column,mean,std,n,source\n"


def table(tmp_path, text, name="paper/made.csv"):
    path = tmp_path / "conf" / "experiment" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    problems = []
    return published(problems, tmp_path / "conf"), problems


def section(tmp_path, **more):
    for seed, accuracy in enumerate((0.80, 0.90)):
        made_run(tmp_path / "outputs", "entropy", seed, (0.5, accuracy), **more)
    (found,) = sections(stored(tmp_path / "outputs", tmp_path / "cells").runs)
    return found


def test_published_beside_measured_with_the_difference(tmp_path):
    ((known,), _) = table(tmp_path, HEADER + "entropy,20,83,2,5,Tab. 1\nentropy,99,90,1,5,Tab. 1\n")
    found = compared(known, section(tmp_path, choices={"experiment": "paper/made"}).groups)
    rows = [dict(zip(found.columns, row, strict=True)) for row in found.rows]
    assert rows[0]["measured"] == pytest.approx(85)
    assert rows[0]["our std"] == pytest.approx(5 * 2**0.5)
    assert (rows[0]["published"], rows[0]["its n"], rows[0]["seeds"]) == (83, 5, 2)
    assert rows[0]["difference"] == pytest.approx(2)
    assert rows[0]["in its stds"] == pytest.approx(1)
    assert (rows[1]["measured"], rows[1]["difference"]) == (None, None)


def test_a_metric_by_its_name_is_that_of_the_end(tmp_path):
    ((known,), _) = table(tmp_path, HEADER + "entropy,accuracy,84,,,text\n")
    (row,) = compared(known, section(tmp_path, choices={"experiment": "paper/made"}).groups).rows
    assert row[5] == pytest.approx(85)
    assert row[8] == pytest.approx(1)
    assert row[9] is None, "no published deviation, no difference in its units"


def test_what_was_not_run_is_said(tmp_path):
    ((known,), _) = table(tmp_path, HEADER + "waal,20,83,,,Tab. 1\n")
    (row,) = compared(known, section(tmp_path).groups).rows
    assert (row[0], row[5]) == ("waal (not measured)", None)


def test_the_entropy_of_what_was_chosen_is_over_all_cycles(tmp_path):
    ((known,), _) = table(tmp_path, HEADER + "entropy,chosen entropy,0.4,,,text\n")
    (row,) = compared(known, section(tmp_path).groups).rows
    assert row[5] == pytest.approx(0.5)
    assert row[8] == pytest.approx(0.1)


def test_a_row_may_name_what_was_chosen_for_a_line(tmp_path):
    ((known,), _) = table(tmp_path, HEADER + "min_distance,20,83,,,Tab. 1\n")
    found = compared(known, section(tmp_path, choices={"method": "min_distance"}).groups)
    assert found.rows[0][0] == "entropy"


def test_claims_are_listed_once_and_never_compared(tmp_path):
    text = "waal,20,,,,ahead of all others (Fig. 3)\nwaal,,it is ahead,,,Sec. 4\nentropy,,it is ahead,,,Sec. 4\n"
    ((known,), _) = table(tmp_path, HEADER + text)
    assert known.claims == [
        Claim(["waal"], "20", "ahead of all others (Fig. 3)", ""),
        Claim(["waal", "entropy"], "", "it is ahead", "Sec. 4"),
    ]
    assert [claim.about for claim in known.claims] == ["waal, 20", "waal and entropy"]
    assert compared(known, section(tmp_path).groups) is None


def test_only_runs_for_it_are_compared(tmp_path):
    ((known,), _) = table(tmp_path, HEADER + "entropy,20,83,2,5,Tab. 1\n")
    assert run_for(known, section(tmp_path)) == []


@pytest.mark.parametrize("text", ["row,mean\na,1\n", HEADER + "a,20,eighty,,,\n", HEADER + "a,20\n", "\x00"])
def test_a_table_in_another_schema_is_named(tmp_path, text):
    found, problems = table(tmp_path, text)
    assert found == []
    (problem,) = problems
    assert problem.place.name == "made.csv"
    assert "is no table of published numbers" in problem.sentence
