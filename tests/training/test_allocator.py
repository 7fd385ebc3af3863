"""Memory that a step frees is there for the next one, until it is given back."""

import ctypes
import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from al_bench.training.allocator import give_memory_back, keep_freed_memory

HUGE = Path("/sys/kernel/mm/transparent_hugepage/enabled")
SETTINGS = ("TRIM_THRESHOLD", "MMAP_THRESHOLD", "TOP_PAD", "MMAP_MAX")
STEPS = """
import resource, sys
import torch
from al_bench.training.allocator import give_memory_back, keep_freed_memory
def resident():
    return int(open("/proc/self/statm").read().split()[1])
def step():
    large = [torch.ones(10_000_000) for _ in range(2)]  # 40 MB each, more than glibc takes from its heap by itself
    return sum(float(one[0]) for one in large)
done = keep_freed_memory() if sys.argv[1] == "kept" else None
for _ in range(30):  # until the heap has as much as a step takes, small objects between its blocks
    step()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
value = step()
faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
held = resident()
give_memory_back()
print(done, value, faults, held - resident())
"""


def pages_of(how: str) -> tuple[str, str, int, int]:
    """What it said, the value, the pages that its last step was given anew, and those that it had left to give back."""
    line = [sys.executable, "-c", STEPS, how]
    names = ("PATH", "PYTHONPATH", "HOME", "LD_LIBRARY_PATH")
    own = {name: os.environ[name] for name in names if name in os.environ}
    said = subprocess.run(line, check=True, capture_output=True, text=True, env=own).stdout
    done, value, faults, held = said.split()
    return done, value, int(faults), int(held)


@pytest.mark.skipif(not HUGE.parents[1].is_dir(), reason="pages are Linux's")
def test_a_step_has_the_pages_of_the_one_before_until_they_are_given_back() -> None:
    if (HUGE.is_file() and "[always]" in HUGE.read_text()) or os.sysconf("SC_PAGESIZE") != 4096:
        pytest.skip("pages are larger")
    if tuple(map(int, (platform.libc_ver()[1] or "0").split(".")[:2])) < (2, 35):
        pytest.skip("no glibc, or one that takes no block of this size from its heap")
    kept, left = pages_of("kept"), pages_of("left")
    assert kept[:2] == ("True", "2.0") and left[:2] == ("None", "2.0")
    assert kept[2] < 1000 < 10_000 < left[2], "of 19,532 pages of 4 KiB"
    assert kept[3] > 15_000, "80 MB, given back"


@pytest.mark.parametrize("name", SETTINGS)
def test_what_the_environment_says_stands(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    library = Other((2**28,))
    monkeypatch.setattr(ctypes, "CDLL", lambda name: library)
    monkeypatch.setenv(f"MALLOC_{name}_", "131072")
    assert keep_freed_memory() is False
    give_memory_back()
    monkeypatch.delenv(f"MALLOC_{name}_")
    monkeypatch.setenv("GLIBC_TUNABLES", f"glibc.malloc.{name.lower()}=131072")
    assert keep_freed_memory() is False
    give_memory_back()
    assert library.asked == []


class Other:
    """Another C library, or a glibc that knows some sizes of blocks alone."""

    def __init__(self, sizes: tuple[int, ...] | None) -> None:
        self.asked: list[tuple[int, int]] = []
        if sizes is not None:

            def mallopt(option: int, value: int) -> int:
                self.asked.append((option, value))
                return int(option == -1 or value in sizes)

            self.mallopt = mallopt
            self.malloc_trim = lambda left: self.asked.append((0, left))


@pytest.fixture
def unsaid(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment that says nothing of it, but other things of memory."""
    for name in SETTINGS:
        monkeypatch.delenv(f"MALLOC_{name}_", raising=False)
    monkeypatch.setenv("MALLOC_ARENA_MAX", "2")
    monkeypatch.setenv("GLIBC_TUNABLES", "glibc.malloc.arena_max=2")
    return monkeypatch


def test_another_c_library_has_no_such_setting(unsaid: pytest.MonkeyPatch) -> None:
    unsaid.setattr(ctypes, "CDLL", lambda name: Other(None))
    assert keep_freed_memory() is False
    give_memory_back()
    unsaid.setattr(ctypes, "CDLL", lambda name: "/" in name)  # as on Windows, of None
    assert keep_freed_memory() is False


@pytest.mark.parametrize(
    ("sizes", "asked", "done"),
    [
        ((2**28, 2**25), [(-3, 2**28), (-1, 2**29)], True),
        ((2**25,), [(-3, 2**28), (-3, 2**25), (-1, 2**29)], True),
        ((), [(-3, 2**28), (-3, 2**25)], False),
    ],
)
def test_an_old_glibc_takes_smaller_blocks(
    sizes: tuple[int, ...], asked: list[tuple[int, int]], done: bool, unsaid: pytest.MonkeyPatch
) -> None:
    library = Other(sizes)
    unsaid.setattr(ctypes, "CDLL", lambda name: library)
    assert keep_freed_memory() is done
    assert library.asked == asked, "no threshold of what is kept alone"
