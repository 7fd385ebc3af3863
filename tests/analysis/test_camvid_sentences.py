"""What is written of MAL on CamVid, seed 0, computed anew from the stored cells."""

from functools import cache

import pytest
from kept_cells import RESULTS, kept_runs

from al_bench.analysis.published import read_published
from al_bench.analysis.reading import Run

SIZES = (37, 55, 73, 91, 109)
LINES = {
    "random": "mal/random",
    "random, for as many steps as MAL": "mal/random_longer",
    "entropy": "mal/entropy",
    "VAAL": "mal/vaal",
    "SL-Random (features and prototypes first, on labels alone)": "mal/sl_random",
    "SSL-Random (with minimax entropy, random pictures)": "mal/ssl_random",
    "MAL": "mal/mal",
}


@cache
def runs() -> dict[str, Run]:
    found = kept_runs("camvid-mal-*")
    assert len(found) == len({run.choices["method"] for run in found}) == len(LINES) + 1
    return {str(run.choices["method"]): run for run in found}


def values(method: str) -> list[float]:
    """In percent, at each size."""
    found = {one.annotations: 100 * float(one.metrics["mean_iou"]) for one in runs()[method].cycles}
    assert list(found) == list(SIZES)
    return list(found.values())


def less(first: str, second: str) -> list[float]:
    return [round(one - other, 1) for one, other in zip(values(first), values(second), strict=True)]


@pytest.mark.parametrize("line", LINES)
def test_a_row(line: str) -> None:
    assert f"| {line} | {' | '.join(f'{value:.1f}' for value in values(LINES[line]))} |" in RESULTS


def test_what_random_sampling_and_every_label_give() -> None:
    (every,) = runs()["mal/full"].cycles
    whole, random = 100 * float(every.metrics["mean_iou"]), values("mal/random")
    assert f"All {every.annotations} pictures give {whole:.1f} %." in RESULTS
    gains = f"Random gains {random[-1] - random[0]:.1f} points over its budgets and full supervision"
    assert f"{gains} {whole - random[0]:.1f}:" in RESULTS


def test_which_line_is_above_which() -> None:
    minimax, two_phases = less("mal/ssl_random", "mal/sl_random"), less("mal/sl_random", "mal/random")
    assert f"SSL-Random is {min(minimax):.1f} to {max(minimax):.1f} points above SL-Random at each of" in RESULTS
    ahead = [one for one in two_phases if one > 0]
    assert len(ahead) == 4 and f"above random by {min(ahead):.1f} to {max(ahead):.1f} at four" in RESULTS
    longer, beside = less("mal/random_longer", "mal/random"), less("mal/mal", "mal/random_longer")
    assert f"is {-min(longer):.1f} points below random to {max(longer):.1f} above it" in RESULTS
    assert f"MAL is {min(beside):.1f} to {max(beside):.1f} points above that" in RESULTS
    query = less("mal/mal", "mal/ssl_random")
    assert query[0] == 0 and sum(one > 0 for one in query) == sum(one < 0 for one in query) == 2
    assert "{:.1f}, {:+.1f}, {:+.1f} and {:.1f} points after its four queries".format(*query[1:]) in RESULTS
    vaal = less("mal/random", "mal/vaal")[1:]
    assert f"is {min(vaal):.1f} to {max(vaal):.1f} points below random pictures" in RESULTS


def test_what_is_said_of_the_papers_tables() -> None:
    published = {table.name: table for table in read_published([])}
    numbers = {
        name: {(one.row, one.column): one.mean for one in published[f"mal/{name}"].numbers if not one.doubt}
        for name in ("ablation_imagenet", "ablation_bdd100k")
    }

    def apart(name: str, first: str, second: str) -> list[float]:
        own = numbers[name]
        columns = [column for row, column in own if row == first and (second, column) in own]
        return [own[first, column] - own[second, column] for column in columns]

    behind = [-one for one in apart("ablation_bdd100k", "mal/sl_random", "mal/random")]
    assert f"the other way round ({min(behind):.1f} to {max(behind):.1f} below, its doubtful cell left out)" in RESULTS
    ahead = [one for name in numbers for one in apart(name, "mal/mal", "mal/ssl_random")]
    assert f"which is {min(ahead):.1f} to {max(ahead):.1f} points above SSL-Random in Tables 7 and 8" in RESULTS
    assert all(one > 0 for name in numbers for one in apart(name, "mal/ssl_random", "mal/sl_random"))
