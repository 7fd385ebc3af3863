from made_runs import CHOICES, cycle, made_run, write_cycle

from al_bench.analysis.grouping import sections
from al_bench.analysis.reading import stored
from al_bench.report.notes import mixed, notes


def said(tmp_path, strategy="gaal", **changed):
    made_run(tmp_path, "random", 0)
    identity = {
        "part": "made.loop",
        "dataset": {"part": "made.dataset"},
        "evaluator": {"part": "made.Accuracy"},
        "seed": 0,
    }
    made_run(tmp_path, strategy, 0, identity={**identity, **changed}, choices=CHOICES)
    (section,) = sections(stored(tmp_path, tmp_path / "cells").runs)
    return notes(section)


def test_who_stood_in_for_a_person_and_when_it_passes(tmp_path):
    (sentence,) = said(tmp_path, oracle={"part": "made.Judge", "min_confidence": 0.9})
    assert sentence.startswith("gaal: ")
    assert "(made.Judge), which stood in for the paper's person and passes where it is less than 0.9 sure" in sentence
    assert "it passed on 0 of 2 annotations" in sentence
    (sentence,) = said(tmp_path / "always", oracle={"part": "made.Judge", "min_confidence": 0.0})
    assert "always answers" in sentence


def test_what_the_entropy_of_a_hinge_trained_model_is(tmp_path):
    loss = {"part": "loss/hinge@1"}
    (sentence,) = said(tmp_path, "asal_auto", learner={"loss": loss})
    assert "trained with the loss hinge" in sentence
    assert "p = sigmoid(s)" in sentence


def test_a_loss_that_a_learner_knows_by_name_is_named(tmp_path):
    (sentence,) = said(tmp_path, "adba", learner={"part": "learner/boundary@1", "loss": "boundary"})
    assert "trained with the loss boundary" in sentence


def test_the_cross_entropy_needs_no_word(tmp_path):
    """It is the default, which an identity leaves out."""
    assert said(tmp_path, learner={"part": "made.Supervised"}, oracle={"part": "made.GroundTruth"}) == []


def watched(tmp_path, free):
    settings = {"query_size": 10, "free_validation": free}
    identity = {
        "part": "made.loop",
        "dataset": {"part": "made.dataset"},
        "evaluator": {"part": "made.Accuracy"},
        "seed": 0,
        "settings": settings,
    }
    made_run(tmp_path, "random", 0, identity=identity, choices=CHOICES, more={"validation_labels": 500})
    (section,) = sections(stored(tmp_path, tmp_path / "cells").runs)
    (sentence,) = notes(section)
    return sentence, section.groups[0].first.cycles[-1].annotations


def test_pictures_that_could_not_be_read_are_told(tmp_path):
    made_run(tmp_path, "random", 0, choices=CHOICES, more={"skipped_pictures": 3})
    (section,) = sections(stored(tmp_path, tmp_path / "cells").runs)
    (sentence,) = notes(section)
    assert sentence.endswith(": of the data set 3 pictures could not be read and took no part.")


def test_labels_that_early_stopping_saw_are_told_free_or_not(tmp_path):
    sentence, bought = watched(tmp_path / "free", True)
    assert "500 labels of the validation split, which the paper does not count" in sentence
    assert f"{bought} annotations are {bought + 500} labels" in sentence
    sentence, bought = watched(tmp_path / "counted", False)
    assert f"which count: {bought} annotations are {bought - 500} bought ones" in sentence


def test_cycles_of_two_commits_are_said(tmp_path):
    folder = made_run(tmp_path, "random", 0)
    write_cycle(folder, {**cycle(1, 0.75), "commit": "def"})
    (section,) = sections(stored(tmp_path, tmp_path / "cells").runs)
    assert mixed(section) == [f"The cycles of run {folder.name} (digits/random, seed 0) are of 2 commits: abc, def."]
    assert notes(section) == []


def test_lines_that_begin_with_other_labels_are_no_pairs_and_it_is_said(tmp_path):
    for strategy, start in (("entropy", 0), ("margin", 0), ("waal", 5)):
        for seed in (0, 1):
            folder = made_run(tmp_path, strategy, seed)
            record = cycle(0, 0.5)
            record["query"]["indices"] = [start * seed, start * seed + 1]
            write_cycle(folder, record)
    (section,) = sections(stored(tmp_path, tmp_path / "cells").runs)
    (sentence,) = notes(section)
    assert sentence.startswith(
        "waal begins seed 1 with other labels than entropy: tests between lines, claims and contrasts leave such seeds"
    )
