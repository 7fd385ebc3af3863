import re
from itertools import chain

import pytest

from al_bench.analysis.published import Claim, Number, Published, read_published

_PLACE = r"(?:[A-H](?:\.\d)?|\d+(?:\.\d)?[a-d]?)(?!\w)"  # 5.3, 8a, B.1
_CITED = rf"(?:Abstract|(?:Sec|Fig|Tab|App|Eq)s?\. {_PLACE}(?:(?:, | and ){_PLACE})*)"
SOURCE = re.compile(rf"({_CITED}(?:(?:, | and ){_CITED})*)(?:[:,] \S.*)?")
STATING = {  # where a paper states a result; Sec. 4.1 and Fig. 1 of ASAL, say, state none
    "asal": "Abstract, Secs. 1, 2, 3.1, 3.2, 4.2, 5.1, 5.2, 5.3, 5.4, 5.5, 6, Apps. A.4, B.1, C, E.1, F, Tabs. 2, 3, "
    "Figs. 2, 3, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 27, 28",
    "waal": "Abstract, Secs. 1, 2.3, 3.3, 4.1, 4.2, 6, Apps. C.1, C.2, Tabs. 1, 4, 5, 6, 7, 8, 9, Figs. 1, 2, Eq. 3",
    "mal": "Abstract, Secs. 1, 3.3, 4, 4.1, 4.2, 5, 5.1, 6, Tabs. 1, 2, 3, 4, 5, 6, 7, 8, 9",
    "alcg": "Abstract, Secs. 1, 3.3, 3.4, 4.2, 4.3, 4.4, 5, Figs. 1, 3, 5, 6, 7, 8, 9, 10",
}
SUBJECTS = {  # of a claim that is about no metric of several words
    "accuracy", "chosen entropy", "label distribution", "synthetic images", "matches", "labels", "assumptions",
    "preparation", "memory", "complexity", "transition point", "query size", "selection and training", "order",
    "fid", "certain images", "class loss", "criteria", "iterations", "seconds", "training",
}  # fmt: skip
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


def test_a_number_may_be_doubted_in_a_column_of_its_own(tmp_path):
    header = HEADER.replace("source", "source,doubt")
    text = "waal,20,83.0,2.0,5,Tab. 8,Tab. 7's again\nwaal,30,85.0,,,Tab. 8,\nwaal,accuracy,,,,Sec. 5: the best,\n"
    ((known,), problems) = table(tmp_path, header + text)
    assert problems == []
    assert known.numbers == [
        Number("waal", "20", 83.0, 2.0, 5, "Tab. 8", "Tab. 7's again"),
        Number("waal", "30", 85.0, None, None, "Tab. 8"),
    ]
    assert [claim.sentence for claim in known.claims] == ["Sec. 5: the best"]


