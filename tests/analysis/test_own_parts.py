"""What is stored is data: of a node in it our own parts are made, and nothing is run, fetched or read besides."""

import sys
from typing import Any

import pytest
from composing import compose, members
from omegaconf import OmegaConf

from al_bench.analysis.own_parts import make_own, own_node
from al_bench.errors import UserError

MNIST = {"_target_": "al_bench.dataset.mnist.mnist", "root": "data", "validation_size": 0}
CIFAR10 = {"_target_": "al_bench.dataset.cifar10.cifar10", "root": "data", "format": "torchvision", "decoded": "/tmp"}
GAN = {"_target_": "al_bench.gan.dcgan.Dcgan", "latent_size": 2}
DIGITS = {"_target_": "al_bench.dataset.digits.digits", "test_share": 0.2, "split_seed": 0}
LINEAR = {"_target_": "al_bench.network.linear.Linear", "_partial_": True}
SMALL_CNN = {"_target_": "al_bench.network.small_cnn.SmallCnn", "_partial_": True, "channels": [4], "dropout": 0.5}
FOREIGN = [
    {"_target_": "os.system", "command": "touch run"},
    {"_target_": "torch.load", "f": "data/x.pt", "weights_only": False},
    {"_target_": "builtins.exec", "_args_": ["open('run', 'w')"]},
    {"_target_": "functools.partial", "_args_": ["os.system", "touch run"]},
    {"_target_": "hydra.utils.get_method", "path": "os.system"},
    {"_target_": "hydra.utils.instantiate", "config": {"_target_": "os.system"}},
    {"_target_": "al_bench.files.write_json", "path": "run", "value": 1},
    {"_target_": "al_bench.dataset.cifar_batches.read_pickle", "path": "run", "checksum": ""},
    {"_target_": "al_bench.dataset.cifar_batches.pickle.loads", "data": ""},
    {"_target_": "al_bench.storage.artifacts.Artifacts", "root": "run"},
    {"_target_": "al_bench.procedure.active_learning.Loop"},
    {"_target_": "torch.nn.Linear", "in_features": 3, "out_features": 3},
    {"_target_": "this.module"},
    {"_target_": 5},
    {"_target_": ["os.system"]},
    {"no": "target"},
    [MNIST],
    "text",
    5,
]
OWN_SETTINGS = {
    "its own checksums": CIFAR10 | {"checksums": {"data_batch_1": "abc"}},
    "its own source": CIFAR10 | {"source": "file:///tmp/bad.tar.gz"},
    "Hydra's own": MNIST | {"_convert_": "object"},
    "a list of arguments": MNIST | {"_args_": [1]},
    "another root": MNIST | {"root": "/etc"},
    "a root above": MNIST | {"root": "data/../../etc"},
    "a home": MNIST | {"root": "~/data"},
    "an index file": CIFAR10 | {"split": "/etc/passwd"},
    "a variable": MNIST | {"root": "${oc.env:HOME}"},
    "nothing yet": MNIST | {"classes": ["???"]},
    "a part that is none": MNIST | {"classes": FOREIGN[0]},
    "a GAN": MNIST | {"classes": GAN},
    "another name of one": CIFAR10 | {"_target_": "al_bench.dataset.cifar10.image_folder"},
    "Hydra's own of a GAN": GAN | {"_convert_": "object"},
    "Hydra's arguments of a GAN": GAN | {"_args_": [1]},
    "a network's": GAN | {"generator": FOREIGN[0] | {"_partial_": True}},
    "an optimizer's": GAN | {"generator_optimizer": {"_target_": "torch.optim.Optimizer.load_state_dict"}},
    "a layer's": GAN | {"generator": {"activation": {"_target_": "torch.nn.functional.relu", "_partial_": True}}},
    "no layer": GAN | {"generator": {"activation": {"_target_": "torch.nn.Parameter", "_partial_": True}}},
    "a layer at once": GAN | {"generator": {"activation": {"_target_": "torch.nn.ReLU"}}},
    "a schedule's": GAN | {"schedule": {"_target_": "al_bench.learner.waal.Waal"}},
    "a data set's": GAN | {"generator": CIFAR10},
    "weights": GAN | {"generator": {"_target_": "al_bench.network.resnet18.ResNet18", "weights": "data/w.pt"}},
}


