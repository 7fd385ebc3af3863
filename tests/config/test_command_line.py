"""What a command line brings that is not typed."""

from pathlib import Path

import pytest
from composing import compose

from al_bench.config.command_line import (
    folder_of,
    quoted,
    unreadable,
    unsupported,
    with_brought,
    with_home,
    with_own_folder,
    with_sweep_words,
)
from al_bench.errors import UserError


@pytest.mark.parametrize(
    ("line", "brought"),
    [
        ("oracle=noisy", []),
        ("oracle=human", ["strategy=margin", "recipe=few_labels"]),
        ("oracle=files strategy=entropy", ["recipe=few_labels"]),
        ("oracle=human representation=backbone network=linear", ["strategy=margin"]),
        ("oracle=human recipe=image_folder", ["strategy=margin"]),
        ("oracle=human learner=mal strategy=mal", []),
    ],
)
def test_a_person_brings_what_few_labels_need_where_nothing_else_is_chosen(line, brought):
    words = line.split()
    assert with_brought(words) == words + brought


@pytest.mark.parametrize("oracle", ["human", "files"])
def test_pictures_of_ones_own_are_not_tracked(oracle):
    config = compose(*with_brought(["dataset=image_folder", "dataset.class_names=[a,b]", f"oracle={oracle}"]))
    assert config.tracking.images is False and config.dataset.image_size == 64 and config.loop.budget == float("inf")


def test_words_of_a_sweep_are_taken_out_of_a_line():
    assert with_sweep_words(["-m", "plan=true", "seed=0"]) == (["-m", "seed=0"], True)
    assert with_sweep_words(["seed=0", "-m", "device=cpu"]) == (["-m", "seed=0", "device=cpu"], False)
    assert with_sweep_words(["plan=False", "order=seeds"]) == (["hydra.launcher.order=seeds"], False)
    for packed in ("hydra.launcher.packed=true", "++hydra.launcher.packed=True"):
        assert with_sweep_words([packed]) == ([packed, "stacked=true"], False)
        assert with_sweep_words([packed, "stacked=false"]) == ([packed, "stacked=false"], False)
    assert with_sweep_words(["hydra.launcher.packed=false"]) == (["hydra.launcher.packed=false"], False)


@pytest.mark.parametrize(
    ("argument", "words"),
    [("plan=yes", "plan=yes must be true or false"), ("order=random", "order=random must be lines or seeds")],
)
def test_another_word_of_a_sweep_is_refused(argument, words):
    with pytest.raises(UserError, match=words):
        with_sweep_words([argument])


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (["--dataset=digits"], "--dataset=digits is not known: options are -m and --help, all else is KEY=VALUE"),
        (["-x"], "-x is not known"),
        (["seed", "1"], "seed has no =: write KEY=VALUE"),
        (["dataset.root=/my", "pictures"], "pictures has no =: write KEY=VALUE"),
        (
            ["hydra.searchpath=[pkg://mine,file:///no/where]"],
            "hydra.searchpath=[pkg://mine,file:///no/where]: /no/where is not",
        ),
        (["hydra.searchpath=['no where']"], "hydra.searchpath=['no where']: no where is not a folder"),
        (["-m", "seed=interval(0,3)"], "seed=interval(0,3) has no values that a sweep could go through: list some"),
    ],
)
def test_what_is_no_argument_is_named(line, words):
    assert str(unreadable(line) or unsupported(line)).startswith(words)


@pytest.mark.parametrize(
    "line",
    [
        ["-m", "seed=1,2", "~tracking", "+x=1", "++y=2"],
        ["--cfg", "job", "--resolve"],
        ["-cjob"],
        ["--info", "plugins", "--config-dir=mine", "-cd", "mine"],
        ["hydra.searchpath=[pkg://mine,file://.,.]"],
    ],
)
def test_what_hydra_takes_is_left_to_it(line):
    assert (unreadable(line) or unsupported(line)) is None


@pytest.mark.parametrize("given", [["--config-dir", "{}"], ["--config-dir={}"], ["-cd", "{}"], ["-cd={}"], ["-cd{}"]])
def test_a_folder_of_ones_own_is_on_the_search_path(tmp_path, given):
    folder = tmp_path / "anna's own, [files]"
    (folder / "strategy").mkdir(parents=True)
    (folder / "strategy" / "mine.yaml").write_text("_target_: al_bench.strategy.random.Random\n")
    line = ["-m", *(item.format(folder) for item in given), "strategy=mine"]
    multirun, choice, searched = with_own_folder(line)
    assert (multirun, choice) == ("-m", "strategy=mine")
    assert (unreadable([searched]) or unsupported([searched])) is None
    assert compose(choice, searched).strategy._target_ == "al_bench.strategy.random.Random"
    beside = with_own_folder([*line, f"hydra.searchpath=[file://{tmp_path}]"])
    assert beside == ["-m", "strategy=mine", searched[:-1] + f",file://{tmp_path}]"]
    assert compose(*beside[1:]).strategy._target_ == "al_bench.strategy.random.Random"


def test_a_folder_that_is_not_there_is_named(tmp_path):
    assert with_own_folder(["-m", "seed=0"]) == ["-m", "seed=0"]
    for line in (["--config-dir", f"{tmp_path}/none"], [f"-cd={tmp_path}/none"], ["--config-dir"]):
        with pytest.raises(UserError, match=r"^-.*d.*=.* is no folder that is there: name one"):
            with_own_folder(line)


@pytest.mark.parametrize("argument", ["--config-name=mine", "-cn", "--config-path=mine", "-cp"])
def test_another_beginning_than_that_of_its_cells_is_not_for_a_sweep(argument):
    assert unsupported([argument, "seed=0"]) is None
    assert str(unsupported(["-m", argument, "seed=0"])).startswith(f"{argument} is not for a sweep")


@pytest.mark.parametrize("quote", ["", "'", '"'])
def test_a_folder_at_home_is_found_behind_a_key(monkeypatch, tmp_path, quote):
    monkeypatch.setenv("HOME", str(tmp_path))
    typed = [f"paths.outputs={quote}~/runs{quote}", "paths.data=~", "paths.cells=a~/b", "note=~/x"]
    found = [f"paths.outputs={quote}{tmp_path}/runs{quote}", f"paths.data={tmp_path}", "paths.cells=a~/b", "note=~/x"]
    assert with_home(typed) == found
    assert folder_of("outputs", typed) == tmp_path / "runs"


@pytest.mark.parametrize("folder", ["plain", "it's", "'qq'", 'a "b"', "ö (x)", "[a]=b {c}"])
def test_a_folder_is_found_again_whatever_it_is_called(folder: str) -> None:
    """As Hydra reads it: quotes that its grammar asks for are taken away, and none that belong to the name."""
    typed = [f"paths.outputs=/tmp/{folder}"]
    assert folder_of("outputs", typed) == folder_of("outputs", quoted(typed)) == Path("/tmp", folder)
