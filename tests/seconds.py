"""The tests' CPU seconds by file, held against `tests/seconds.json`: a word at the end of a run, and no failure.

Workers begin with the dearest files, so that none of them is alone with one at the end.

A file's seconds are those of its tests and fixtures and of the processes that they started, forked ones included;
importing is nobody's. `--write-seconds` writes the budget of the files that ran whole.
"""

import json
import math
import os
import resource
from collections import Counter
from collections.abc import Generator, Mapping
from pathlib import Path

import forked
import pytest
from _pytest.terminal import TerminalReporter

BUDGET = Path(__file__).with_suffix(".json")
TOLERATED, SMALLEST = 2.0, 3.0  # times its budget; seconds below which a file is not worth a line
NO_DATA = "no real data in "


def spent() -> float:
    """CPU seconds of this process, of those it has waited for, and of those that were forked for it."""
    usage = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in usage) + forked.spent()


def over_budget(seconds: Mapping[str, float], budget: Mapping[str, float]) -> list[tuple[str, float, float | None]]:
    """File, seconds and budget of each that took more than twice its own, the largest first; None: it has none."""
    found = [(file, took, budget.get(file)) for file, took in seconds.items() if took >= SMALLEST]
    over = [(file, took, own) for file, took, own in found if own is None or took > TOLERATED * own]
    return sorted(over, key=lambda row: -row[1])


def lines_of(seconds: Mapping[str, float], budget: Mapping[str, float]) -> list[str]:
    """What is said at the end of a run."""
    said = [
        f"{file}: {took:.1f} CPU seconds, " + ("has no budget" if own is None else f"{own:.1f} in its budget")
        for file, took, own in over_budget(seconds, budget)
    ]
    whole = sum(budget[file] for file in seconds if file in budget)
    return [*said, f"{sum(seconds.values()):.0f} CPU seconds in {len(seconds)} files, {whole:.0f} in their budget"]


def write_budget(seconds: Mapping[str, float], path: Path = BUDGET) -> None:
    """These files' seconds in the place of what was there; files that are gone are left out."""
    before = json.loads(path.read_text()) if path.exists() else {}
    kept = {file: took for file, took in before.items() if (path.parent.parent / file).exists()}
    kept |= {file: round(took, 1) for file, took in seconds.items()}
    path.write_text(json.dumps(dict(sorted(kept.items())), indent=1) + "\n")


def dearest_first(items: list[pytest.Item], budget: Mapping[str, float]) -> None:
    """Sorts tests by what their file may take, those of a file stay as they are; one without a budget is first."""
    items.sort(key=lambda item: -budget.get(file_of(item), math.inf))


def file_of(item: pytest.Item) -> str:
    return item.nodeid.split("::")[0]


class Seconds:
    """The plugin: counts in every worker, says it in the one that was started."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.by_file: Counter[str] = Counter()

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        if "PYTEST_XDIST_WORKER" in os.environ and BUDGET.exists():
            dearest_first(items, json.loads(BUDGET.read_text()))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        before = spent()
        done = yield
        self.by_file[file_of(item)] += spent() - before  # type: ignore[assignment]
        return done

    def pytest_sessionfinish(self) -> None:
        output = getattr(self.config, "workeroutput", None)
        if output is not None:
            output["seconds"] = dict(self.by_file)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: object) -> None:
        self.by_file.update(getattr(node, "workeroutput", {}).get("seconds", {}))

    def pytest_terminal_summary(self, terminalreporter: TerminalReporter) -> None:
        if self.config.getoption("--write-seconds"):
            write_budget(self.by_file)
        if os.environ.get("PYTEST_XDIST_WORKER") is None and self.by_file:
            budget = json.loads(BUDGET.read_text()) if BUDGET.exists() else {}
            terminalreporter.section("CPU seconds")
            for line in lines_of(self.by_file, budget):
                terminalreporter.line(line)

    @pytest.hookimpl(trylast=True)
    def pytest_unconfigure(self, config: pytest.Config) -> None:
        """The last line, if real data were missing: how many tests that left out."""
        reporter = config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None and (left := left_out(reporter)):
            reporter.line(f"{left} tests were left out: no real data (AL_BENCH_DATA names their folder)")


def left_out(reporter: TerminalReporter) -> int:
    """Tests that were skipped because the real data are not there."""
    skipped = reporter.stats.get("skipped", [])
    return sum(NO_DATA in str(report.longrepr) for report in skipped)
