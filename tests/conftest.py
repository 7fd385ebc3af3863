"""What every test stands on: one thread, the real data where they are, a browser."""

import gc
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from chromium import CHROMIUM, FLAGS
from seconds import NO_DATA, Seconds

from al_bench.config.composing import keeping_files
from al_bench.config.resolvers import register_resolvers

os.environ["WANDB_MODE"] = "disabled"  # tracking would only cost time; its own tests switch it on
torch.set_num_threads(1)
os.environ["OMP_NUM_THREADS"] = "1"  # of the processes that tests start: threads that wait for each other cost CPU
register_resolvers()

ROOT = Path(__file__).parent.parent
REAL_DATA = Path(os.environ.get("AL_BENCH_DATA", ROOT.parent / "shared" / "data"))


def pytest_addoption(parser: pytest.Parser) -> None:
    """How many faulty files the decoders meet (`make test` takes a sample), and what is written on purpose."""
    parser.addoption("--mutants", type=int, default=450, help="picture files with faults to decode (450)")
    parser.addoption("--dear-cells", action="store_true", help="compute the stored cells again that take a minute, too")
    parser.addoption("--write-golden", action="store_true", help="keep what strategies select now as golden.json")
    parser.addoption("--write-seconds", action="store_true", help="keep the CPU seconds of these files as their budget")


def pytest_configure(config: pytest.Config) -> None:
    """CPU seconds by file."""
    config.pluginmanager.register(Seconds(config), "seconds")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skips, visibly, what is marked `gpu` where there is none."""
    if not torch.cuda.is_available():
        for item in items:
            if item.get_closest_marker("gpu"):
                item.add_marker(pytest.mark.skip(reason="needs a GPU"))


def pytest_collection() -> None:
    """While tests are imported nearly nothing is garbage."""
    gc.disable()


def pytest_collection_finish() -> None:
    """What is imported by now stays: looking through it for garbage is a tenth of the tests' CPU time."""
    gc.collect()
    gc.freeze()
    gc.enable()


def pytest_sessionfinish() -> None:
    """Or libraries say what they find unfreed at the end."""
    gc.unfreeze()


@pytest.fixture(scope="session", autouse=True)
def files_of_conf() -> Iterator[None]:
    """Each is read once by all tests of a process: no test changes `conf/`."""
    with keeping_files():
        yield


@pytest.fixture(scope="module", autouse=True)
def left_open() -> Iterator[None]:
    """What a file's tests left open is an error of its last one: else it is said whenever garbage is collected next,
    in a test that has nothing to do with it."""
    yield
    gc.collect()
    gc.freeze()  # again: what corrects p values unfreezes it


@pytest.fixture
def real_data() -> Path:
    """The folder of real data sets; the test is skipped, visibly, where it is missing."""
    if not REAL_DATA.is_dir():
        pytest.skip(f"{NO_DATA}{REAL_DATA}")
    return REAL_DATA


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    """Headless Chromium, one for the tests of a file."""
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield opened
        opened.close()
