"""Where a run's numbers are from: the code that computed them, and the machine."""

from al_bench.analysis.reading import Run


def commits_of(run: Run) -> list[str]:
    """All that its records were computed under, in order."""
    return list(dict.fromkeys(str(record.commit) for record in run.records))


def hardware_of(run: Run) -> list[str]:
    """Its GPUs, or how many cores of which machine."""
    own = run.about["hardware"]
    return [str(name) for name in own.get("gpus") or [f"{own.get('machine')}, {own.get('cores')} cores"]]
