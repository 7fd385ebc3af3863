"""Where a run's numbers are from: the code that computed them, and the machine."""

from collections.abc import Sequence

from al_bench.analysis.reading import Run


def commits_of(run: Run) -> list[str]:
    """All that its records were computed under, in order."""
    return list(dict.fromkeys(str(record.commit) for record in run.records))


def say_mixed(runs: Sequence[Run]) -> list[str]:
    """A sentence of each run that went on under another commit than it began with."""
    mixed = [(run, commits) for run in runs if len(commits := commits_of(run)) > 1]
    return [
        f"the cycles of run {run.id} ({'/'.join(run.label)}, seed {run.seed}) are of {len(commits)} commits: "
        f"{', '.join(commits)}"
        for run, commits in mixed
    ]


def hardware_of(run: Run) -> list[str]:
    """Its GPUs, or how many cores of which processor; of runs that do not say that, of which machine."""
    own = run.about["hardware"]
    named = own.get("processor") or own.get("machine")
    return [str(name) for name in own.get("gpus") or [f"{named}, {own.get('cores')} cores"]]
