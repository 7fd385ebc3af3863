"""A run's record names the processor, by which bfloat16 rounds."""

import platform
from pathlib import Path

import pytest
from made_runs import made_run

from al_bench.analysis.provenance import hardware_of
from al_bench.analysis.reading import stored
from al_bench.files import read_json, write_json
from al_bench.storage.hardware import hardware, processor

TWO = """processor\t: 0
vendor_id\t: AuthenticAMD
cpu family\t: 26
model\t\t: 2
model name\t: AMD  EPYC: one

processor\t: 1
model name\t: another
"""


@pytest.mark.parametrize(
    ("info", "named"),
    [
        (TWO, "AMD EPYC: one, family 26, model 2"),
        ("model name\t: Intel(R) Xeon(R)\n", "Intel(R) Xeon(R)"),
        ("CPU implementer\t: 0x41\n", platform.processor() or platform.machine()),
        ("", platform.processor() or platform.machine()),
    ],
)
def test_the_first_processor_is_named(tmp_path: Path, info: str, named: str) -> None:
    (tmp_path / "cpuinfo").write_text(info)
    assert processor(tmp_path / "cpuinfo") == named


def test_a_system_without_that_file_names_its_architecture(tmp_path: Path) -> None:
    assert processor(tmp_path / "none") == (platform.processor() or platform.machine())


def test_a_record_has_it_and_a_page_shows_it(tmp_path: Path) -> None:
    own = hardware()["hardware"]
    assert own["processor"] and own["instructions"] and own["cores"]
    folder = made_run(tmp_path / "outputs", "entropy", 0)
    about = read_json(folder / "config.json")
    for kept, shown in (
        (own, f"{own['processor']}, {own['cores']} cores"),
        ({"machine": "a", "cores": 3}, "a, 3 cores"),
        ({"machine": "a\x1b[2J", "cores": 3}, r"a\x1b[2J, 3 cores"),
    ):
        write_json(folder / "config.json", {**about, "hardware": {**kept, "gpus": []}})
        (run,) = stored(tmp_path / "outputs", tmp_path / "outputs").runs
        assert hardware_of(run) == [shown]
