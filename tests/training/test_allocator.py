"""Memory that a step frees is there for the next one."""

import ctypes
import os
import subprocess
import sys

import pytest

from al_bench.training.allocator import keep_freed_memory

STEPS = """
import resource, sys
import torch
from al_bench.training.allocator import keep_freed_memory
done = keep_freed_memory() if sys.argv[1] == "kept" else None
def step():
    large = [torch.ones(10_000_000) for _ in range(2)]  # 40 MB each, more than glibc takes from its heap by itself
    return sum(float(one[0]) for one in large)
for _ in range(30):  # until the heap has as much as a step takes, small objects between its blocks
    step()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
value = step()
print(done, value, resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults_of(how: str) -> tuple[str, str, int]:
    """What it said, the value, and the pages that its last step was given anew."""
    line = [sys.executable, "-c", STEPS, how]
    said = subprocess.run(line, check=True, capture_output=True, text=True).stdout
    done, value, faults = said.split()
    return done, value, int(faults)


@pytest.mark.skipif(os.sysconf("SC_PAGESIZE") != 4096, reason="pages are counted")
def test_a_step_has_the_pages_of_the_one_before() -> None:
    kept, given_back = faults_of("kept"), faults_of("left")
    if kept[0] == "False":
        pytest.skip("no glibc")
    assert kept[:2] == ("True", "2.0") and given_back[:2] == ("None", "2.0")
    assert kept[2] < 1000 < 10_000 < given_back[2], "of 19,532 pages of 4 KiB"


@pytest.mark.parametrize(
    ("name", "value"), [("MALLOC_TRIM_THRESHOLD_", "131072"), ("GLIBC_TUNABLES", "glibc.malloc.trim_threshold=131072")]
)
def test_what_the_environment_says_stands(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    assert keep_freed_memory() is False


def test_another_c_library_has_no_such_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda name: object())
    assert keep_freed_memory() is False
