import pytest
from made_runs import made_run

from al_bench.analysis.grouping import group_runs, sections
from al_bench.analysis.reading import stored


def runs(outputs):
    return stored(outputs, outputs / "cells").runs


def test_seeds_of_one_configuration_are_one_group(tmp_path):
    for seed in (2, 0, 1):
        made_run(tmp_path, "entropy", seed)
    ((group,),) = [section.groups for section in sections(runs(tmp_path))]
    assert (group.name, group.seeds, list(group.differs)) == ("entropy", [0, 1, 2], [])


def test_another_configuration_of_the_same_label_stands_apart(tmp_path):
    made_run(tmp_path, "entropy", 0)
    made_run(tmp_path, "entropy", 1)
    made_run(tmp_path, "entropy", 2, learner={"epochs": 9})
    (section,) = sections(runs(tmp_path))
    first, second = section.groups
    assert (first.seeds, second.seeds) == ([0, 1], [2])
    assert second.name == "entropy (2)"
    assert list(second.differs) == ["learner.epochs is 5 there and 9 here"]


def test_lines_without_a_number_are_of_the_same_settings(tmp_path):
    """Of a second learning rate there are more seeds of one line; ids, which decide between equals, lie anyhow."""
    for strategy in ("entropy", "margin", "random"):
        made_run(tmp_path, strategy, 0)
        made_run(tmp_path, strategy, 1)
        made_run(tmp_path, strategy, 0, learner={"epochs": 9})
    for seed in (1, 2):
        made_run(tmp_path, "margin", seed, learner={"epochs": 9})
    (section,) = sections(runs(tmp_path))
    epochs = {group.name: group.first.identity["learner"]["epochs"] for group in section.groups}
    assert epochs == {
        "entropy": 5, "entropy (2)": 9, "margin": 5, "margin (2)": 9, "random": 5, "random (2)": 9,
    }  # fmt: skip


def test_of_equally_many_runs_the_same_settings_are_first_in_all_lines(tmp_path):
    for strategy in ("bald", "entropy", "margin", "random", "waal"):
        for epochs in (5, 9):
            made_run(tmp_path, strategy, 0, learner={"epochs": epochs})
    (section,) = sections(runs(tmp_path))
    firsts = {group.first.identity["learner"]["epochs"] for group in section.groups if group.variant == 0}
    assert len(firsts) == 1


def test_another_data_set_of_the_same_name_is_another_section(tmp_path):
    made_run(tmp_path, "entropy", 0)
    made_run(tmp_path, "random", 0)
    other = runs(tmp_path)[0]
    about = {**other.about, "identity": {**other.identity, "dataset": {"part": "made.dataset", "max_images": 9}}}
    found = sections([*runs(tmp_path), type(other)(other.place, about, other.records)])
    assert [section.title for section in found] == ["digits", "digits, max images 9"]
    assert list(found[1].differs) == ["dataset.max_images is None there and 9 here"]


def test_sections_of_one_title_are_numbered(tmp_path):
    made_run(tmp_path, "entropy", 0)
    made_run(tmp_path, "random", 0)
    known = runs(tmp_path)
    tasks = [
        {"evaluator": {"part": "evaluator/gan_quality@1"}},
        {"evaluator": {"part": "evaluator/gan_quality@1", "samples": 9}},
        {"dataset": {"part": "made.dataset", "files": "abc"}},
    ]
    others = [type(known[0])(known[0].place, about_with(known[0], **task), known[0].records) for task in tasks]
    first, *rest = [section.title for section in sections([*known, *others])]
    assert first == "digits"
    assert sorted(title[: -len(" (2)")] for title in rest) == ["digits", *["digits, gan quality"] * 2]
    assert [title[-len(" (2)") :] for title in rest] == [" (2)", " (3)", " (4)"]


