"""Every experiment composes, cell by cell, into what its paper ran, and runs a tiny cycle."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from math import prod
from pathlib import Path
from typing import Any

import pytest
import torch
from composing import compose, count_values, members, params_of, run_id, values_of
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf, open_dict
from pictures import fill
from published import SCENES, celeba_files, lsun_files, stl10_files, svhn_files
from smoke_bounds import COUNTED_ELSE, too_long

from al_bench.analysis.comparison import is_column
from al_bench.analysis.contrast import read_contrasts
from al_bench.analysis.experiment import Experiment, arrange_lines, plan_experiment
from al_bench.analysis.published import Number, read_published
from al_bench.analysis.rules import Rule
from al_bench.config import experiment as composed
from al_bench.config.groups import CONF
from al_bench.config.identity import identify
from al_bench.config.values import plain
from al_bench.dataset.cifar10 import CLASS_NAMES
from al_bench.procedure.tuning import Tuning
from al_bench.storage.record import Measurement
from al_bench.storage.store import RunStore

EXPERIMENTS = members("experiment")
CYCLES = {  # ASAL Tab. 1, with 100 initial labels of CelebA (A.5)
    "mnist_two": 45, "cifar10_two": 95, "mnist_ten": 198, "cifar10_ten": 29, "celeba_blond_hair": 190,
    "celeba_wearing_hat": 190, "celeba_bangs": 190, "celeba_eyeglasses": 190, "svhn": 49, "lsun": 29,
}  # fmt: skip
LABELS = {  # of WAAL Tab. 2, and as the columns of its Tabs. 4 to 7 go on
    "fashion_mnist": range(1000, 6001, 500), "svhn": range(1000, 6001, 1000), "cifar10": range(2000, 12001, 2000),
    "stl10": range(500, 3001, 500), "h_divergence_cifar10": range(2000, 12001, 2000),
    "h_divergence_svhn": range(1000, 6001, 1000),
}  # fmt: skip
SUMS = {  # of each table's means, a line a number, and of its deviations
    "fashion_mnist": ([822.82, 823.34, 840.12, 822.23, 823.79, 811.21, 809.63, 799.52, 897.84], 107.17),
    "svhn": ([474.65, 477.04, 474.92, 472.60, 476.41, 479.90, 482.83, 476.96, 505.00], 72.14),
    "cifar10": ([363.68, 365.96, 373.81, 369.08, 366.66, 372.17, 369.58, 367.25, 400.82], 102.77),
    "stl10": ([317.87, 315.15, 311.53, 311.58, 310.39, 320.18, 317.00, 306.66, 344.81], 96.44),
    "h_divergence_cifar10": ([376.76, 377.92, 384.61, 383.30, 384.13, 382.09, 385.78, 383.51, 400.82], 79.74),
    "h_divergence_svhn": ([477.58, 480.49, 475.73, 474.73, 481.09, 478.10, 484.71, 480.62, 505.00], 65.37),
}  # fmt: skip
SEEDS = {
    "cifar10_ten": 3, "cifar10_ten_gans": 3, "svhn": 3, "lsun": 3, "fig7": 1, "timings": 1, "timings_lsun": 1,
    "waal/toy": 1, "waal/query_time": 1, "waal/digits": 10, "mal/digits": 10, "alcg/digits": 5,
    "compared/features": 10, "compared/tuning_fashion_mnist": 2,
    "waal/tuning_fashion_mnist": 1, "waal/tuning_digits": 5, "mal/tuning_digits": 5,
}  # fmt: skip


@cache
def planned(name: str) -> Experiment:
    """An experiment with its references, of one seed."""
    if "references:" not in (CONF / "experiment" / f"{name}.yaml").read_text():
        return arrange_lines(name, ["seed=0"], cells_of(name))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("al_bench.analysis.experiment.cells_of", lambda name, line=(): list(composed_once(name, *line)))
        return plan_experiment(name, ["seed=0"])


@cache
def composed_once(name: str, *overrides: str) -> list[composed.Cell]:
    """A sixth of a second for each cell: what an experiment's references share is composed for the first of them."""
    return cells_of(name) if overrides == ("seed=0",) else composed.cells_of(name, overrides)


