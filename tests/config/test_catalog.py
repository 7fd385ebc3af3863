"""What is kept of parts is what their classes say, and only as long as it is."""

import inspect
import re
import subprocess
import sys

import forked
import pytest
from composing import compose
from omegaconf import OmegaConf

from al_bench.config import catalog as module
from al_bench.config.catalog import Catalog, about_path, looked_up, own_names
from al_bench.config.groups import CONF
from al_bench.config.identity import describe_node
from al_bench.errors import UserError
from al_bench.strategy import random

ROOT = CONF.parent
SUPERVISED = "al_bench.learner.supervised.Supervised"


def paths_in_conf():
    """Of everything that a configuration can make."""
    lines = (line for file in CONF.rglob("*.yaml") for line in file.read_text().splitlines())
    found = {path for line in lines for path in re.findall(r"(?:_target_|path): ((?:al_bench|torch)\.[\w.]+)", line)}
    return sorted(path for path in found if not path.startswith(("al_bench.config.", "al_bench.tracking.")))


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A catalog that was read again: of every part in `conf`."""
    path = tmp_path_factory.mktemp("outputs") / "parts.json"
    catalog = Catalog(path)
    for part in paths_in_conf():
        catalog.about(part)
    catalog.keep()
    return Catalog(path)


@pytest.fixture
def no_imports(monkeypatch):
    def refuse(path):
        raise AssertionError(f"{path} is imported")

    monkeypatch.setattr(module, "about_path", refuse)


def test_every_part_is_kept_as_its_class_says_it(kept, no_imports):
    paths = paths_in_conf()
    assert len(paths) > 80
    assert {path: kept.about(path) for path in paths} == {path: about_path(path) for path in paths}


@pytest.mark.parametrize("chosen", ["strategy=asal_auto", "method=waal", "procedure=gan_quality"])
def test_an_id_is_the_same_without_an_import(kept, no_imports, chosen):
    node = OmegaConf.to_container(compose(chosen).procedure, resolve=True)
    assert describe_node(node, kept.about) == describe_node(node)


def test_other_sources_are_another_catalog(kept, monkeypatch, tmp_path):
    monkeypatch.setattr(module, "PACKAGE", tmp_path)
    (tmp_path / "part.py").write_text("revision = 1")
    one = Catalog(kept.path)
    assert SUPERVISED not in one._parts
    (tmp_path / "part.py").write_text("revision = 2")
    assert one.sources != Catalog(kept.path).sources


def test_sources_that_change_while_they_are_imported_are_not_kept(tmp_path, monkeypatch):
    catalog = Catalog(tmp_path / "parts.json")
    catalog.about(SUPERVISED)
    monkeypatch.setattr(module, "sources_id", lambda: "others")
    catalog.keep()
    assert not catalog.path.exists()


def test_of_a_part_of_somebody_else_nothing_is_kept(tmp_path):
    catalog = Catalog(tmp_path / "parts.json")
    assert catalog.about("fractions.Fraction").counted.part == "fractions.Fraction"
    catalog.keep()
    assert not catalog.path.exists()
    catalog.about(SUPERVISED)
    catalog.keep()
    assert set(Catalog(catalog.path)._parts) == {SUPERVISED}


def test_a_name_of_ours_is_nobody_elses(tmp_path, monkeypatch):
    """A copy of a part of ours would be given what is stored of ours."""
    monkeypatch.syspath_prepend(tmp_path)
    source = inspect.getsource(random)
    (tmp_path / "copied_part.py").write_text(source)
    with pytest.raises(UserError, match=r"^copied_part\.Random declares strategy/random, a name of al_bench's own"):
        about_path("copied_part.Random")
    (tmp_path / "named_part.py").write_text(source.replace('"strategy/random"', '"mine/random"'))
    assert about_path("named_part.Random").counted.part == "mine/random@1"


def test_the_sources_say_every_name_that_is_declared():
    found = {
        about_path(path).counted.part.partition("@")[0] for path in paths_in_conf() if path.startswith("al_bench.")
    }
    assert len(found) > 80
    assert found <= own_names()


@pytest.mark.parametrize("content", ["", "[]", '{"sources": "SOURCES", "parts": {"a.b": {"counted": 3}}}'])
def test_a_file_that_is_not_whole_is_replaced(tmp_path, content):
    path = tmp_path / "parts.json"
    path.write_text(content.replace("SOURCES", module.sources_id()))
    catalog = Catalog(path)
    assert catalog.about(SUPERVISED) == about_path(SUPERVISED)
    catalog.keep()
    assert SUPERVISED in Catalog(path)._parts


def test_a_class_that_is_there_is_asked_itself(tmp_path):
    with looked_up(tmp_path) as about:
        assert about is about_path
    assert not list(tmp_path.iterdir())


def test_a_finished_run_is_shown_without_torch(tmp_path):
    line = ("scale=smoke", "gan=none", "strategy=random", "loop.max_cycles=0", f"paths.outputs={tmp_path}")
    assert forked.run(*line).returncode == 0
    catalog = Catalog(tmp_path / "parts.json")
    describe_node(OmegaConf.to_container(compose(*line).procedure, resolve=True), catalog.about)
    catalog.keep()
    command = [sys.executable, "-X", "importtime", "run.py", *line]
    again = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    assert "finished before: loop.max_cycles=0 is reached" in again.stdout
    imported = {words[-1] for said in again.stderr.splitlines() if (words := said.split("|")[-1].split())}
    assert "al_bench.config.catalog" in imported
    assert not {"torch", SUPERVISED.rpartition(".")[0]} & imported


def test_a_fresh_process_keeps_what_it_asked(tmp_path):
    code = (
        "import sys; from pathlib import Path; from al_bench.config.catalog import looked_up\n"
        "with looked_up(sys.argv[1]) as about: about(sys.argv[2])"
    )
    part = "al_bench.training.schedule.StepDecay"  # imported in no time
    subprocess.run([sys.executable, "-c", code, str(tmp_path), part], check=True, cwd=ROOT)
    assert set(Catalog(tmp_path / "parts.json")._parts) == {part}
