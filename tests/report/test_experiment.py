"""An experiment is a set of cells: found by their ids, shown as missing, or named where they are another's."""

import csv
from dataclasses import replace
from pathlib import Path

import pytest
from made_runs import ACCURACY, CHOICES, label, made_measurement, made_run

from al_bench.active.metric import Metric
from al_bench.active.part import hash_of
from al_bench.analysis.experiment import arrange_lines, plan_experiment
from al_bench.analysis.reading import stored
from al_bench.analysis.rebuilding import Rebuilder
from al_bench.analysis.selection import stored_of
from al_bench.config.experiment import Cell, cells_of
from al_bench.config.groups import CONF
from al_bench.report.cells import format_differences, summarize_cells, tabulate_cells
from al_bench.report.page import write_report

SHADOW = f"hydra.searchpath=[file://{Path(__file__).parents[1] / 'conf'}]"
MEASURED = (Metric.stored(ACCURACY),)
LOOP = {"budget": 30, "max_cycles": None, "stop_at": None}


def cell(strategy, seed, **learner):
    identity = {
        "part": "made.loop",
        "dataset": {"part": "made.dataset"},
        "evaluator": {"part": "made.Accuracy"},
        "learner": {"epochs": 5, **learner},
        "strategy": {"part": f"made.{strategy}"},
        "seed": seed,
    }
    own = tuple(f"learner.{key}={value}" for key, value in learner.items())
    choices, line = chosen(strategy), (f"strategy={strategy}", *own, "scale=small", f"seed={seed}")
    return Cell(line, choices, identity, LOOP, label(choices, seed, learner), ())


def chosen(strategy):
    return {**CHOICES, "strategy": strategy}


def run_of(outputs, cell, accuracies=(0.5, 0.75, 0.8)):
    strategy = cell.choices["strategy"]
    return made_run(outputs, strategy, cell.seed, accuracies, identity=cell.identity, choices=chosen(strategy))


def found_for(one, outputs):
    cells = [cell for line in one.lines.values() for cell in line]
    return stored_of({cell.id: cell.label for cell in cells}, outputs, outputs / "cells")


def test_lines_are_named_by_what_the_sweep_sets():
    one = arrange_lines(
        "paper/made", ["scale=small"], [cell("asal_auto", seed, epochs=n) for n in (1, 2) for seed in (0, 1)]
    )
    assert {name: [known.seed for known in line] for name, line in one.lines.items()} == {
        "epochs 1": [0, 1], "epochs 2": [0, 1]
    }  # fmt: skip
    two = arrange_lines("paper/made", [], [cell("random", 0), cell("entropy", 0, epochs=3)])
    assert list(two.lines) == ["random", "entropy, epochs 3"]


def test_cells_are_finished_begun_or_missing_with_what_makes_them(tmp_path):
    cells = [cell("entropy", seed) for seed in range(4)]
    one = arrange_lines("paper/made", ["scale=small"], [*cells, cell("random", 0)])
    run_of(tmp_path, cells[0])
    run_of(tmp_path, cells[2], (0.5, 0.75))
    found = found_for(one, tmp_path)
    assert summarize_cells(one, found.runs) == "1 of 5 cells finished" and not one.complete(found.runs)
    entropy, random = tabulate_cells(one, found.runs).rows
    command = "python run.py -m experiment=paper/made strategy={} scale=small seed={}"
    assert entropy[:-1] == ["entropy", 4, 1, "seed 2: 20 annotations so far", command.format("entropy", "1,2,3")]
    assert random == ["random", 1, 0, None, command.format("random", 0), "not known"]


def test_a_run_that_went_on_for_another_experiment_is_cut_at_its_own_end(tmp_path):
    """On its page as in its claims; a stop rule other than the budget ends one too."""
    one = arrange_lines("paper/made", [], [cell("entropy", 0), cell("random", 0)])
    for line, last in (("entropy", 0.95), ("random", 0.9)):
        run_of(tmp_path, one.lines[line][0], (0.5, 0.6, 0.7, 0.8, last))
    found = found_for(one, tmp_path)
    assert [len(run.records) for run in found.runs] == [5, 5]
    assert [len(run.records) for run in one.runs(found.runs)] == [3, 3]
    assert {run.finished for run in one.runs(found.runs)} == {"the budget of 30 annotations is spent"}
    text, tables = written(tmp_path, one, found, "entropy,accuracy,70,,,Tab. 1\n")
    (annotations,) = {row["annotations"] for row in rows_of(tables / "runs.csv")}
    assert annotations == "30" and "2 of 2 cells finished" in text
    assert {row["annotations"] for row in rows_of(tables / "curves.csv")} == {"10", "20", "30"}
    assert [row["measured"] for row in rows_of(tables / "published-paper-made.csv")] == ["70.0"]
    goal = replace(
        one.lines["entropy"][0], loop={**LOOP, "budget": 100, "stop_at": {"accuracy": 0.55}}, metrics=MEASURED
    )
    (run,) = arrange_lines("paper/made", [], [goal]).runs(found.runs)
    assert (len(run.records), run.finished) == (2, "accuracy 0.55 is reached")
    most = replace(goal, loop={"budget": 100, "max_cycles": 3, "stop_at": None})
    (run,) = arrange_lines("paper/made", [], [most]).runs(found.runs)
    assert (len(run.records), run.finished) == (4, "loop.max_cycles=3 is reached")
    long = replace(goal, loop={"budget": "all", "max_cycles": None, "stop_at": None})
    (run,) = arrange_lines("paper/made", [], [long]).runs(found.runs)
    assert (len(run.records), run.finished) == (5, None), "though its own budget of 50 is spent"


