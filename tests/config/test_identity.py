"""The properties of how a run is composed and named (design: How a run is composed, Identity)."""

import re
import shutil
from pathlib import Path

import pytest
from composing import compose, members, run_id
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf
from pictures import fill

from al_bench.active.part import hash_of
from al_bench.config.command_line import help_text, quoted, unknown_choice
from al_bench.config.effects import cut_by_scale, effects
from al_bench.config.groups import CONF
from al_bench.config.identity import identify, label
from al_bench.config.values import differences

SHADOW = f"hydra.searchpath=[file://{Path(__file__).parents[1] / 'conf'}]"
PLAIN = ("strategy=random", "gan=none")


@pytest.mark.parametrize(
    ("overrides", "epochs"),
    [
        (("recipe=shadow/digits",), 11),  # pair over member, which reads the recipe's 10
        (("recipe=shadow/digits", "method=shadow"), 12),
        (("recipe=shadow/digits", "method=shadow", "experiment=shadow"), 13),
        (("recipe=shadow/digits", "method=shadow", "experiment=shadow", "preset=shadow"), 14),
        (("recipe=shadow/digits", "experiment=shadow", "preset=shadow", "learner.epochs=15"), 15),
    ],
)
def test_each_level_wins_over_the_ones_before(overrides, epochs):
    assert compose(SHADOW, *PLAIN, *overrides).learner.epochs == epochs


@pytest.mark.parametrize("procedure", ["query_time", "timing"])
def test_seconds_are_of_a_device_and_its_threads(procedure):
    """They are what such a run measures: what one thread of a CPU took is not shown for a GPU."""
    line = (f"procedure={procedure}", "dataset=digits", "scale=smoke")
    asked = {
        "threads=4": "4 threads", "threads=null": "all threads", "device=cuda": "cuda",
        "device=cuda:1": "cuda", "device=cpu": "", "threads=1": "",
    }  # fmt: skip
    for changed, told in asked.items():
        assert compose(*line, changed).procedure.timed_on == told
    ids = [run_id(*line, *more) for more in ((), ("device=cpu",), ("threads=4",), ("device=cuda",))]
    assert ids[0] == ids[1] and len({*ids}) == 3
    assert compose(*line, "threads=2", "device=cuda").procedure.timed_on == "cuda, 2 threads"


def test_member_reads_its_recipe():
    config = compose(*PLAIN)
    assert config.learner.epochs == config.recipe.epochs


@pytest.mark.parametrize(
    "spelled",
    [
        ("gan=none", "strategy=random"),
        ("strategy=random", "gan=none", "dataset=digits", "recipe=digits", "learner=supervised"),
        ("strategy=random", "gan=none", "recipe.optimizer.lr=1e-3", "learner.epochs=40"),
        ("strategy=random", "gan=none", "learner.epochs=40.0", "scale=paper", "preset=as_code"),
        ("strategy=random", "gan=wgan_gp"),
        ("strategy=random", "gan=none", "device=cpu", "threads=2", "paths.data=/elsewhere", "paths.outputs=/there"),
        ("strategy=random", "gan=none", "loop.budget=150", "loop.stop_at={accuracy: 0.9}", "loop.max_cycles=3"),
        ("strategy=random", "gan=none", "tracking=none"),
        ("strategy=random", "gan=none", "tracking.mode=online", "tracking.images=false", "tracking.group=mine"),
        ("strategy=random", "gan=none", "keep_weights=all", "trainer={_target_: pytorch_lightning.Trainer}"),
        (SHADOW, "strategy=random", "gan=none", "experiment=shadow", "learner.epochs=40"),
    ],
)
def test_one_cell_is_one_folder_however_it_is_spelled(spelled):
    assert run_id(*spelled) == run_id(*PLAIN)


@pytest.mark.parametrize(
    "other",
    ["seed=1", "learner.epochs=41", "loop.query_size=11", "loop.initial=balanced", "network=linear", "scale=smoke",
     "oracle=noisy", "recipe.optimizer.lr=0.002", "precision=bf16-mixed", "evaluator.calibration_bins=10"],
)  # fmt: skip
def test_what_results_depend_on_is_another_folder(other):
    assert run_id(*PLAIN, other) != run_id(*PLAIN)