def refused(node: Any, family: str) -> str:
    with pytest.raises(UserError) as error:
        make_own(node, family, ["data"], "decoded")
    return str(error.value)


@pytest.mark.parametrize("node", FOREIGN, ids=str)
def test_what_is_no_part_of_ours_is_not_made(node, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for family in ("dataset", "gan", "network"):
        assert f"is no {family} of ours, and nothing else is made of what is stored" in refused(node, family)
    assert not list(tmp_path.iterdir())
    assert "this" not in sys.modules, "not even imported"


@pytest.mark.parametrize("name", OWN_SETTINGS)
def test_a_part_of_ours_is_made_with_settings_of_ours(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    node = OWN_SETTINGS[name]
    sentence = refused(node, "gan" if node["_target_"] == GAN["_target_"] else "dataset")
    assert sentence.startswith("it"), sentence
    assert not list(tmp_path.iterdir())


def test_files_are_read_below_any_place_that_is_named_and_decoded_where_that_is_said():
    node = own_node(CIFAR10 | {"root": "/pictures/mine/"}, "dataset", ["data", "/pictures"], "here/decoded")
    assert (node["root"], node["decoded"]) == ("/pictures/mine", "here/decoded")


def test_a_home_is_none_of_the_places_though_its_sign_is_a_name_below_one():
    with pytest.raises(UserError, match=r"root=~/data is not below \."):
        own_node(MNIST | {"root": "~/data"}, "dataset", ["."], "decoded")


def test_a_folder_in_the_readers_home_is_read_where_that_is_named(monkeypatch):
    monkeypatch.setenv("HOME", "/home/me")
    for place in ("/home/me/pics", "~/pics", "~"):
        node = own_node(CIFAR10 | {"root": "~/pics/mine"}, "dataset", [place], "decoded")
        assert node["root"] == "/home/me/pics/mine"
    for root in ("~/pics/../other", "~nobody-of-this-name/pics", "x/../~/pics"):
        with pytest.raises(UserError, match="is not below ~/pics"):
            own_node(CIFAR10 | {"root": root}, "dataset", ["~/pics"], "decoded")


@pytest.mark.parametrize(
    "choices",
    [
        *([f"{family}={name}"] for family in ("dataset", "gan") for name in members(family)),
        *(["gan=ac_dcgan", f"architecture@gan={name}"] for name in members("architecture")),
    ],
    ids=" ".join,
)
def test_every_member_is_made(choices):
    family = choices[0].partition("=")[0]
    node = OmegaConf.to_container(OmegaConf.select(compose(*choices), family), resolve=False)
    places = {key: f"data/{key}" for key in ("root", "decoded") if key in node}
    assert own_node(unreferred(node) | places, family, ["data"], "decoded").keys() == node.keys()


def unreferred(node: Any) -> Any:
    """A node without what only a resolved configuration has."""
    if isinstance(node, dict):
        return {key: unreferred(value) for key, value in node.items()}
    return None if "${" in str(node) else node


def test_what_is_made_is_the_part():
    assert len(make_own(DIGITS | {"max_images": 50}, "dataset").train) == 50


@pytest.mark.parametrize(
    ("family", "node"),
    [
        ("gan", DIGITS),
        ("dataset", GAN),
        ("network", GAN),
        ("network", DIGITS),
        ("network", LINEAR | {"_partial_": False}),
        ("dataset", DIGITS | {"_partial_": True}),
        ("gan", GAN | {"_partial_": True}),
        ("gan", GAN),
        ("dataset", DIGITS | {"max_images": -1}),
        ("dataset", DIGITS | {"test_share": [0.2]}),
        ("network", SMALL_CNN | {"hidden": "8"}),
        ("network", SMALL_CNN | {"channels": [None]}),
    ],
)
def test_a_part_of_another_family_or_with_other_arguments_is_none(family, node):
    refused(node, family)