def cells_of(name: str) -> list[composed.Cell]:
    """The cells of one seed: of another they are the same but for it."""
    return composed_with_smoke(name)[0]


@cache
def composed_with_smoke(name: str) -> tuple[list[composed.Cell], dict[str, Any]]:
    """The cells of one seed, and what each depends on at scale=smoke, by its id: a composition takes six times as long
    as having another scale in it."""
    smoke, cut, own = smoke_of(name), {}, composed.cell_of

    def cell_of(overrides: Sequence[str], config: DictConfig) -> composed.Cell:
        cell = own(overrides, config)
        cut[cell.id] = identify_with(config, smoke)
        return cell

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(composed, "cell_of", cell_of)
        return composed.cells_of(name, ["seed=0"]), cut


def smoke_of(name: str) -> DictConfig:
    """The scale that cuts the most, as an experiment's recipe has it."""
    scale: DictConfig = compose(f"experiment={name}", "scale=smoke").scale
    return scale


def identify_with(config: DictConfig, scale: DictConfig) -> dict[str, Any]:
    """What a composed run would depend on at this scale."""
    own, config.scale = config.scale, scale
    identity = identify(config)
    config.scale = own
    return identity


@pytest.fixture(params=EXPERIMENTS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_an_experiment_says_what_it_is_of_and_what_was_published(name: str) -> None:
    lines = (CONF / "experiment" / f"{name}.yaml").read_text().splitlines()
    ours = name.startswith("compared/")  # of which nothing is published
    assert re.match(r"# Compared, " if ours else r"# (ASAL|WAAL|MAL|ALCG) (Fig|Tab|Sec)", lines[1])
    assert (CONF / "experiment" / f"{name}.csv").exists() != ours


def test_an_experiment_has_the_seeds_of_its_paper(name: str) -> None:
    usual = 3 if name.startswith(("mal/", "alcg/")) else 5  # MAL Sec. 4, ALCG Sec. 4.1
    assert count_values(params_of(name)["seed"]) == SEEDS.get(name.removeprefix("asal/"), usual)


@pytest.mark.parametrize(("short", "cycles"), CYCLES.items())
def test_the_cycles_of_table_1(short: str, cycles: int) -> None:
    loop = compose(f"experiment=asal/{short}").loop
    assert (loop.budget - loop.initial_size) / loop.query_size == cycles


@pytest.mark.parametrize(("short", "labels"), LABELS.items())
def test_the_columns_of_waals_tables_are_its_cycles(short: str, labels: range) -> None:
    loop = compose(f"experiment=waal/{short}").loop
    assert range(loop.initial_size, loop.budget + 1, loop.query_size) == labels
    assert list(dict.fromkeys(int(number.column) for number in numbers_of(f"waal/{short}"))) == list(labels)


@pytest.mark.parametrize("short", SUMS)
def test_waals_tables_are_whole(short: str) -> None:
    """Nine lines of five seeds at every number of labels, and what they add up to."""
    numbers = numbers_of(f"waal/{short}")
    lines = list(dict.fromkeys(number.row for number in numbers))
    assert len(numbers) == len(lines) * len(LABELS[short]) == 9 * len(LABELS[short])
    assert {number.n for number in numbers} == {5}
    means, deviation = SUMS[short]
    sums = [sum(number.mean for number in numbers if number.row == line) for line in lines]
    assert sums == pytest.approx(means)
    assert sum(number.std or 0 for number in numbers) == pytest.approx(deviation)


def test_some_cells_of_waals_tables() -> None:
    """Two that print a deviation of one digit, two that print blanks inside a cell."""
    cells = {(table, one.row, one.column): (one.mean, one.std) for table in SUMS for one in numbers_of(f"waal/{table}")}
    assert cells["fashion_mnist", "margin", "1500"] == (65.61, 2.5)
    assert cells["fashion_mnist", "waal", "6000"] == (85.99, 0.43)
    assert cells["cifar10", "coreset", "6000"] == (59.56, 1.17)
    assert cells["stl10", "random", "1500"] == (51.78, 2.5)
    assert cells["h_divergence_svhn", "h_divergence/deepfool", "6000"] == (85.42, 0.55)


def numbers_of(name: str) -> list[Number]:
    """What is published of an experiment."""
    (table,) = [table for table in read_published([]) if table.name == name]
    return list(table.numbers)


def lines_of(rule: Rule | None) -> set[str]:
    """What a rule compares its line with; every claim has one, or says why none."""
    assert rule is not None
    return {operand.line for clause in rule.clauses for operand in clause.operands if operand.line}


def test_gaal_ends_at_400_labels_on_cifar10() -> None:
    assert compose("experiment=asal/cifar10_two_gaal").loop.budget == 400


@pytest.mark.slow
def test_an_experiment_lists_each_cell_once(name: str) -> None:
    product = prod(count_values(values) for key, values in params_of(name).items() if key != "seed")
    assert len(cells_of(name)) == product, "two of the sweep's cells are one"  # `cells_of` lists an id once


@pytest.mark.slow
def test_smoke_bounds_everything_that_takes_long(name: str) -> None:
    cut = composed_with_smoke(name)[1]
    assert {cell.id for cell in cells_of(name)} <= cut.keys()
    for cell in cells_of(name):
        assert too_long(cut[cell.id], unless=COUNTED_ELSE) == [], cell.overrides


@pytest.mark.parametrize("name", ["asal/mnist_two", "waal/svhn", "mal/camvid", "alcg/certainty_stl10"])
def test_another_scale_in_a_composition_is_that_scale(name: str) -> None:
    """What the test above looks at is what a command line of scale=smoke runs."""
    line = [f"{key}={values_of(values)[-1]}" for key, values in params_of(name).items()]
    there = compose(f"experiment={name}", *line, "scale=smoke")
    assert identify_with(compose(f"experiment={name}", *line), smoke_of(name)) == identify(there)
    assert identify(there) != identify(compose(f"experiment={name}", *line))


@pytest.mark.slow
def test_a_published_row_is_a_line_of_its_experiment(name: str) -> None:
    """Or of the references beside it; a claim of no row is about all of it."""
    lines = planned(name).all_lines
    assert {line for pair in read_contrasts(name).values() for line in pair} <= set(lines)
    if name.startswith("compared/"):
        return
    (table,) = [table for table in read_published([]) if table.name == name]
    assert {number.row for number in table.numbers} <= set(lines)
    assert {row for claim in table.claims for row in claim.rows} <= set(lines)
    assert {line for claim in table.claims for rule in claim.rules for line in lines_of(rule)} <= set(lines)
    for number in table.numbers:
        loop = lines[number.row][0].loop
        if number.column.isdigit():
            sizes = [*range(loop["initial_size"], loop["budget"], loop["query_size"]), loop["budget"]]
            assert any(is_column(size, int(number.column)) for size in sizes)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("short", "names"),
    [
        *((short, "random entropy full") for short in ("mnist_ten_gans", "cifar10_ten_gans", "fig16", "step_size")),
        *((short, "random entropy full random min_distance full") for short in ("mnist_two_gans", "cifar10_two_gans")),
        *((short, "random entropy asal_auto full random") for short in ("mnist_two_gaal", "cifar10_two_gaal")),
        ("mnist_two_adba", "random entropy full random min_distance full random min_distance random min_distance adba"),
    ],
)
def test_references_stand_beside_an_experiment_once(short: str, names: str) -> None:
    """They are cells of the experiment that they are named by, and not one for each GAN of the sweep."""
    one = planned(f"asal/{short}")
    found = [name for reference in one.references for name in reference.lines]
    assert [name.partition(",")[0] for name in found] == names.split()
    assert len(one.all_lines) == len(one.lines) + len(found) == len(one.names), "two lines are one"