def test_pictures_are_named_by_what_they_are_not_by_where(tmp_path):
    mine = ("dataset=image_folder", *PLAIN)
    roots = [fill(tmp_path / "data" / "mine", {"": 2}), tmp_path / "copy", fill(tmp_path / "other", {"": 3})]
    shutil.copytree(roots[0], roots[1])
    first, copy, other = (run_id(*mine, f"dataset.root={root}") for root in roots)
    assert first == copy != other
    assert run_id(*mine, f"paths.data={tmp_path / 'data'}", "dataset.root=${paths.data}/mine") == first
    here = (*mine, f"dataset.root={roots[0]}")
    assert run_id(*here, "dataset.cache=never", "paths.decoded=/there", "dataset.decoded=/elsewhere") == first
    assert run_id(*here, "dataset.mode=gray") != first
    assert compose(*mine).dataset.files is None


def test_a_root_on_the_command_line_is_a_path_too():
    assert run_id("dataset=mnist_two", *PLAIN, "dataset.root=/elsewhere") == run_id("dataset=mnist_two", *PLAIN)
    cifar = ("dataset=cifar10_two", *PLAIN)
    assert run_id(*cifar, "dataset.root=/elsewhere", "paths.decoded=/there") == run_id(*cifar)
    assert run_id(*cifar, "dataset.format=folder") != run_id(*cifar)


def test_an_index_file_is_known_by_what_it_says(tmp_path):
    svhn = ("dataset=svhn_waal", "strategy=random")
    assert "split" not in identify(compose(*svhn))["dataset"]
    ids = []
    for place, content in (("here", "[1]"), ("there", "[1]"), ("other", "[2]")):
        (tmp_path / place).write_text(content)
        ids.append(run_id(*svhn, f"dataset.split={tmp_path / place}"))
    assert ids[0] == ids[1] != ids[2]
    missing = run_id(*svhn, f"dataset.split={tmp_path / 'none'}")
    assert len({run_id(*svhn), missing, *ids}) == 4


def test_a_hash_that_was_written_down():
    """An id that moves orphans every stored run, so it moves only on purpose."""
    assert hash_of({"seed": 0, "loop": {"query_size": 10}}) == "329cedc3f78a"


@pytest.mark.parametrize(
    ("strategy", "stored"),
    [("random", "efe546d139de"), ("entropy", "da020bdd5f49"), ("coreset", "98eb6054ba17"), ("full", "1b0d5f6e9a40")],
)
def test_runs_that_are_stored_keep_their_names(strategy, stored):
    """Of results/cells: what a later part adds to the configuration is in no id of what does not use it."""
    assert run_id("dataset=mnist_two", "scale=small", f"strategy={strategy}", "seed=0") == stored


QUALITY = ("procedure=gan_quality",)


@pytest.mark.parametrize(
    "same",
    ["strategy=coreset", "learner.epochs=41", "network=linear", "loop.query_size=11", "oracle=noisy", "matcher=kdtree",
     "paths.outputs=/there", "device=cpu", "threads=2"],
)  # fmt: skip
def test_a_procedure_without_a_loop_is_named_by_what_is_its_own(same):
    assert run_id(*QUALITY, same) == run_id(*QUALITY)


@pytest.mark.parametrize(
    "other",
    ["seed=1", "gan=dcgan", "gan.iterations=3", "procedure.samples=10", "procedure.judge.learner.epochs=3",
     "dataset=mnist_two", "procedure=agreement"],
)  # fmt: skip
def test_what_it_uses_is_another_folder(other):
    assert run_id(*QUALITY, other) != run_id(*QUALITY)


def test_the_label_of_a_procedure_names_what_it_looks_at():
    labels = {
        "gan_quality": "digits/gan_quality+wgan_gp/seed=0",
        "agreement": "digits/agreement+wgan_gp+autoencoder/seed=0",
    }
    for procedure, expected in labels.items():
        for strategy in ("asal_auto", "random"):
            assert label(_root_=compose(f"procedure={procedure}", f"strategy={strategy}")) == expected


def test_a_method_names_the_folder_by_what_it_chose():
    config = compose("strategy=entropy", "gan=none", "learner=h_divergence", "seed=3")
    assert label(_root_=config) == "digits/entropy+h_divergence/seed=3"
    assert label(_root_=compose("dataset=mnist_two", *PLAIN)) == "mnist_two-asal/random/seed=0"


def test_scale_cuts_lengths_and_undoes_nothing():
    assert compose(*PLAIN, "scale=smoke").learner.epochs == 1
    assert compose(*PLAIN, "scale=small").learner.epochs == 40
    assert compose(*PLAIN, "scale=smoke", "learner.epochs=300").learner.epochs == 300
    assert compose("scale=smoke", *PLAIN).loop == compose(*PLAIN, "scale=smoke").loop
    assert compose(SHADOW, *PLAIN, "recipe=shadow/digits", "scale=smoke").learner.epochs == 1  # a pair's value too


