"""On a page of all that is stored a claim is judged of its experiment's own lines, or of none."""

from pathlib import Path

from made_runs import made_run

from al_bench.analysis.experiment import plan_experiment
from al_bench.analysis.grouping import Group, sections
from al_bench.analysis.published import Claim, Number, Published
from al_bench.analysis.reading import stored
from al_bench.analysis.rules import read_rule
from al_bench.analysis.table_lines import groups_run_for, lines_in, say_unknown
from al_bench.config.groups import CONF
from al_bench.report.verdicts import word_verdicts

CLAIM = Claim(["entropy"], "accuracy", "it is better", "Sec. 1", [read_rule("accuracy better than random")])


def groups_of(folder: Path) -> list[Group]:
    (section,) = sections(stored(folder, folder / "cells").runs)
    return list(section.groups)


def line(folder: Path, strategy: str, experiment: str | None, value: float, rate: float = 0.1, **choices: str) -> None:
    """Three seeds of one configuration, which a rate tells apart."""
    chosen = {"experiment": experiment or "none", "recipe": "paper/made", **choices}
    for seed in range(3):
        made_run(
            folder, strategy, seed, (0.5, value + len(strategy) * seed / 1000), choices=chosen, learner={"lr": rate}
        )


def judged(groups: list[Group], name: str = "paper/made", claim: Claim = CLAIM) -> list[tuple[str, str]]:
    return [*word_verdicts(claim, lines_in(Published(name, [], [claim]), groups))]


def test_the_line_that_was_run_for_the_experiment_is_the_one(tmp_path: Path) -> None:
    """A trial of another one bears the same name, and is worse here."""
    line(tmp_path, "random", "paper/made", 0.7)
    line(tmp_path, "entropy", "paper/made", 0.8)
    line(tmp_path, "entropy", "paper/trial", 0.6, rate=0.2)
    groups = groups_of(tmp_path)
    assert [one.method for one in groups_run_for(Published("paper/made", []), groups)] == ["entropy", "random"]
    ((word, reason),) = judged(groups)
    assert word == "holds" and "+5.05" in reason
    ((word, reason),) = judged(groups, "paper/trial")
    assert word == "not decided" and reason.startswith("random may be random: a page"), "which is another's"


def test_a_line_of_another_name_of_the_experiment_goes_before_a_trial_of_its_name(tmp_path: Path) -> None:
    """A row may say what was chosen for a line, whose path is another."""
    line(tmp_path, "random", "paper/made", 0.7)
    line(tmp_path, "entropy", "paper/trial", 0.6)
    line(tmp_path, "coreset", "paper/made", 0.8, method="entropy")
    assert judged(groups_of(tmp_path))[0][0] == "holds"


def test_a_line_is_an_experiments_where_one_of_its_seeds_was_run_for_it(tmp_path: Path) -> None:
    """The others may have been there before, for another one."""
    line(tmp_path, "random", "paper/made", 0.7)
    line(tmp_path, "entropy", "paper/trial", 0.8)
    made_run(
        tmp_path, "entropy", 3, (0.5, 0.83), choices={"experiment": "paper/made", "recipe": "paper/made"},
        learner={"lr": 0.1},
    )  # fmt: skip
    groups = groups_of(tmp_path)
    assert judged(groups)[0][0] == "holds"
    assert [one.method for one in groups_run_for(Published("paper/made", []), groups)] == ["entropy", "random"]


def test_what_was_run_by_hand_stands_beside_no_line_of_the_experiment(tmp_path: Path) -> None:
    line(tmp_path, "entropy", "paper/made", 0.8)
    line(tmp_path, "entropy", None, 0.7, rate=0.2)
    line(tmp_path, "random", None, 0.6)
    found = groups_run_for(Published("paper/made", []), groups_of(tmp_path))
    assert [(one.method, one.first.choices["experiment"]) for one in found] == [
        ("entropy", "paper/made"), ("random", "none")
    ]  # fmt: skip


def test_what_was_run_by_hand_counts_where_nothing_was_run_for_it(tmp_path: Path) -> None:
    line(tmp_path, "random", None, 0.7)
    line(tmp_path, "entropy", None, 0.8)
    line(tmp_path, "entropy", "paper/trial", 0.6, rate=0.2)
    groups = groups_of(tmp_path)
    assert judged(groups)[0][0] == "holds"
    line(tmp_path, "entropy", "paper/made", 0.6, rate=0.3)
    assert judged(groups_of(tmp_path))[0][0] == "does not hold"


def test_of_two_lines_of_one_name_none_is_taken(tmp_path: Path) -> None:
    line(tmp_path, "random", "paper/made", 0.7)
    line(tmp_path, "entropy", "paper/made", 0.8)
    line(tmp_path, "entropy", "paper/made", 0.6, rate=0.2)
    ((word, reason),) = judged(groups_of(tmp_path))
    assert word == "not decided"
    assert reason.startswith("this line may be entropy or entropy (2): a page of the experiment alone")


def test_a_line_may_be_named_by_its_method_and_what_was_chosen_beside_it(tmp_path: Path) -> None:
    """As sweeps over several groups name theirs."""
    line(tmp_path, "random", "paper/made", 0.7, method="own/rand", gan="small")
    line(tmp_path, "random", "paper/made", 0.6, rate=0.2, method="own/rand", gan="large")
    line(tmp_path, "entropy", "paper/made", 0.65, method="own/sure", gan="small")
    rule = read_rule("accuracy better than own/rand, gan small | own/rand, gan large")
    claim = Claim(["own/sure, gan small"], "accuracy", "it is better", "Sec. 1", [rule])
    ((word, reason),) = judged(groups_of(tmp_path), claim=claim)
    assert word == "does not hold" and "own/rand, gan small" in reason and "of 2 comparisons" in reason
    other = Claim(["own/sure, gan large"], "accuracy", "it is better", "Sec. 1", [rule])
    assert judged(groups_of(tmp_path), claim=other) == [
        ("not decided", "no run is known to be of this line: a page of the experiment alone, --experiment, tells")
    ]


def test_a_row_that_is_no_line_is_said() -> None:
    """A misspelt one would stand there as not measured, and what a rule compares as not stored."""
    own = f"hydra.searchpath=[file://{CONF.parent / 'tests' / 'conf'}]"
    experiment = plan_experiment("shadow_table", [own, "seed=0"])
    rule = read_rule("accuracy better than ranom")
    numbers = [Number(row, "20", 80.0, None, None, "Tab. 1") for row in ("random", "entrpy", "")]
    table = Published("shadow_table", numbers, [Claim(["entropy"], "accuracy", "it is", "", [rule])])
    known = "random, query size 5, random, query size 10, entropy, query size 5, entropy, query size 10"
    assert say_unknown(table, experiment) == [
        f"names {row}, which is no line of shadow_table: use one of {known}" for row in ("entrpy", "ranom")
    ]
    chosen = plan_experiment("shadow_table", [own, "seed=0", "strategy=random"])
    assert say_unknown(table, chosen) == [], "which the others were left out of"