@pytest.mark.slow
def test_references_are_cells_that_another_experiment_runs() -> None:
    for short in ("mnist_two_gans", "cifar10_two_gans"):
        cross_entropy, hinge = planned(f"asal/{short}").references
        whole = short.removesuffix("_gans")
        assert set(cross_entropy.names) <= {cell.id for cell in cells_of(f"asal/{whole}")}
        assert set(hinge.names) == {cell.id for cell in cells_of(f"asal/{whole}_hinge")}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("part", "whole", "shared"),
    [
        ("asal/mnist_two_gans", "asal/mnist_two", 3),
        ("asal/mnist_ten_gans", "asal/mnist_ten", 3),
        ("asal/cifar10_two_gans", "asal/cifar10_two", 3),
        ("asal/cifar10_ten_gans", "asal/cifar10_ten", 3),
        ("asal/pca", "asal/mnist_ten", 1),
        ("asal/step_size", "asal/mnist_two", 1),
        ("asal/mnist_two_gaal", "asal/mnist_two", 1),
        ("asal/mnist_two_adba", "asal/mnist_two", 1),
        ("waal/h_divergence_cifar10", "waal/cifar10", 1),
        ("waal/h_divergence_svhn", "waal/svhn", 1),
        ("waal/parts_fashion_mnist", "waal/fashion_mnist", 1),
        ("waal/steps_fashion_mnist", "waal/parts_fashion_mnist", 2),
    ],
)
def test_figures_share_their_cells(part: str, whole: str, shared: int) -> None:
    """What a main experiment has is a part of the ablation, and is not run twice, of any seed that both have."""
    ids = [{cell.id for cell in cells_of(name)} for name in (part, whole)]
    assert len(ids[0] & ids[1]) == shared