def test_what_a_scale_cuts_is_said():
    config = compose(*PLAIN, "scale=smoke")
    cuts = cut_by_scale(config)
    assert "learner.epochs 40 -> 1" in cuts
    assert "dataset.max_images all -> 200" in cuts
    assert "loop.max_cycles all -> 2" in cuts
    assert not any(line.startswith("loop.query_size") for line in cuts)  # 10 is within smoke's 10
    assert cut_by_scale(compose(*PLAIN)) == []


def test_what_a_scale_cuts_of_parts_that_a_run_has_not_is_not_said():
    """A GAN is a node of every configuration, of which a strategy, a learner, a procedure or a representation asks."""
    without = ("dataset=mnist_two", "gan=wgan_gp", "scale=smoke")
    asking = ("strategy=asal_auto", "learner=acgan gan=ac_dcgan", "procedure=gan_quality", "representation=latent")
    assert not any(cut.startswith("gan.") for cut in cut_by_scale(compose(*without, "strategy=mal")))
    for words in asking:
        cuts = cut_by_scale(compose(*without, "strategy=random", *words.split()))
        assert any(cut.startswith("gan.generator.") for cut in cuts), words
    assert "strategy.steps 100 -> 3" in cut_by_scale(compose(*without, "strategy=asal_auto"))
    assert "procedure.samples 1000 -> 100" in cut_by_scale(compose(*without, "procedure=gan_quality"))


def test_a_scale_cuts_nothing_of_pictures_without_labels_and_what_is_given_for_it_is_said():
    words = ("dataset=image_folder", "dataset.root=null", "++dataset.files=null", "gan=none", "strategy=margin")
    config = compose(*words, "dataset.class_names=[cat,dog]", "scale=smoke", "dataset.max_images=500")
    assert any(cut.startswith("dataset.max_held_out") for cut in cut_by_scale(compose(*words, "scale=smoke")))
    assert not any(cut.startswith("dataset.") for cut in cut_by_scale(config))
    said = effects(config, config.hydra).splitlines()
    assert said[-1] == "dataset.max_images=500 changes nothing with dataset.class_names"


def test_a_scale_narrows_the_networks_of_a_gan():
    small = compose("dataset=cifar10_two", "strategy=asal_auto", "scale=small")
    whole = compose("dataset=cifar10_two", "strategy=asal_auto", "scale=small", "scale.gan_width=null")
    assert whole.gan.discriminator.channels == [128, 256, 512]  # ASAL Tab. 7
    assert small.gan.discriminator.channels == [64, 128, 256]
    assert small.gan.generator.channels == [256, 128, 64]
    assert "gan.generator.channels [512, 256, 128] -> [256, 128, 64]" in cut_by_scale(small)
    residual = compose("dataset=cifar10_two", "gan=res_wgan_gp", "scale=small")
    assert residual.gan.generator.channels == 64
    narrowest = compose("dataset=mnist_two", "strategy=asal_auto", "scale.gan_width=0.001")
    assert narrowest.gan.generator.channels == [1, 1, 1]


@pytest.mark.parametrize("wrong", ["wide", "true", ".inf"])
def test_a_bound_that_is_none_changes_nothing(wrong):
    """`refuse_arguments` says so, once the run is composed."""
    config = compose("dataset=mnist_two", "strategy=asal_auto", f"scale.gan_width={wrong}", "scale.epochs=many")
    assert config.gan.generator.channels == [256, 128, 64]
    assert config.learner.epochs == config.recipe.epochs


def test_which_pair_files_took_effect_is_said():
    config = compose("dataset=mnist_two", "strategy=asal_auto", "scale=small")
    said = effects(config, config.hydra)
    assert "pair/gan/wgan_gp/asal/mnist_two" in said
    assert "pair/learner" not in said


@pytest.mark.parametrize(
    ("learner", "vain"), [("acgan", True), ("waal", True), ("boundary", True), ("supervised", False), ("mal", False)]
)
@pytest.mark.parametrize("length", ["match_steps=true", "steps=7", "last_batch=even"])
def test_a_length_that_a_learner_does_not_ask_for_is_said(learner, vain, length):
    config = compose("dataset=digits", "strategy=random", f"learner={learner}", length)
    said = effects(config, config.hydra).splitlines()
    vain &= (learner, length) != ("waal", "last_batch=even")  # its epochs have a last batch, too
    assert (f"{length} changes nothing with learner={learner}" in said) == vain
    assert sum("changes nothing" in line for line in said) == vain


