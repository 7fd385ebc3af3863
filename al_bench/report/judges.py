"""By which judge generated images were measured: its scores compare with those of no other one."""

from collections.abc import Iterator, Mapping, Sequence

from al_bench.analysis.curves import last_records
from al_bench.analysis.grouping import Group, Section, group_by, sections
from al_bench.analysis.reading import Run
from al_bench.report.measures import listed, measure
from al_bench.storage.record import CycleRecord

_ACCURACY = "judge_accuracy"
_BY_ANSWERS = ("gan_test", "modes")
_BY_FEATURES = ("inception_score_own", "fid_own", "kid_own")  # and those of neighbors where Inception has none
_OF_NEIGHBORS = ("precision", "recall")

Judges = Mapping[str, frozenset[str]]  # of each run, by its id


def name_judges(runs: Sequence[Run]) -> Judges:
    """Of each run that was judged: a judge by the hash of its weights, and where that was not kept by what it knows of
    real images; left out where two others know as much, so that different names are different judges for sure."""
    known: dict[float | None, set[str]] = {}
    for record in (record for run in runs for record in run.cycles if record.measured_by):
        known.setdefault(_accuracy(record), set()).add(_hash(record))
    found = {run.id: [name for record in run.cycles for name in _names(record, known)] for run in runs}
    return {of: frozenset(names) for of, names in found.items() if names}


def _names(record: CycleRecord, known: Mapping[float | None, set[str]]) -> list[str]:
    """One or none. known: hashes of judges by their accuracy."""
    if record.measured_by:
        return [_hash(record)]
    if (accuracy := _accuracy(record)) is None:
        return []
    names = [*known.get(accuracy, {f"{accuracy}"})]
    return names if len(names) == 1 else []


def say_judges(section: Section) -> list[str]:
    """Where they are not one: of the cycles of a run, of the lines of a seed, whose differences are then the judges',
    too, and of seeds."""
    runs = [run for group in section.groups for run in group.runs]
    judges = name_judges(runs)
    if len(frozenset[str]().union(*judges.values())) < 2:
        return []
    scores = listed(_judged_scores(next(run for run in runs if run.id in judges)))
    return [
        *(_say_run(run, scores) for run in runs if len(judges.get(run.id, ())) > 1),
        *_say_lines(section.groups, judges, scores),
        *_say_seeds(runs, judges, scores),
    ]


def say_judges_of(runs: Sequence[Run]) -> list[str]:
    """`say_judges` of each section, by its title."""
    loops = sections(run for run in runs if run.is_loop)
    return [f"{section.title}: {sentence}" for section in loops for sentence in say_judges(section)]


def say_plain_samples(section: Section) -> Iterator[str]:
    """Lines whose samples the judge takes for their classes more often than it does real images."""
    found: dict[tuple[str, bool], list[str]] = {}
    for group in section.groups:
        ends = last_records(group.runs, lambda record: "gan_test" in record.metrics)
        pairs = [(hits, known) for one in ends if (hits := _number(one, "gan_test")) and (known := _accuracy(one))]
        if not pairs:
            continue
        mean, known = (sum(values) / len(pairs) for values in zip(*pairs, strict=True))
        if mean > known:
            key = (_percent(known), any("gan_train" in one.metrics for one in ends))
            found.setdefault(key, []).append(f"{group.name} ({_percent(mean)})")
    for (known_by_judge, has_train), lines in found.items():
        yield (
            f"GAN-test of {listed(lines)} is above what the judge knows of real test images, {known_by_judge}: such "
            f"samples are plainer than real ones, or copies; see recall{' and GAN-train' if has_train else ''}."
        )


def _say_run(run: Run, scores: str) -> str:
    return (
        f"The cycles of run {run.id} ({'/'.join(run.label)}, seed {run.seed}) were measured by several judges: "
        f"{scores} compare cycles of one."
    )


def _say_lines(groups: Sequence[Group], judges: Judges, scores: str) -> Iterator[str]:
    """Of each division of lines among judges its seeds."""
    divided: dict[tuple[str, ...], list[int]] = {}
    for seed in sorted({run.seed for group in groups for run in group.runs}):
        own = [(group.name, judges[run.id]) for group in groups for run in group.runs if _is_one(run, seed, judges)]
        parts = group_by(own, lambda pair: pair[1]).values()
        if len(parts) > 1:
            divided.setdefault(tuple(listed([name for name, _ in part]) for part in parts), []).append(seed)
    for lines, seeds in divided.items():
        yield (
            f"With {_seeds(seeds)} {_apart(lines)}: a difference between them in {scores} is of the judges as well as "
            "of the lines."
        )


def _is_one(run: Run, seed: int, judges: Judges) -> bool:
    return run.seed == seed and len(judges.get(run.id, ())) == 1


def _say_seeds(runs: Sequence[Run], judges: Judges, scores: str) -> Iterator[str]:
    """Where all lines of a seed have one judge and another seed's have another."""
    of_seed = {
        seed: frozenset[str]().union(*(judges.get(run.id, ()) for run in own))
        for seed, own in sorted(group_by(runs, lambda run: run.seed).items())
    }
    alone = [(seed, min(found)) for seed, found in of_seed.items() if len(found) == 1]
    parts = group_by(alone, lambda pair: pair[1]).values()
    if len(parts) > 1:
        said = _apart([_seeds([seed for seed, _ in part]) for part in parts])
        yield (
            f"{said[0].upper()}{said[1:]}: {scores} compare runs of one judge. Differences between lines are taken "
            "within a seed, but means and intervals over seeds are of several judges."
        )


def _apart(parts: Sequence[str]) -> str:
    first, *others = (f"{part} {'were' if ' and ' in part else 'was'} measured by" for part in parts)
    if len(others) == 1:
        return f"{first} another judge than {parts[1]}"
    return f"{first} one judge, {', '.join(f'{part} by another' for part in parts[1:])}"


def _seeds(seeds: Sequence[int]) -> str:
    return f"seed{'' if len(seeds) == 1 else 's'} {listed(seeds)}"


def _judged_scores(run: Run) -> list[str]:
    """What the judge measures of a run's samples, as it is headed."""
    own = run.cycles[-1].metrics
    by_features = [*_BY_FEATURES, *_OF_NEIGHBORS] if _BY_FEATURES[1] in own else []
    return [measure(name, run.metrics).words for name in (*_BY_ANSWERS, *by_features) if name in own]


def _hash(record: CycleRecord) -> str:
    """The judge's; what stands behind it is of the Inception network, which the run's id knows."""
    return str(record.measured_by).partition("+")[0]


def _accuracy(record: CycleRecord) -> float | None:
    return _number(record, _ACCURACY)


def _number(record: CycleRecord, name: str) -> float | None:
    value = record.metrics.get(name)
    return float(value) if isinstance(value, int | float) else None


def _percent(fraction: float) -> str:
    return f"{100 * fraction:.1f} %"
