import pytest

from al_bench.analysis.published import Claim, read_published

HEADER = "row,column,mean,std,n,source\n"


def table(tmp_path, text, name="paper/made.csv"):
    path = tmp_path / "conf" / "experiment" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    problems = []
    return read_published(problems, tmp_path / "conf"), problems


def test_claims_are_listed_once_and_never_compared(tmp_path):
    text = "waal,20,,,,ahead of all others (Fig. 3)\nwaal,,it is ahead,,,Sec. 4\nentropy,,it is ahead,,,Sec. 4\n"
    ((known,), _) = table(tmp_path, HEADER + text)
    assert known.claims == [
        Claim(["waal"], "20", "ahead of all others (Fig. 3)", ""),
        Claim(["waal", "entropy"], "", "it is ahead", "Sec. 4"),
    ]
    assert known.numbers == []


@pytest.mark.parametrize("text", ["row,mean\na,1\n", HEADER + "a,20,eighty,,,\n", HEADER + "a,20\n", "\x00"])
def test_a_table_in_another_schema_is_named(tmp_path, text):
    found, problems = table(tmp_path, text)
    assert found == []
    (problem,) = problems
    assert problem.place.name == "made.csv"
    assert "is no table of published numbers" in problem.sentence
