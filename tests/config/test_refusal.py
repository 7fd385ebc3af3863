"""A user's mistake is told in a sentence, a defect keeps its traceback."""

import errno

import pytest
from composing import compose
from hydra.errors import HydraException, InstantiationException
from hydra.utils import instantiate
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import MarkedYAMLError

from al_bench.config.refusal import sentence_of
from al_bench.errors import UserError


def test_a_refusal_is_found_below_what_was_raised_for_it_and_stands_on_one_line():
    refusal, above = UserError("size=0 must be\n  more than 0"), InstantiationException("Error in call")
    above.__cause__ = refusal
    assert sentence_of(above) == "size=0 must be more than 0"
    refusal.__cause__ = above  # as where it is raised anew
    assert sentence_of(refusal) == "size=0 must be more than 0"


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("loop.bugdet=3", "loop.bugdet is not known: did you mean budget? Use one of initial, every_class, "),
        ("strtegy=random", "strtegy is not known: did you mean strategy? Use one of seed, device, "),
        ("lop.budget=5", "lop is not known: did you mean loop? Use one of seed, "),
        (
            "learner.optimizer.lr=1",
            "learner.optimizer is recipe.optimizer: set recipe.optimizer.lr in place of learner.",
        ),
        ("learner.network.width=1", "learner.network is network: set network.width in place of learner.network.width"),
        ("recipe.optimizer.weight_decay=1", "recipe.optimizer.weight_decay has no value yet: add one by +recipe.opt"),
        ("recipe.optimizer.weight_decai=1", "recipe.optimizer.weight_decai is not known: use one of lr"),
        ("hydra/sweeper=ax", "hydra/sweeper=ax is not known: use one of basic"),
        ("strategy.nothing=1", "strategy.nothing is not known: use one of gan, feature, "),
        (
            "architecture@gan=ig",
            "nothing that is chosen has architecture@gan: use architecture@gan with gan=ac_",
        ),
        ("network=linear,small_cnn", "Ambiguous value for argument 'network=linear,small_cnn': begin with -m for a sw"),
        ("+seed=1", "Could not append to config. An item is already at 'seed': leave out the +"),
        ("loop.budget='", "loop.budget=' cannot be read: quote a value of other signs than letters and digits"),
        ("strategy=randm", "strategy=randm is not known: did you mean random? Use one of adba, "),
        ("method=alcg/nothing", "method=alcg/nothing is not known: "),
        ("scale=0.5", "Config group override must be a string or a list. Got float"),
    ],
)
def test_what_hydra_cannot_compose_is_named(override, sentence):
    with pytest.raises((HydraException, ValueError)) as refusal:
        compose(override)
    assert sentence_of(refusal.value).startswith(sentence)


@pytest.mark.parametrize(("override", "a_list"), [("network=linear,small_cnn", False), ("loop.budget=1,2", True)])
def test_a_list_is_what_values_may_be_and_choices_may_not(override, a_list):
    with pytest.raises(HydraException) as refusal:
        compose(override)
    assert sentence_of(refusal.value).endswith(", or write a list in [ ]") == a_list


def test_a_mapping_in_the_place_of_a_list_is_named():
    with pytest.raises((HydraException, ValueError)) as refusal:
        compose("procedure=toy", "procedure.bias.line.lows={a: 1}")
    words = "procedure.bias.line.lows is a list: give it as [0.0,0.5,0.9,0.95,1.3]"
    assert sentence_of(refusal.value) == words


def test_a_file_that_is_no_yaml_is_named_with_its_line(tmp_path):
    file = tmp_path / "strategy" / "broken.yaml"
    file.parent.mkdir()
    file.write_text("_target_: parts.Doubtful\npower: [1,\n")
    with pytest.raises(MarkedYAMLError) as refusal:
        compose("strategy=broken", f"hydra.searchpath=[file://{tmp_path}]")
    assert sentence_of(refusal.value).startswith(f"{file}, line 3 is no YAML: ")


def test_a_value_that_refers_to_nothing_is_named():
    with pytest.raises(OmegaConfBaseException) as refusal:
        OmegaConf.to_container(OmegaConf.create({"loop": {"budget": "${nothing}"}}), resolve=True)
    assert sentence_of(refusal.value) == "loop.budget: Interpolation key 'nothing' not found"


def test_more_memory_than_there_is_is_no_defect():
    words = "DefaultCPUAllocator: can't allocate memory: you tried to allocate 4000000000004 bytes"
    assert words in sentence_of(RuntimeError(f"[enforce fail] {words}"))
    assert sentence_of(MemoryError()).startswith("there is not enough memory (MemoryError)")
    above = InstantiationException("Error in call to target")
    above.__cause__ = MemoryError()
    assert sentence_of(above).startswith("there is not enough memory (MemoryError)")


def test_a_failure_of_the_file_system_is_no_defect():
    error = OSError(errno.ENOSPC, "No space left on device", "outputs/a")
    assert sentence_of(error).startswith("the disk is full: outputs/a could not be written")


def test_a_defect_is_none_of_a_users():
    for error in (RuntimeError("shapes differ"), KeyError("a"), AttributeError("no such"), TypeError("not callable")):
        assert sentence_of(error) is None


@pytest.mark.parametrize(
    "node",
    [
        {"_target_": "al_bench.config.groups.members", "group": 5},
        {"_target_": "al_bench.files.as_json", "value": float("nan")},  # raised by what we call
    ],
)
def test_a_defect_of_ours_that_hydra_calls_is_none_of_a_users(node):
    with pytest.raises(InstantiationException) as defect:
        instantiate(node)
    assert sentence_of(defect.value) is None
