"""The experiments of ALCG's Figures 1 to 10 compose into what its Sec. 4 says, and ours into what they say."""

import pytest
from composing import compose, run_id
from omegaconf import DictConfig
from test_experiments import cells_of, params_of, planned

from al_bench.analysis.contrast import read_contrasts
from al_bench.analysis.published import read_published

BASES = ("ac_dcgan", "ac_sngan", "ac_wgan_gp")
CRITERIA = {"cs_mc": "certainty_mc", "cs_lm": "certainty_lm", "cs_le": "certainty_le"}
METHODS = {  # the query and gamma of each line (Secs. 3.3, 3.4, 4.2 to 4.4)
    "rand": ("random", 1), "as": ("random", 4), "alcg": ("certainty_mc", 4),
    "least_confidence": ("least_confidence", 1), "cs_mc_balanced": ("certainty_balanced", 1),
    "rand_longer": ("random", 1), "cs_mc_labeled": ("certainty_mc", 1),
    "as_per_class": ("random", 4),
    **{method: (strategy, 1) for method, strategy in CRITERIA.items()},
}  # fmt: skip
SETS = ("cifar10", "stl10", "tinyimagenet10")
FIGURES = {
    **{f"certainty_{name}": (["rand", *CRITERIA], BASES) for name in SETS},
    **{f"alcg_{name}": (["rand", "cs_mc", "alcg"], BASES) for name in SETS},
    "grids": (["rand", *CRITERIA], BASES[:2]),
    "adversarial_cifar10": (["rand", "as"], BASES[:2]),
    "adversarial_fashion_mnist": (["rand", "as", "as_per_class"], BASES[:2]),
    "fashion_mnist": (["rand", *CRITERIA, "as", "alcg"], BASES[:1]),
    "fashion_mnist_sngan": (["rand", *CRITERIA, "as", "alcg"], BASES[1:2]),
    "fashion_mnist_wgan_gp": (["rand", "cs_mc", "alcg"], BASES[2:]),
    "balance_fashion_mnist": (["least_confidence", "cs_mc_balanced", "cs_mc_labeled"], BASES[:1]),
}


def line(experiment: str, method: str = "rand", *more: str) -> DictConfig:
    """The configuration of one line."""
    return compose(f"experiment=alcg/{experiment}", f"method=alcg/{method}", *more)


@pytest.mark.parametrize(("method", "made_of"), METHODS.items())
def test_a_method_is_a_query_and_a_training(method: str, made_of: tuple[str, int]) -> None:
    config = compose(f"method=alcg/{method}")
    chosen = config.hydra.runtime.choices
    assert (chosen.strategy, config.learner.gamma) == made_of
    assert (chosen.learner, chosen.evaluator, chosen.gan) == ("acgan", "gan_quality", "ac_dcgan")
    other = compose(f"method=alcg/{method}", "gan=ac_wgan_gp")
    assert other.hydra.runtime.choices.gan == "ac_wgan_gp" and other.learner.gamma == made_of[1]


def test_the_control_of_adversarial_sampling_trains_longer_and_differs_in_nothing_else() -> None:
    config = compose("dataset=digits", "method=alcg/rand_longer")
    assert (config.gan.iterations, config.learner.iterations) == (200, 340)
    same = run_id("dataset=digits", "method=alcg/rand", "learner.iterations=340")
    assert run_id("dataset=digits", "method=alcg/rand_longer") == same


@pytest.mark.parametrize("figure", FIGURES)
def test_the_lines_of_a_figure(figure: str) -> None:
    methods, bases = FIGURES[figure]
    params = params_of(f"alcg/{figure}")
    assert params["method"].split(",") == [f"alcg/{method}" for method in methods]
    assert params["gan"].split(",") == list(bases)


