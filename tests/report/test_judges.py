from made_runs import cycle, made_measurement, made_run, write_cycle

from al_bench.analysis.grouping import sections
from al_bench.analysis.reading import stored
from al_bench.files import read_json
from al_bench.report.judges import say_judges_of
from al_bench.report.notes import notes

OWN = {"gan_test": 0.9, "fid_own": 12.5, "precision": 0.5, "recall": 0.25}


def judged(tmp_path, strategy, seed, accuracy=0.875, by=None, **metrics):
    """A run of two cycles that a judge measured."""
    found = {"metrics": {**OWN, "gan_test": 0.75, "judge_accuracy": accuracy, **metrics}}
    return made_run(tmp_path, strategy, seed, more={**found, **({"measured_by": by} if by else {})})


def said(tmp_path):
    (section,) = sections(stored(tmp_path, tmp_path / "cells").runs)
    return notes(section)


def test_nothing_is_said_of_one_judge_and_where_it_cannot_be_told(tmp_path):
    judged(tmp_path, "entropy", 0, by="aaaa")
    judged(tmp_path, "entropy", 1)
    assert said(tmp_path) == [], "of before it was kept, and as accurate"
    judged(tmp_path / "two", "entropy", 0, by="aaaa")
    judged(tmp_path / "two", "margin", 0, by="aaaa")
    judged(tmp_path / "two", "waal", 0)
    judged(tmp_path / "two", "entropy", 1, by="bbbb")
    assert len(said(tmp_path / "two")) == 1, "waal's may be either"
    assert said(tmp_path / "two")[0].startswith("Seed 0 was measured by another judge than seed 1: ")


def test_seeds_of_different_judges_are_named(tmp_path):
    for strategy in ("entropy", "margin"):
        for seed in range(5):
            judged(tmp_path, strategy, seed, 0.875 if seed < 3 else 0.9)
    (sentence,) = said(tmp_path)
    assert sentence == (
        "Seeds 0, 1 and 2 were measured by another judge than seeds 3 and 4: gan test, fid own, precision and recall "
        "compare runs of one judge. Differences between lines are taken within a seed, but means and intervals over "
        "seeds are of several judges."
    )


def test_many_sections_are_told_by_their_titles(tmp_path):
    judged(tmp_path, "entropy", 0)
    judged(tmp_path, "entropy", 1, 0.9)
    made_measurement(tmp_path, {"counts": True})
    (sentence,) = say_judges_of(stored(tmp_path, tmp_path / "cells").runs)
    assert sentence.startswith("digits: Seed 0 was measured by another judge than seed 1: ")


def test_three_judges_are_told_apart(tmp_path):
    for seed, by in enumerate("aab"):
        judged(tmp_path, "entropy", seed, by=by * 4)
    judged(tmp_path, "entropy", 3, 0.5)
    (sentence,) = said(tmp_path)
    assert sentence.startswith("Seeds 0 and 1 were measured by one judge, seed 2 by another, seed 3 by another: gan")


def test_lines_of_one_seed_come_first(tmp_path):
    """Of equal accuracy: the weights tell."""
    for seed, by in enumerate(("aaaa", "aaaa", "aaaa", "bbbb")):
        judged(tmp_path, "entropy", seed, by=by)
        judged(tmp_path, "margin", seed, by="cccc" if seed in (1, 2) else by)
        judged(tmp_path, "random", seed, by=by)
    first, second = said(tmp_path)
    assert first.startswith("With seeds 1 and 2 entropy and random were measured by another judge than margin: a diff")
    assert "is of the judges as well as of the lines" in first
    assert second.startswith("Seed 0 was measured by another judge than seed 3: ")


def test_a_run_that_went_on_with_another_judge_is_named(tmp_path):
    folder = judged(tmp_path, "entropy", 0, by="aaaa")
    stored_cycle = read_json(folder / "cycles" / "001.json")
    kept = {key: value for key, value in stored_cycle.items() if not key.startswith("sha256")}
    write_cycle(folder, {**kept, "measured_by": "bbbb"})
    (sentence,) = said(tmp_path)
    assert sentence.startswith(
        f"The cycles of run {folder.name} (digits/entropy, seed 0) were measured by several judges"
    )


def test_where_inception_measures_the_judge_has_its_answers_alone(tmp_path):
    """And another Inception file is none of the judge."""
    metrics = {"gan_test": 0.5, "modes": 2.0, "fid": 9.0, "precision": 0.5, "judge_accuracy": 0.875}
    for name, every in (("judges", ("a+c", "b+c")), ("files", ("a+b", "a+c"))):
        for seed, by in enumerate(every):
            made_run(tmp_path / name, "entropy", seed, more={"metrics": metrics, "measured_by": by})
    (sentence,) = said(tmp_path / "judges")
    assert "seed 1: gan test and modes compare runs" in sentence
    assert said(tmp_path / "files") == []


def test_gan_test_above_what_the_judge_knows_is_said(tmp_path):
    """By the means over seeds, in the last cycles."""
    for seed, gan_test in ((0, 0.85), (1, 0.95)):
        judged(tmp_path, "entropy", seed, gan_test=gan_test, gan_train=0.5)
        judged(tmp_path, "margin", seed, gan_test=gan_test - 0.05, gan_train=0.5)
        judged(tmp_path, "waal", seed, gan_test=None, gan_train=None)
    (sentence,) = said(tmp_path)
    assert sentence == (
        "GAN-test of entropy (90.0 %) is above what the judge knows of real test images, 87.5 %: such samples are "
        "plainer than real ones, or copies; see recall and GAN-train."
    )


def test_gan_test_is_of_as_many_labels_with_each_seed(tmp_path):
    """One seed has but begun, at 10 labels, where the other one is below what the judge knows."""
    folder = judged(tmp_path, "entropy", 0, gan_test=0.8)
    higher = {**OWN, "gan_test": 0.99, "judge_accuracy": 0.875}
    write_cycle(folder, cycle(1, 0.75) | {"metrics": higher})
    made_run(tmp_path, "entropy", 1, (0.5,), more={"metrics": {**OWN, "gan_test": 0.85, "judge_accuracy": 0.875}})
    assert not any("plainer" in sentence for sentence in said(tmp_path))