def rows_of(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_what_is_stored_under_another_label_or_by_another_experiment_counts(tmp_path):
    one = arrange_lines("paper/made", [], [cell("entropy", 0)])
    run_of(tmp_path, one.lines["entropy"][0]).rename(tmp_path / one.lines["entropy"][0].id)
    runs = found_for(one, tmp_path).runs
    assert summarize_cells(one, runs) == "1 of 1 cell finished" and one.complete(runs)


def test_another_configuration_of_the_same_label_is_named_and_in_no_line(tmp_path):
    one = arrange_lines("paper/made", [], [cell("entropy", 0), cell("entropy", 1)])
    for seed in (0, 1):
        run_of(tmp_path, cell("entropy", seed, epochs=9))
    run_of(tmp_path, cell("entropy", 2, epochs=9))
    found = found_for(one, tmp_path)
    assert one.runs(found.runs) == []
    (other,) = one.others(found.runs)
    assert (other.line, other.seeds) == ("entropy", [0, 1]), "a seed that it does not have is no matter of its"
    assert format_differences(other.differs) == "learner.epochs is 9 there and 5 here"


def test_runs_of_no_concern_are_not_read(tmp_path):
    one = arrange_lines("paper/made", [], [cell("entropy", 0)])
    run_of(tmp_path, cell("random", 0))
    (tmp_path / "cells").mkdir()
    (tmp_path / "cells" / "digits-random-seed=0-0123456789ab.cell.xz").write_text("{")
    found = found_for(one, tmp_path)
    assert (found.runs, found.problems) == ([], [])
    (tmp_path / "cells" / f"elsewhere-{one.lines['entropy'][0].id}.cell.xz").write_text("{")
    assert len(found_for(one, tmp_path).problems) == 1


def test_a_procedure_without_cycles_is_a_line_too(tmp_path):
    folder = made_measurement(tmp_path, {"seconds": 44.0})
    identity = {"part": "made.measurement", "dataset": {"part": "made.dataset"}, "seed": 0}
    assert hash_of(identity) == folder.name
    choices = {**CHOICES, "strategy": "random", "procedure": "measured", "gan": "none", "feature": "none"}
    one = arrange_lines(
        "paper/made", [], [Cell(("matcher=kdtree",), choices, identity, LOOP, "digits/measured/seed=0", ())]
    )
    found = found_for(one, tmp_path)
    assert summarize_cells(one, found.runs) == "1 of 1 cell finished"
    text, tables = written(tmp_path, one, found, "measured,seconds,40,,,Tab. 2\n")
    assert "<h2>measured: digits</h2>" in text
    assert "measured,seconds,40.0,,,44.0" in (tables / "published-paper-made.csv").read_text()


def written(tmp_path, one, found, numbers):
    conf = tmp_path / "conf"
    (conf / "experiment" / "paper").mkdir(parents=True)
    (conf / "experiment" / "paper" / "made.csv").write_text("row,column,mean,std,n,source\n" + numbers)
    page = write_report(found, tmp_path / "report", "range", Rebuilder(None), conf, [one])
    return page.read_text(), page.parent / "tables"


@pytest.mark.parametrize("stored", [True, False])
def test_the_page_of_an_experiment(tmp_path, stored):
    cells = [cell(strategy, 0, epochs=n) for strategy in ("random", "entropy") for n in (1, 2)]
    one = arrange_lines("paper/made", [], cells)
    if stored:
        for known in cells[:3]:
            run_of(tmp_path, known)
    numbers = '"entropy, epochs 1",30,85,2,5,Tab. 1\nentropy,,it is better than random,,,Sec. 3\n'
    numbers += "".join(f'"entropy, epochs {n}",accuracy,,,,Sec. 4: both are alike\n' for n in (1, 2))
    text, tables = written(tmp_path, one, found_for(one, tmp_path), numbers)
    assert "<h1>paper/made</h1>" in text
    assert ("3 of 4" if stored else "0 of 4") + " cells finished" in text
    assert "strategy=entropy learner.epochs=2" in text, "what makes the missing one"
    assert "<strong>entropy</strong> it is better than random <cite>Sec. 3</cite>" in text
    assert ("entropy (2)" in text, "random, epochs 2</th>" in text) == (False, True)
    assert "<strong>entropy, epochs 1; entropy, epochs 2: accuracy</strong> Sec. 4: both are alike" in text
    row = (tables / "published-paper-made.csv").read_text().splitlines()[1]
    assert row.startswith('"entropy, epochs 1",30,85.0,2.0,5,80.0' if stored else '"entropy, epochs 1 (not measured)"')
    assert ('id="runs"' in text) == stored


def test_paths_inside_the_project_are_shown_from_its_folder(tmp_path):
    """In commands, overrides, names of lines, settings that differ and whole configurations; others as they are."""
    paths = [f"{CONF.parent}/outputs/weights.safetensors", "/elsewhere/weights.safetensors"]
    cells = [cell("entropy", seed, weights=path) for path in paths for seed in (0, 1)]
    one = arrange_lines("paper/made", [f"learner.weights={','.join(paths)}"], cells)
    for known, path in ((cells[0], paths[0]), (cells[2], paths[1])):
        made_run(tmp_path, "entropy", 0, identity=known.identity, choices=chosen("entropy"), learner={"weights": path})
    text, tables = written(tmp_path, one, found_for(one, tmp_path), "")
    assert "learner.weights=outputs/weights.safetensors,/elsewhere/weights.safetensors" in text
    assert "strategy=entropy learner.weights=outputs/weights.safetensors scale=small seed=0,1" in text
    assert "weights outputs/weights.safetensors" in text and "weights /elsewhere/weights.safetensors" in text
    assert (
        format_differences([f"weights is {paths[0]} there and a here"])
        == "weights is outputs/weights.safetensors there and a here"
    )
    written_down = [text, *(path.read_text() for path in tables.iterdir())]
    assert sum(">learner.weights<" in one or "learner.weights,outputs" in one for one in written_down) >= 2
    assert [one for one in written_down if f"{CONF.parent}/" in one] == []


def test_references_are_lines_of_another_sweep_and_not_multiplied(tmp_path):
    conf = Path(__file__).parents[1] / "conf"
    one = plan_experiment(
        "shadow_references", [SHADOW, "seed=0,1", "loop.budget=60", "strategy.steps=3", "gan=dcgan,wgan_gp"], conf
    )
    names = ["random, query size 5", "entropy, query size 5, learner hinge"]
    assert list(one.all_lines) == ["asal_auto, gan dcgan", "asal_auto, gan wgan_gp", *names]
    table = arrange_lines("shadow_table", [SHADOW], cells_of("shadow_table", [SHADOW]), conf)
    assert one.all_lines[names[0]][1].id == table.lines[names[0]][1].id
    rows = tabulate_cells(one, []).rows
    assert [row[:3] for row in rows] == [[name, 2, 0] for name in one.all_lines]
    command = rows[2][-2]
    assert "experiment=shadow_table strategy=random loop.query_size=5 " in command and "loop.budget=60" in command
    assert "gan=" not in command and "strategy.steps" not in command, "what narrows or sets up the sweep alone"
    assert [command.split()[3] for command in one.commands] == [
        "experiment=shadow_references", "experiment=shadow_table", "experiment=shadow_table",
    ]  # fmt: skip
    assert len(one.labels) == 8 and one.without(names).all_lines.keys() == one.lines.keys()


def test_what_makes_the_rest_is_what_has_a_cell_to_run(tmp_path):
    one = plan_experiment("shadow_references", [SHADOW, "seed=0", "gan=dcgan"], Path(__file__).parents[1] / "conf")
    own, *others = one.commands
    assert one.commands_left([]) == [own, *others]
    for cell in (cell for reference in one.references for cells in reference.lines.values() for cell in cells):
        made_run(tmp_path, "random", cell.seed, identity=cell.identity, more={"unlabeled": 0})
    assert one.commands_left(stored(tmp_path, Path("none")).runs) == [own]


def test_a_narrowed_sweep_keeps_the_names_of_its_lines():
    conf = Path(__file__).parents[1] / "conf"
    (line,) = plan_experiment("shadow_table", [SHADOW, "strategy=random", "loop.query_size=5"], conf).lines
    assert line == "random, query size 5"


def test_a_sweep_of_the_configuration_tree_makes_lines():
    one = arrange_lines(
        "shadow_table", [SHADOW], cells_of("shadow_table", [SHADOW]), Path(__file__).parents[1] / "conf"
    )
    assert one.source == "Made up, Tab. 1 of the tests"
    assert list(one.lines) == [
        "random, query size 5",
        "random, query size 10",
        "entropy, query size 5",
        "entropy, query size 10",
    ]
    assert one.lines["random, query size 5"][1].seed == 1