@pytest.mark.parametrize("dataset", members("dataset"))
def test_each_data_set_names_its_recipe(dataset):
    config = compose(f"dataset={dataset}", *PLAIN)
    assert (CONF / "recipe" / f"{config.hydra.runtime.choices.recipe}.yaml").exists()
    assert OmegaConf.to_container(config.procedure, resolve=True)


@pytest.mark.parametrize("strategy", members("strategy"))
def test_each_strategy_leaves_network_and_gan_to_the_recipe(strategy):
    chosen = compose("dataset=mnist_two", f"strategy={strategy}").hydra.runtime.choices
    default = compose("dataset=mnist_two", "strategy=random").hydra.runtime.choices
    assert (chosen.network, chosen.gan) == (default.network, default.gan)


@pytest.mark.parametrize("name", ["Bilder 2026 ü", "seed=1", "o'k (1)", "a'\\'b ü", "ends ü\\", 'say "ü"'])
def test_a_folder_may_have_any_name_on_a_command_line(name):
    (given,) = quoted([f"dataset.root=/home/{name}"])
    assert OverridesParser.create().parse_override(given).value() == f"/home/{name}"


@pytest.mark.parametrize("written", ["[Kätzchen, Hündin (2)]", "[Kätzchen,'Hündin (2)']", '[ "Kätzchen" ,Hündin (2)]'])
def test_classes_may_have_any_letters_on_a_command_line(written):
    (given,) = quoted([f"dataset.class_names={written}"])
    assert OverridesParser.create().parse_override(given).value() == ["Kätzchen", "Hündin (2)"]


def test_quotes_within_a_list_hold_what_they_did():
    (given,) = quoted(["""a=[ü,"b, [c]",'it\\'s']"""])
    assert OverridesParser.create().parse_override(given).value() == ["ü", "b, [c]", "it's"]


@pytest.mark.parametrize(
    "argument", ["seed=1", "strategy=random,entropy", "a=['ü','b']", "a.b='ü'", "--help", "a=[1", "loop.x", "a={ü: 1}"]
)
def test_what_needs_no_quotes_or_is_no_value_stays(argument):
    assert quoted([argument]) == [argument]


def test_unknown_choices_are_named_before_anything_is_composed():
    assert "architecture@gan=igg is not known: did you mean ig?" in str(unknown_choice(["architecture@gan=igg"]))
    assert "strategy=null is not known: use one of" in str(unknown_choice(["strategy=null"]))
    listed = "evaluator=[accuracy,mean_iou] must be one choice; for a sweep -m evaluator=accuracy,mean_iou"
    assert unknown_choice(["hydra.searchpath=[file:///x]", "evaluator=[accuracy,mean_iou]"]) == listed
    assert unknown_choice(["gan=[none]"]) == "gan=[none] must be one choice: gan=none"
    assert unknown_choice(["strategy=random,entropy", "seed=1", "loop.budget=3", "+x=1", "hydra.verbose=true"]) is None
    assert unknown_choice(["experiment=asal/mnist_two", "contrasts={}"]) is None
    sentence = unknown_choice(["strategy=random,entopy"])
    assert sentence is not None
    assert re.match(r"strategy=entopy is not known: did you mean entropy\? Use one of .*random", sentence)


def test_differences_are_named_by_their_keys():
    stored, asked = {"a": {"b": 1, "c": 2}, "d": 3}, {"a": {"b": 1, "c": 4}, "e": 5}
    lines = ["a.c is 2 there and 4 here", "d is 3 there and None here", "e is None there and 5 here"]
    assert differences(stored, asked) == lines


def test_help_is_what_hydra_would_print():
    """`run.py` prints it without Hydra's composition, which takes longer with every folder of conf."""
    assert help_text() == compose().hydra.help.template


def test_keys_that_came_later_and_change_nothing_are_in_no_id():
    kept = identify(compose("dataset=fashion_mnist", "strategy=random", "learner.early_stopping=null"))
    assert not {"match_steps", "early_stopping"} & kept["learner"].keys()
    watched = identify(compose("dataset=fashion_mnist", "strategy=random", "match_steps=true"))
    assert watched["learner"]["match_steps"] is True
    assert watched["learner"]["early_stopping"]["part"] == "training/early_stopping@1"
    assert watched["settings"]["free_validation"] is True


