"""What only one paper shows is found because it stands in its folder, and is named nowhere else."""

import re
from pathlib import Path

import pytest

import al_bench.report
from al_bench.report.paper import papers

REPORT = Path(al_bench.report.__file__).parent
PAPERS = sorted(path.stem for path in (REPORT / "paper").glob("*.py") if path.stem != "__init__")


def test_every_module_is_a_paper():
    assert len(papers()) == len(PAPERS) > 1


@pytest.mark.parametrize("name", PAPERS)
def test_a_paper_is_imported_nowhere_else(name):
    for path in REPORT.rglob("*.py"):
        assert not re.search(rf"report\.paper(\.| import ){name}", path.read_text()), path
