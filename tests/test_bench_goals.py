"""The goals of the bench are those of its claims, whose sides agree on little."""

import dataclasses
from contextlib import nullcontext
from functools import partial

from benchmarks import (
    acgan,
    allocator,
    clustering,
    command,
    composing,
    coreset,
    cycle,
    deepfool,
    features,
    fit,
    folder,
    gan,
    gan_quality,
    labeling,
    mal,
    map_scoring,
    matcher,
    matcher_scale,
    reading,
    scoring,
    sweep_start,
    waal,
)
from scripts.bench import CLAIMS


def test_goals_are_those_of_the_claims(monkeypatch, tmp_path):
    """Looked at without measuring: every claim of the command has a goal, and none is looser than it was set."""
    monkeypatch.setattr(coreset, "peak_memory", lambda points, labeled: points)
    monkeypatch.setattr(deepfool, "EPOCHS", 2)
    monkeypatch.setattr(waal, "BATCH_SIZE", 2)
    monkeypatch.setattr(waal, "STEPS", {"LeNet5": 1, "VGG16-BN": 1})
    monkeypatch.setattr(matcher, "compared", lambda rows, pairs: (0.1, "", True))
    monkeypatch.setattr(matcher_scale, "apart", lambda task, *arguments: task(*arguments))
    monkeypatch.setattr(matcher_scale, "TUNED_ON", 200)
    monkeypatch.setattr(matcher_scale, "HELD_OUT", 100)
    monkeypatch.setattr(cycle, "own_share", lambda *arguments, **options: (0.01, ""))
    monkeypatch.setattr(features, "OUTPUTS", tmp_path)
    monkeypatch.setattr(folder, "apart", lambda task, *arguments: task(*arguments))
    monkeypatch.setattr(map_scoring, "apart", lambda task, *arguments: task(*arguments))
    monkeypatch.setattr(command, "_help", lambda number: b"")
    monkeypatch.setattr(composing, "CELLS", composing.CELLS[:1])
    monkeypatch.setattr(sweep_start, "said_by", lambda start, folder, number: str(number))
    monkeypatch.setattr(sweep_start, "forking", lambda *arguments: nullcontext())
    monkeypatch.setattr(labeling, "press", lambda keys, seconds: labeling.Pressed([0.01] * keys, keys))
    rows = {
        "fit": fit.measure(
            [dataclasses.replace(narrow(training), num_images=70, pairs=1) for training in fit.TRAININGS]
        ),
        "coreset": coreset.measure(60, 20, 3, 1),
        "clustering": clustering.measure(300, 20, 2_000, 20),
        "deepfool": deepfool.measure(20, 4, 2),
        "matcher": matcher.measure(100, 1),
        "matcher16m": list(matcher_scale.measure((300, 600), 500, tmp_path)),
        "scoring": scoring.measure(40, 20),
        "reading": reading.measure(num_pictures=40, turns=1),
        "map_scoring": map_scoring.measure(80, 2),
        "cycle": cycle.measure(),
        "features": features.measure(1, 60, 20),
        "gan": gan.measure((4, 8, 16), 2, 1),
        "gan_quality": gan_quality.measure(40, 1, 1, (4, 4, 4), 1),
        "waal": waal.measure(1),
        "mal": mal.measure(1, 1),
        "acgan": acgan.measure(1, 2, (4, 3, 2)),
        "allocator": allocator.measure(1, 2),
        "composing": composing.measure(1),
        "sweep_start": sweep_start.measure(1),
        "labeling": labeling.measure(),
        "folder": folder.measure(40, 1),
        "help": command.measure(),
    }
    assert list(rows) == list(CLAIMS)
    goals = {name: [str(row.goal) for row in rows[name]] for name in rows}
    assert goals == {
        "fit": ["at most 1.500 x", "at most 0.850 x", "at most 0.450 x", "at most 0.450 x"][: len(rows["fit"])],
        "coreset": ["at most 0.400 x", "at most 4.000 x"],
        "clustering": ["at most 1.030 x", "None"],
        "deepfool": ["at most 0.125 x", "None"],
        "matcher": ["at most 0.200 x", "None"],
        "matcher16m": [
            *["None", "None", "at most 0.0667 x", "at most 0.00333 x", "at most 20.0 GiB", "at least 99.00 %"],
            *["None", "None", "None", "at most 0.04 x", "at most 20.0 GiB", "at least 99.00 %"],
            "None",
        ],
        "scoring": ["at most 0.850 x", "at most 0.200 x"],
        "reading": ["at most 1.100 x", "at most 1.100 x"],
        "map_scoring": ["at most 2.0 GiB"],
        "cycle": ["at most 2.00 %", "None"],
        "features": ["at most 2.00 s"],
        "waal": ["at most 3.000 x", "at most 2.300 x", "at most 0.600 x", "at most 0.600 x"][: len(rows["waal"])],
        "mal": ["at most 2.300 x", "at most 2.300 x"],
        "acgan": [f"at most {goal:.3f} x" for goal in (1.1, 1.9, 1.1, 1.9, 1.1, 1.7)],
        "allocator": ["at most 0.950 x"],
        "gan": [f"at most {goal:.3f} x" for goal in (0.9, 0.55, 0.9)][: len(rows["gan"])],  # fewer without bfloat16
        "gan_quality": ["at most 1.000 x", "at most 1.000 x", "None"],
        "composing": ["at most 0.650 x"],
        "sweep_start": ["at most 0.50 s", "None"],
        "labeling": ["at most 0.10 s", "at least 100.00 %"],
        "folder": ["at most 8.000 x", "at most 0.2 GiB"],
        "help": ["at most 1.50 s"],
    }
    assert [row.cells for measured in rows.values() for row in measured if not row.agrees] == []


def narrow(training):
    """The same with a sixteenth of ResNet18's channels."""
    if training.name != "ResNet18":
        return training
    return dataclasses.replace(training, network=partial(training.network, width=4))