def test_matched_steps_are_another_run_with_a_label_of_its_own():
    plain, matched = (("dataset=fashion_mnist", "strategy=random", *more) for more in ((), ("match_steps=true",)))
    assert run_id(*plain) != run_id(*matched)
    assert label(_root_=compose(*plain)) == "fashion_mnist-waal/random/seed=0"
    assert label(_root_=compose(*matched)) == "fashion_mnist-waal/random+match_steps/seed=0"


def test_waal_is_the_same_run_with_matched_steps_and_without():
    cell = ("dataset=fashion_mnist", "strategy=waal")
    assert run_id(*cell, "match_steps=true") == run_id(*cell)
    labels = {label(_root_=compose(*cell, *more)) for more in ((), ("match_steps=true",))}
    assert labels == {"fashion_mnist-waal/waal+waal/seed=0"}


def test_the_label_names_the_gan_that_a_learner_trains_and_a_gamma_of_its_own():
    """Two bases, and adversarial sampling beside regular training, are told apart in the path."""
    usual = "dataset=digits", "strategy=random", "learner=acgan"
    expected = {
        ("gan=ac_dcgan",): "random+acgan+ac_dcgan",
        ("gan=ac_sngan",): "random+acgan+ac_sngan",
        ("gan=ac_sngan", "architecture@gan=plain"): "random+acgan+ac_sngan",
        ("gan=ac_sngan", "architecture@gan=ig"): "random+acgan+ac_sngan+ig",
        ("gan=ac_sngan", "learner.gamma=4"): "random+acgan+ac_sngan+gamma=4",
        ("gan=ac_sngan", "learner.gamma=1"): "random+acgan+ac_sngan",
        ("gan=ac_sngan", "learner.fake_classes=labeled"): "random+acgan+ac_sngan+fake_classes=labeled",
        ("gan=ac_sngan", "learner.select=per_class"): "random+acgan+ac_sngan+select=per_class",
        ("gan=ac_sngan", "learner.new_fakes=each_iteration"): "random+acgan+ac_sngan+new_fakes=each_iteration",
    }
    for more, method in expected.items():
        assert label(_root_=compose(*usual, *more)) == f"digits/{method}/seed=0"
    assert label(_root_=compose("dataset=digits", "strategy=asal_auto")) == "digits/asal_auto/seed=0", "the strategy's"


def test_how_fakes_are_drawn_is_another_run_and_as_they_always_were_the_stored_one():
    """The id is that of a kept cell from before there was a choice."""
    line = "experiment=alcg/digits", "method=alcg/cs_mc", "seed=0"
    usual = "learner.fake_classes=even", "learner.select=together", "learner.new_fakes=each_critic_step"
    assert run_id(*line) == run_id(*line, *usual) == "ec0847f56c2c"
    others = "learner.fake_classes=labeled", "learner.select=per_class", "learner.new_fakes=each_iteration"
    assert len({run_id(*line), *(run_id(*line, other) for other in others)}) == 4


def test_a_gan_s_conditional_part_and_a_cut_of_its_iterations_count():
    usual = "dataset=digits", "strategy=random", "learner=acgan", "gan=ac_dcgan"
    ids = {run_id(*usual, *more) for more in ((), ("gan.conditional.class_input=embedding",), ("gan.iterations=3",))}
    assert len(ids) == 3
    assert run_id(*usual, "capture=true") == run_id(*usual)


def test_arguments_without_a_name_count_too():
    first, other = (run_id(*PLAIN, "~dataset.test_share", f"+dataset._args_=[{share}]") for share in (0.2, 0.5))
    assert first != other


def test_what_no_run_of_a_sweep_has_is_said_of_a_run_by_itself():
    """The one base of an experiment is in its sweep, which a single run has not."""
    words = ("experiment=alcg/fashion_mnist_wgan_gp", "method=alcg/rand")
    one = "gan=ac_dcgan is in no run of alcg/fashion_mnist_wgan_gp's sweep, which has gan=ac_wgan_gp"
    for mode, gan, said in (("RUN", (), [one]), ("RUN", ("gan=ac_wgan_gp",), []), ("MULTIRUN", (), [])):
        config = compose(*words, *gan, f"hydra.mode={mode}")
        assert effects(config, config.hydra).splitlines()[2:] == said
    config = compose("experiment=waal/parts_fashion_mnist", "hydra.mode=RUN")
    assert effects(config, config.hydra).splitlines()[-1].startswith("method=none is in no run of waal/parts_fashion")
    every = compose("experiment=waal/parts_fashion_mnist", "hydra.sweeper.params.method='glob(*)'", "hydra.mode=RUN")
    assert "is in no run" not in effects(every, every.hydra)