def test_what_is_measured_otherwise_is_no_other_data_set(tmp_path):
    """And of an evaluator of another kind no setting is told."""
    made_run(tmp_path, "entropy", 0)
    made_run(tmp_path, "random", 0)
    known = runs(tmp_path)
    quality = {"part": "evaluator/gan_quality@1", "samples": 9, "judge": {"steps": 5}}
    other = type(known[0])(known[0].place, about_with(known[0], evaluator=quality), known[0].records)
    data = type(known[0])(known[0].place, about_with(known[0], dataset={"part": "made.other"}), known[0].records)
    first, *rest = sections([*known, other, data])
    assert not first.differs
    said = {one.apart: list(one.differs) for one in rest}
    own = known[0].identity.get("evaluator", {}).get("part")
    assert said["The data set of the section above, measured otherwise"] == [
        f"evaluator is {own} there and evaluator/gan_quality@1 here"
    ]
    assert [line.split()[0] for line in said["Another data set than in the section above"]] == ["dataset.part"]


def about_with(run, **parts):
    return {**run.about, "identity": {**run.identity, **parts}}


def test_a_part_that_takes_the_runs_seed_does_not_part_its_runs(tmp_path):
    for seed in (0, 1):
        made_run(tmp_path, "entropy", seed, learner={"seed": seed})
    assert [len(group) for group in group_runs(runs(tmp_path))] == [2]


def test_a_part_with_a_seed_of_its_own_does(tmp_path):
    for own in (7, 8):
        for seed in (0, 1):
            made_run(tmp_path, "entropy", seed, learner={"seed": own})
    found = group_runs(runs(tmp_path))
    assert [[run.seed for run in group] for group in found] == [[0, 1], [0, 1]]


def test_runs_that_share_a_parts_seed_are_one_group_even_where_it_is_one_of_theirs(tmp_path):
    for seed in (0, 1):
        made_run(tmp_path, "entropy", seed, learner={"seed": 0})
    assert [len(group) for group in group_runs(runs(tmp_path))] == [2]


@pytest.mark.parametrize(
    ("strategy", "method", "words"),
    [
        ("random", "none", "the line (untuned)"),
        ("random", "matched/random", "the line (untuned)"),
        ("random", "tuned/digits_waal", "the line"),
        ("random", "compared/entropy", "the line (untuned)"),
        ("random", "compared/random", "the line"),
        ("random", "compared/untuned_features", "the line (untuned)"),
        ("entropy", "none", "the line"),
    ],
)
def test_random_sampling_that_nobody_tuned_says_so(tmp_path, strategy, method, words):
    made_run(tmp_path, strategy, 0, choices={"method": method})
    ((group,),) = [section.groups for section in sections(runs(tmp_path))]
    assert group.say_as_baseline("the line") == words


@pytest.mark.parametrize("key", ["experiment", "gan"])
def test_else_the_line_of_what_most_runs_have_bears_the_name_alone(tmp_path, key):
    """Of the experiment, and of the GAN that a strategy has, which is no setting beside it."""
    for strategy, which, lr in (("entropy", "b", 2), ("entropy", "a", 1), ("margin", "a", 1), ("margin", "b", 2)):
        for seed in range(3 if (strategy, which) == ("margin", "a") else 2):
            gan = {"gan": which} if key == "gan" else {}
            made_run(
                tmp_path, strategy, seed, choices={"experiment": which if key == "experiment" else "one"},
                identity={"part": "made.loop", "strategy": {"part": strategy, "lr": lr, **gan}, "seed": seed},
            )  # fmt: skip
    (section,) = sections(runs(tmp_path))
    named = {one.name: one.first.identity["strategy"]["lr"] for one in section.groups}
    assert named == {"entropy": 1, "entropy (2)": 2, "margin": 1, "margin (2)": 2}


def test_the_line_of_the_recipes_own_experiment_bears_the_name_alone(tmp_path):
    """Before trials of another one, however many these are and in whatever order they come."""
    for rate, experiment in ((0.1, "paper/trial"), (0.2, "paper/trial"), (0.3, "paper/made"), (0.4, "none")):
        for seed in range(3 if experiment == "paper/trial" else 2):
            choices = {"experiment": experiment, "recipe": "paper/made"}
            strategy = {"part": "made.entropy", "lr": rate}
            made_run(
                tmp_path,
                "entropy",
                seed,
                choices=choices,
                identity={"part": "made.loop", "strategy": strategy, "seed": seed},
            )
    (section,) = sections(runs(tmp_path))
    first, *others = section.groups
    assert (first.name, first.first.choices["experiment"]) == ("entropy", "paper/made")
    assert [(one.name, len(one.runs)) for one in others] == [("entropy (2)", 3), ("entropy (3)", 3), ("entropy (4)", 2)]