@pytest.mark.parametrize(
    ("name", "dataset", "query", "last"),
    [("cifar10", "cifar10", 1000, 10_000), ("stl10", "stl10_alcg", 500, 5000),
     ("tinyimagenet10", "tiny_imagenet10", 500, 4000)],
)  # fmt: skip
def test_the_sizes_of_section_4_1(name: str, dataset: str, query: int, last: int) -> None:
    """1,000 labels at first; the pools of STL10 and TinyImageNet10 end with the last query."""
    for figure in (f"certainty_{name}", f"alcg_{name}"):
        config = line(figure)
        assert config.hydra.runtime.choices.dataset == dataset
        assert (config.loop.initial_size, config.loop.query_size, config.loop.budget) == (1000, query, last)
        assert config.loop.initial == "random"
        assert config.dataset.get("image_size", 32) == 32
        assert (config.network.stem, config.hydra.runtime.choices.network) == ("cifar", "resnet18")
        assert config.gan.iterations == 10_000


@pytest.mark.parametrize(("name", "epochs"), [("cifar10", 30), ("stl10", 100), ("tinyimagenet10", 100)])
def test_the_classifiers_of_the_evaluator_are_trained_as_the_recipe_says(name: str, epochs: int) -> None:
    """Longer than an oracle's usual one, and with augmentation: GAN-test is as good as its classifier."""
    evaluator = line(f"certainty_{name}").evaluator
    judge = evaluator.judge.learner
    assert (judge.epochs, judge.batch_size, judge.network.stem) == (epochs, 64, "cifar")
    assert judge.optimizer._target_ == evaluator.gan_train.optimizer._target_ == "torch.optim.SGD"
    assert judge.augmentation._target_ == evaluator.gan_train.augmentation._target_
    assert (evaluator.samples, line(f"certainty_{name}", "rand", "scale=small").evaluator.samples) == (50_000, 5000)


def test_figure_1_has_its_four_sizes_at_once() -> None:
    sizes = [int(size) for size in params_of("alcg/labels")["recipe.initial_size"].split(",")]
    assert sizes == [1000, 5000, 20_000, 50_000]
    for size in sizes:
        loop = line("labels", "rand", f"recipe.initial_size={size}").loop
        assert loop.initial_size == loop.budget == size


@pytest.mark.parametrize(
    ("figure", "labels", "validation"),
    [("adversarial_cifar10", 50_000, None), ("adversarial_fashion_mnist", 60_000, 0)],
)
def test_figure_9_has_all_labels_and_a_point_every_500_iterations(
    figure: str, labels: int, validation: int | None
) -> None:
    config = line(figure, "as")
    assert config.loop.initial_size == config.loop.budget == labels
    assert config.loop.observe_every == 500
    assert config.dataset.get("validation_size") == validation


def test_gammas_are_those_of_the_text_and_around() -> None:
    assert params_of("alcg/gamma")["learner.gamma"] == "1,2,4,8,16"
    assert line("gamma", "as", "learner.gamma=16").learner.gamma == 16


@pytest.mark.slow
@pytest.mark.parametrize(
    ("part", "whole", "shared"),
    [
        *((f"alcg_{name}", f"certainty_{name}", 6) for name in SETS),  # RAND and CS_MC on three bases
        ("grids", "certainty_cifar10", 8),
        ("certainty_images", "certainty_cifar10", 1),
        ("gamma", "adversarial_cifar10", 4),  # gamma 1 is regular training
    ],
)
def test_figures_share_their_cells(part: str, whole: str, shared: int) -> None:
    ids = [{cell.id for cell in cells_of(f"alcg/{name}")} for name in (part, whole)]
    assert len(ids[0] & ids[1]) == shared


@pytest.mark.slow
@pytest.mark.parametrize(
    ("balanced", "certain"), [("balance_fashion_mnist", "fashion_mnist"), ("balance_cifar10", "cifar10_small")]
)
def test_what_is_balanced_stands_beside_what_is_not(balanced: str, certain: str) -> None:
    (reference,) = planned(f"alcg/{balanced}").references
    assert set(reference.names) <= {cell.id for cell in cells_of(f"alcg/{certain}")}
    assert len(reference.lines) == 2


@pytest.mark.slow
def test_cifar_is_balanced_in_the_settings_of_what_is_not() -> None:
    """One cell by either name, so that the two differ in nothing but the lines."""
    ids = {run_id(f"experiment=alcg/{name}", "method=alcg/cs_mc") for name in ("balance_cifar10", "cifar10_small")}
    assert len(ids) == 1