@pytest.mark.slow
@pytest.mark.parametrize(
    ("method", "overrides"),
    [
        ("matched/random", ("strategy=random", "match_steps=true")),
        ("matched/margin", ("strategy=margin", "match_steps=true")),
        ("as_code/waal", ("strategy=waal", "preset=as_code")),
    ],
)
def test_the_parts_of_waal_are_cells_of_its_table(method: str, overrides: tuple[str, ...]) -> None:
    """Of its step-matched version and its preset; a larger budget goes on with them."""
    part, whole = "experiment=waal/parts_fashion_mnist", "experiment=waal/fashion_mnist"
    assert run_id(part, f"method={method}") == run_id(whole, *overrides)


def made_mnist(config: DictConfig, folder: Path, real: Path) -> None:
    config.dataset.root = str(real)


def made_digits(config: DictConfig, folder: Path, real: Path) -> None:
    """They are embedded."""


def made_cifar10(config: DictConfig, folder: Path, real: Path) -> None:
    fill(folder / "cifar10_jpeg", {"train": 12, "test": 2}, CLASS_NAMES, side=32, ending="jpg")
    config.dataset.root, config.dataset.format = str(folder), "folder"
    if "validation_size" in config.dataset:
        config.dataset.validation_size = 20


def made_stl10(config: DictConfig, folder: Path, real: Path) -> None:
    config.dataset.checksums, config.dataset.root = stl10_files(folder / "stl10_binary"), str(folder)
    if config.dataset.test_size is not None:
        config.dataset.validation_size, config.dataset.test_size, config.dataset.max_images = 10, 10, 15  # of 96 x 96


def made_celeba(config: DictConfig, folder: Path, real: Path) -> None:
    config.dataset.checksums, config.dataset.root = celeba_files(folder, 60), str(folder)


def made_svhn(config: DictConfig, folder: Path, real: Path) -> None:
    config.dataset.checksums, config.dataset.root = svhn_files(folder), str(folder)
    if "validation_size" in config.dataset:
        config.dataset.validation_size = 20


def made_lsun(config: DictConfig, folder: Path, real: Path) -> None:
    config.dataset.root, config.dataset.classes = str(lsun_files(folder)), list(SCENES)


def made_pictures(config: DictConfig, folder: Path, real: Path) -> None:
    """In the place of sets whose files are written small where they are read, in tests/contract."""
    root = fill(folder / "pictures", {"train": 20, "test": 5}, side=32)
    config.dataset = compose("dataset=image_folder", f"dataset.root={root}").dataset


def made_maps(config: DictConfig, folder: Path, real: Path) -> None:
    config.dataset = compose("dataset=shapes_seg").dataset