@pytest.mark.parametrize(
    "text",
    [
        "row,mean\na,1\n",
        HEADER.replace("source", "source,note"),
        HEADER + "a,20,eighty,,,\n",
        HEADER + "a,20\n",
        "\x00",
    ],
)
def test_a_table_in_another_schema_is_named(tmp_path, text):
    found, problems = table(tmp_path, text)
    assert found == []
    (problem,) = problems
    assert problem.place.name == "made.csv"
    assert "is no table of published numbers" in problem.sentence


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ('a,20,"98,5",,,T', r"row 3, mean: '98,5' is no number"),
        ("a,20,98.5 %,,,T", r"row 3, mean: '98.5 %' is no number"),
        ("a,20,98.5 ± 0.3,,,T", r"row 3, mean: '98.5 ± 0.3' is no number"),
        ("a,20,nan,,,T", r"row 3, mean: 'nan' is no number"),
        ("a,20,1e999,,,T", r"row 3, mean: '1e999' is no number"),
        ("a,20,98.5,-0.3,,T", r"row 3, std: -0.3 is a deviation below 0"),
        ("a,20,98.5,0.3,0,T", r"row 3, n: 0 is no number of seeds"),
        ("a,20,98.5,0.3,2.5,T", r"row 3, n: 2.5 is no number of seeds"),
        ("a,20,98.5,0.3,five,T", r"row 3, n: 'five' is no number"),
        ("a,20,,0.3,5,T", r"row 3 has no mean, nor a sentence"),
        ("a,20,,,,Tab. 4", r"row 3 has no mean, nor a sentence"),
        ("a,20,98_5,,,T", r"row 3, mean: '98_5' is no number"),
        ("a,20,\uff19\uff18,,,T", r"row 3, mean: '\uff19\uff18' is no number"),
        ("a,20,98.5,,1_0,T", r"row 3, n: '1_0' is no number"),
        ("a,2_000,98.5,,,T", r"row 3, column: '2_000' is no number of annotations"),
        ("a,2000 ,98.5,,,T", r"row 3, column: '2000 ' is no number of annotations"),
        ("a,20,98.5,,," + "T" * 200_000, r"row 3: field larger than field limit"),
    ],
)
def test_a_bad_number_is_named_by_its_row_and_column(tmp_path, cells, said):
    found, (problem,) = table(tmp_path, f"{HEADER}a,10,97.0,,,T\n{cells}\n")
    assert found == []
    assert re.search(said, problem.sentence)


def places(citation: str) -> set[str]:
    """ "Secs. 1 and 6, Figs. 8a and 8b" names Sec. 1, Sec. 6 and Fig. 8."""
    found = {"Abstract"} & {citation[:8]}
    for kind, rest in re.findall(rf"(Sec|Fig|Tab|App|Eq)s?\. ({_PLACE}(?:(?:, | and ){_PLACE})*)", citation):
        found |= {f"{kind}. {place.rstrip('abcd')}" for place in re.split(", | and ", rest)}
    return found


def real_tables() -> list[Published]:
    problems: list[object] = []
    found = read_published(problems)
    assert problems == []
    return found


def sources(table: Published) -> list[str]:
    """Of numbers and claims; a claim in words has it in front of them."""
    return [*(one.source for one in table.numbers), *(claim.source or claim.sentence for claim in table.claims)]


@pytest.mark.parametrize("table", real_tables(), ids=lambda table: table.name)
def test_each_row_of_a_paper_says_where_it_stands_and_what_it_is_of(table):
    assert table.numbers or table.claims or "/tuning_" in table.name, "no paper tunes what it compares with"
    for source in sources(table):
        assert SOURCE.fullmatch(source), f"{source!r} begins with no place in the paper"
    for claim in table.claims:
        assert claim.column in SUBJECTS or re.fullmatch(r"\d+|[a-z0-9_]+_[a-z0-9_]+( and [a-z0-9_]+)*", claim.column)
        assert claim.source or ": " in claim.sentence, f"{claim.sentence!r} names a place and says nothing"


@pytest.mark.parametrize("paper", STATING)
def test_every_place_that_states_a_result_has_a_row(paper):
    """By sections, tables and figures; not more than is known to state one, so that a slip of a citation is seen."""
    tables = [table for table in real_tables() if table.name.startswith(f"{paper}/")]
    heads = [SOURCE.fullmatch(source) for source in chain.from_iterable(map(sources, tables))]
    assert set().union(*(places(head[1]) for head in heads)) == places(STATING[paper])


def test_places_are_told_from_citations():
    assert places("Abstract, Secs. 1 and 2.3 and Figs. 8a, 8b and 9") == {
        "Abstract", "Sec. 1", "Sec. 2.3", "Fig. 8", "Fig. 9",
    }  # fmt: skip
    assert SOURCE.fullmatch("App. B.1 and Fig. 7: higher")[1] == "App. B.1 and Fig. 7"
    assert not SOURCE.fullmatch("A.4: no kind of place")