def test_two_cores_get_what_they_can_do() -> None:
    """Half of the channels, or a quarter, and 3,000 iterations; the whole pool, since it costs a GAN nothing."""
    config = line("fashion_mnist", "alcg", "scale=small")
    assert config.gan.iterations == 3000
    assert config.gan.generator.channels[1:] == [128, 64, 32]
    assert (config.loop.initial_size, config.loop.query_size, config.loop.budget) == (1000, 1000, 4000)
    assert (config.dataset.max_images, config.dataset.validation_size) == (None, 0)
    small = line("cifar10_small", "alcg", "scale=small", "scale.gan_width=0.25")
    assert small.gan.generator.channels == [128, 64, 32, 16]
    assert (small.network.width, small.evaluator.judge.learner.epochs, small.evaluator.gan_train.epochs) == (16, 12, 5)
    for base in ("sngan", "wgan_gp"):
        other = line(f"fashion_mnist_{base}", "alcg", f"gan=ac_{base}", "scale=small", "scale.gan_width=0.25")
        assert other.gan.generator.channels[1:] == [64, 32, 16], "of half as many"
    fig_9 = line("adversarial_fashion_mnist", "as", "scale=small", "scale.iterations=10000")
    assert fig_9.gan.iterations == 10_000


def test_the_embedded_digits_take_minutes() -> None:
    """Twenty trainings; run_id says that a line of its own is what the method gives."""
    config = compose("method=alcg/alcg", "dataset=digits")
    assert config.gan.iterations == 200
    parts = ("learner=acgan", "gan=ac_dcgan", "evaluator=gan_quality", "strategy=certainty_mc", "learner.gamma=4")
    assert run_id("method=alcg/alcg") == run_id(*parts)


def test_alcg_is_the_best_of_the_three_lines_of_figure_10() -> None:
    """Whatever else is run beside them (Sec. 4.4)."""
    claims = [claim for table in read_published([]) if table.name.startswith("alcg/") for claim in table.claims]
    ruled = [zip(one.rows, one.rules, strict=True) for one in claims if "the best result" in one.sentence]
    best = [pair for pairs in ruled for pair in pairs]
    assert len(best) == 3 * 3 * 2 + 3 * 2 + 2 + 2, "on three data sets, Fashion-MNIST, less of CIFAR-10 and the digits"
    for row, rule in best:
        assert rule is not None
        (clause,) = rule.clauses
        others = [row.replace("alcg/alcg", f"alcg/{line}") for line in ("rand", "cs_mc")]
        assert [operand.line for operand in clause.operands] == others


def test_how_fast_a_training_is_is_judged_by_iterations_and_by_seconds() -> None:
    """On both bases, on both data sets of Figure 9: one of adversarial sampling costs more."""
    claims = [claim for table in read_published([]) if table.name.startswith("alcg/") for claim in table.claims]
    fast = [rule for claim in claims if "faster" in claim.sentence for rule in claim.rules]
    measures = [clause.measure for rule in fast if rule for clause in rule.clauses]
    assert sorted(measures) == ["iterations"] * 4 + ["seconds"] * 4


@pytest.mark.parametrize("name", sorted(table.name for table in read_published([]) if table.name.startswith("alcg/")))
def test_what_a_rule_compares_is_a_difference_of_the_page(name: str) -> None:
    """But Figure 1's lines, which have no number of labels in common."""
    (table,) = (table for table in read_published([]) if table.name == name)
    compared = {
        frozenset((row, operand.line))
        for claim in table.claims
        for row, rule in zip(claim.rows, claim.rules, strict=True)
        for clause in (rule.clauses if rule else ())
        for operand in clause.operands
    }
    taken = {frozenset(pair) for pair in read_contrasts(name).values()}
    assert (compared <= taken) == (name != "alcg/labels")


def test_claims_alone_are_published() -> None:
    """The paper prints no number of a result."""
    tables = [table for table in read_published([]) if table.name.startswith("alcg/")]
    assert len(tables) == 19
    assert all(table.claims and not table.numbers for table in tables)