MADE: dict[str, Callable[[DictConfig, Path, Path], None]] = {
    "digits": made_digits, "mnist": made_mnist, "fashion": made_mnist, "cifar10": made_cifar10, "stl10": made_stl10,
    "celeba": made_celeba, "svhn": made_svhn, "lsun": made_lsun, "cifar100": made_pictures,
    "imagenet": made_pictures, "cityscapes": made_maps,
}  # fmt: skip
SAME_PARTS = {
    "asal/celeba_blond_hair", "asal/celeba_wearing_hat", "asal/celeba_bangs", "asal/cifar10_ten_gans",
    "asal/timings_lsun", "waal/svhn",
    "waal/h_divergence_svhn", "waal/steps_fashion_mnist",
    "mal/imagenet", "mal/inaturalist2018", "mal/cifar100_imbalanced", "mal/bdd100k",
    "mal/ablation_bdd100k", "mal/tiny_imagenet", "mal/camvid", "mal/cifar10_imbalanced", "alcg/certainty_images",
    "alcg/certainty_cifar10", "alcg/certainty_stl10", "alcg/certainty_tinyimagenet10", "alcg/grids",
    "alcg/adversarial_cifar10", "alcg/alcg_cifar10", "alcg/alcg_tinyimagenet10", "alcg/cifar10_small",
    "alcg/fashion_mnist", "alcg/fashion_mnist_sngan", "alcg/fashion_mnist_wgan_gp", "alcg/digits",
}  # fmt: skip
LINES = (
    "min_distance",
    "asal_auto",
    "asal_cls",
    "h_divergence/random",
    "mal/mal",
    "mal/vgg16_bn/mal",
)  # the last of them that an experiment has
TINY = (
    "scale=smoke", "scale.gan_width=0.1", "scale.images=40", "scale.initial_size=10", "scale.query_size=5",
    "loop.max_cycles=1", "loop.every_class=false",  # ten of forty images hold ten classes once in thousands of draws
    "device=cpu", "tracking=none",
)  # fmt: skip
TINY_NODES = {  # where an experiment has them
    "gan.iterations": 1, "gan.batch_size": 4, "gan.num_critic": 1, "procedure.bias.queries": 20,
    "strategy.steps": 2, "procedure.search.steps": 2, "procedure.sizes": [1, 2], "procedure.repeats": 1,
    "procedure.judge.min_confidence": 0.0, "procedure.samples": 100, "procedure.lines.deepfool.strategy.max_iter": 1,
    "network.weights": None, "network.input_size": None, "recipe.augmentation": None, "network.width": 4,
}  # fmt: skip
NARROW = {"vgg16_bn": "small_cnn", "vgg16_bn_imagenet": "small_cnn"}  # what tests/contract runs whole


@pytest.mark.slow
@pytest.mark.real_data
@pytest.mark.parametrize("name", [name for name in EXPERIMENTS if name not in SAME_PARTS])
def test_an_experiment_runs_a_tiny_cycle(name: str, tmp_path: Path, real_data: Path) -> None:
    """One of its lines; the others are run by the suites of their parts, and so is what only the data differ in."""
    last = {key: values_of(values)[-1] for key, values in params_of(name).items() if key != "seed"}
    last.update([(key, line) for key in last for line in LINES if line in values_of(params_of(name)[key])])
    cell = [f"{key}={value}" for key, value in last.items()]
    config = compose(f"experiment={name}", *cell, *TINY, f"paths.outputs={tmp_path}")
    with open_dict(config):
        if (network := NARROW.get(config.hydra.runtime.choices.network)) is not None:
            config.network = compose(f"network={network}").network
        if config.hydra.runtime.choices.representation == "backbone":  # whose network is trained before
            config.representation = compose("representation=none").representation
        for node, value in TINY_NODES.items():
            if OmegaConf.select(config, node) is not None:
                OmegaConf.update(config, node, value)
        kind = config.hydra.runtime.choices.dataset.split("_")[0]
        MADE[kind](config, tmp_path / "data", real_data)
    nodes = {key: plain(config[key]) for key in ("dataset", "learner")}
    about = {"config": nodes, "label": "made", "commit": ""}  # of which a model's head says how pictures become images
    with RunStore(tmp_path / "run", identify(config), about) as store:
        made = instantiate(config.procedure)
        if hasattr(made, "evaluator") and not isinstance(made, Tuning):  # on a few images; that reads no test image
            few = torch.arange(min(10, len(made.dataset.test)))
            made.dataset = replace(made.dataset, test=made.dataset.test.subset(few))
        made.run(store)
        last = store.records[-1]
        assert isinstance(last, Measurement) or last.index == 1
