"""Wrong values are refused in one sentence, or run: a sample of `scripts/fuzz.py`, and how it judges."""

import importlib.util
import subprocess
from pathlib import Path

import forked
import pytest

ROOT = Path(__file__).parent.parent
SCRIPT = ROOT / "scripts" / "fuzz.py"


@pytest.fixture(scope="module")
def fuzz():
    spec = importlib.util.spec_from_file_location("fuzz", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
def test_a_sample_of_wrong_values_ends_in_sentences():
    command = [forked.python(), str(SCRIPT), "--count", "25", "--seed", "16"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("25 of ")


@pytest.mark.parametrize(
    ("code", "told", "words", "kind"),
    [
        (0, False, "finished", "run"),
        (2, False, "scale smoke\nerror: seed=x must be a whole number\n", "refused"),
        (2, False, "error: seed=x must be\na whole number\n", "wordy"),
        (2, False, "error: one\nerror: two\n", "wordy"),
        (1, False, "error: seed=x must be a whole number\n", "wordy"),
        (1, False, "Traceback (most recent call last):\nKeyError\n", "traceback"),
        (-11, False, "", "crash"),
        (143, True, "stopped by SIGTERM; everything finished is kept\n", "long"),
        (-15, True, "", "hang"),
        (-9, True, "stopped by SIGTERM", "hang"),
    ],
)
def test_what_a_command_did_is_told_from_its_code_and_its_words(fuzz, code, told, words, kind):
    assert fuzz.kind_of(code, told, words) == kind
    assert (kind in fuzz.GOOD) != (kind in fuzz.BAD)


def test_tries_are_of_every_kind_of_key_and_the_same_each_time(fuzz):
    tries = fuzz.generate(fuzz.LINES[:1])
    overrides = [one.override for one in tries]
    assert overrides == [one.override for one in fuzz.generate(fuzz.LINES[:1])]
    assert len(set(overrides)) == len(overrides) > 1000
    for override in ("+foo=1", "~oracle", "~loop.budget", "loop=3", "loop.budget=nan", "recipe.optimizer=null",
                     "scale=0.5", "paths.outputs=", "learner.epochs=${nothing}", "+learner.foo=1"):  # fmt: skip
        assert override in overrides
