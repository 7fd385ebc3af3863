"""README, CONTRIBUTING and docs/ say what is there: links, paths, commands, the diagram, the example, numbers."""

import argparse
import ast
import os
import re
import runpy
import shlex
import subprocess
from functools import lru_cache
from pathlib import Path
from typing import Any

import forked
import pytest
from composing import compose, members, on_digits, part
from test_architecture import ORDER

from al_bench.config.command_line import unknown_choice
from al_bench.config.groups import CONF

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "al_bench"
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
FOLDERS = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
BENEATH = {"config", "sources", "training"}  # what parts are made with, and no part of a run

documents = pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())


def headings(path: Path) -> set[str]:
    """The anchors of a page, as GitHub makes them of its headings."""
    lines = re.findall(r"^#+ (.+)$", path.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", line.lower()).replace(" ", "-") for line in lines}


@documents
def test_links_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)]+)\)", path.read_text()):
        if "://" in target:
            continue
        place, _, anchor = target.partition("#")
        file = (path.parent / place) if place else path
        assert file.exists(), target
        assert not anchor or anchor in headings(file), target


@documents
def test_paths_are_there(path: Path) -> None:
    """Those of this project's folders, `tests/strategy/test_NAME.py` and the like excepted."""
    named = re.findall(r"\b(?:al_bench|conf|tests|scripts|benchmarks|hydra_plugins)/[\w./]*\w", path.read_text())
    for name in named:
        assert "NAME" in name or (ROOT / name).exists(), name


@documents
def test_keys_are_there(path: Path) -> None:
    """A key of a part, as `learner.weighting`, is one of some file of conf/."""
    keys = re.findall(r"`(?:dataset|learner|strategy|network|gan|recipe|loop)((?:\.\w+)+)[=`]", path.read_text())
    for name in {name for key in keys for name in key.split(".")[1:]}:
        assert name in all_keys(), name


@lru_cache
def all_keys() -> set[str]:
    text = "\n".join(file.read_text() for file in CONF.rglob("*.yaml"))
    return set(re.findall(r"[\s{](\w+):", text))


WITH_COMMANDS = [*DOCUMENTS, ROOT / "results" / "README.md"]


def text_of(path: Path) -> str:
    """Without the ends of lines inside of code that a paragraph breaks."""
    return re.sub(r"(?<!`)`[^`]+`(?!`)", lambda code: code[0].replace("\n", " "), path.read_text())


def commands(path: Path) -> list[str]:
    """What follows `python run.py`, in blocks and in the text."""
    found = re.findall(r"python run\.py([^`#|\n]*)", text_of(path))
    return [line.strip() for line in found if "NAME" not in line]


LINES = sorted({line for path in WITH_COMMANDS for line in commands(path)} - {"--help"})
SCRIPTS = sorted(
    {line.strip() for path in WITH_COMMANDS for line in re.findall(r"python scripts/([^`#|\n]*)", text_of(path))}
)


@pytest.mark.parametrize("line", LINES)
def test_commands_compose(line: str) -> None:
    """Of a sweep the first cell, after every choice in it was found."""
    overrides = [word for word in shlex.split(line) if word != "-m"]
    assert unknown_choice(overrides) is None
    config = compose(*(word if "[" in word else word.split(",")[0] for word in overrides))
    one = "hydra.mode=RUN" in overrides
    assert one or config.hydra.mode is None or "-m" in line, "a sweep needs -m"


def test_make_targets_are_there() -> None:
    makefile = (ROOT / "Makefile").read_text()
    named = {
        target for path in WITH_COMMANDS for target in re.findall(r"(?:^|`)make (\w+)", text_of(path), re.MULTILINE)
    }
    assert {"test", "check", "report", "export"} <= named
    for target in named:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


class ParsedError(Exception):
    """Raised where a script has read its command line, in the place of what it would do."""


@pytest.mark.parametrize("line", SCRIPTS)
def test_command_lines_of_scripts_parse(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Up to where its options are read; what files and folders there are is asked behind that."""
    name, *words = shlex.split(line.split(" > ")[0])
    assert (ROOT / "scripts" / name).is_file()
    original = argparse.ArgumentParser.parse_args

    def read(parser: argparse.ArgumentParser, *arguments: Any, **options: Any) -> None:
        raise ParsedError(original(parser, *arguments, **options))

    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", read)
    monkeypatch.setattr("sys.argv", [name, *words])
    with pytest.raises(ParsedError):
        runpy.run_path(str(ROOT / "scripts" / name), run_name="__main__")


@pytest.mark.parametrize(
    "line",
    sorted(
        {
            line
            for path in WITH_COMMANDS
            for line in re.findall(r'make report ARGS="([^"]*)"', text_of(path))
            if "NAME" not in line
        }
    ),
)
def test_reports_that_are_named_parse_and_compose(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    test_command_lines_of_scripts_parse(f"report.py {line}", monkeypatch)
    words = shlex.split(line)
    overrides = [word for word in words if "=" in word]
    assert unknown_choice(overrides) is None
    for place, word in enumerate(words):
        if word == "--experiment":
            compose(f"experiment={words[place + 1]}", *(word.split(",")[0] for word in overrides))


@pytest.mark.parametrize("paper", ["asal", "waal", "mal", "alcg", "compared"])
def test_each_experiment_has_its_row(paper: str) -> None:
    page = "comparison.md" if paper == "compared" else f"papers/{paper}.md"
    text = (ROOT / "docs" / page).read_text()
    experiments = {path.stem for path in (CONF / "experiment" / paper).glob("*.yaml")}
    assert set(re.findall(rf"-m experiment={paper}/(\w+)[^`]*`", text)) == experiments


ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text()
DIAGRAM = ARCHITECTURE.split("```mermaid\n")[1].split("```")[0]
ARROW = re.compile(r"^  (\w+) (?:-- (\w+) )?--> (\w+)$", re.MULTILINE)
PLANNED = set(re.findall(r"(\w+):::planned", DIAGRAM))


def test_the_diagrams_nodes_are_the_folders_of_a_run() -> None:
    arrows = ARROW.findall(DIAGRAM)
    assert len(arrows) + len(PLANNED) == len(re.findall(r"->", DIAGRAM)), "every line of it is read"
    nodes = {node for tail, _, head in arrows for node in (tail, head)}
    assert nodes == FOLDERS - BENEATH
    assert not PLANNED & FOLDERS, "which is there now: draw it as the others"


@pytest.mark.parametrize(("tail", "carried", "head"), ARROW.findall(DIAGRAM))
def test_both_ends_of_an_arrow_know_what_travels(tail: str, carried: str, head: str) -> None:
    """The class on the arrow; where none is, the head imports from the tail."""
    if not carried:
        assert any(name.startswith(f"al_bench.{tail}") for name in names(head)), f"{head} imports nothing of {tail}"
        return
    for folder in (tail, head):
        assert any(name.endswith(f".{carried}") for name in names(folder)), f"{folder} does not know {carried}"
    assert re.search(rf"^class {carried}\b|^{carried} = ", source(), re.MULTILINE), f"no class {carried}"


@lru_cache
def names(folder: str) -> set[str]:
    """What the modules of a folder import of this package, and what they define, with dots."""
    found = set()
    for path in (PACKAGE / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module:
                found.update(f"{node.module}.{alias.name}" for alias in node.names)
            elif isinstance(node, ast.ClassDef):
                found.add(f"al_bench.{folder}.{node.name}")
            elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                found.add(f"al_bench.{folder}.{node.targets[0].id}")
    return {name for name in found if name.startswith("al_bench.")}


@lru_cache
def source() -> str:
    return "\n".join(path.read_text() for path in PACKAGE.rglob("*.py"))


USAGE = (ROOT / "docs" / "usage.md").read_text()
CHOICES = re.findall(r"^\| (\w+) \| (.+) \|$", USAGE.split("## Choices")[1].split("\n## ")[0], re.MULTILINE)


@pytest.mark.parametrize(("group", "named"), CHOICES, ids=[group for group, _ in CHOICES])
def test_every_choice_is_named(group: str, named: str) -> None:
    there = {path.relative_to(CONF / group).with_suffix("").as_posix() for path in (CONF / group).rglob("*.yaml")}
    for name in there - {"none"}:
        assert re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", named), name
    assert [one for one, _ in CHOICES].count(group) == 1


def test_every_group_of_parts_has_its_row() -> None:
    asked = {"learner", "strategy", "network", "representation", "gan", "evaluator", "matcher", "procedure", "oracle"}
    assert {group for group, _ in CHOICES} >= asked | {"dataset", "feature"}


STRATEGIES = re.findall(
    r"^\| ([\w, ]+) \| [^|]+ \| ([\w, ]*)\|$", USAGE.split("## Strategies")[1].split("\n## ")[0], re.MULTILINE
)[1:]


def test_the_table_of_strategies_has_each_of_them_with_what_it_needs() -> None:
    told = {
        name: sorted(filter(None, needs.strip().split(", ")))
        for names, needs in STRATEGIES
        for name in names.split(", ")
    }
    there = {}
    for name in members("strategy"):
        made = part("strategy", *on_digits(f"strategy={name}"))
        more = [word for word in ("images", "decoder") if getattr(made, f"needs_{word}")]
        there[name] = sorted([*made.needs, *more])
    assert told == there


@pytest.mark.parametrize("package", ["analysis", "report"])
def test_a_package_names_each_of_its_modules(package: str) -> None:
    folder = ROOT / "al_bench" / package
    text = (folder / "__init__.py").read_text()
    named = set(re.findall(r"`(\w+)/?`", text))
    modules = {path.stem for path in folder.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert modules - {"__init__"} <= named


def test_each_folder_has_its_line() -> None:
    rows = re.findall(r"^\| `al_bench/(\w+)` \|", ARCHITECTURE, re.MULTILINE)
    assert sorted(rows) == sorted(FOLDERS)


def test_the_order_of_import_is_the_tested_one() -> None:
    printed = ARCHITECTURE.split("## Order of import")[1].split("```")[1]
    assert printed.split() == ORDER.split()


def test_the_glossary_has_fifteen_lines() -> None:
    glossary = (ROOT / "CONTRIBUTING.md").read_text().split("## Glossary")[1]
    assert len(re.findall(r"^\| ", glossary, re.MULTILINE)) == 15 + 2, "and a head of two"


README = (ROOT / "README.md").read_text()


def test_the_readme_is_short_and_its_numbers_are_measured() -> None:
    assert len(README.splitlines()) <= 90
    measured = (ROOT / "results" / "README.md").read_text()
    cells = re.findall(r"\| (\d+\.\d+)(?= \|)", README)
    assert cells
    for number in cells:
        assert re.search(rf"\b{re.escape(number)}\b", measured), number


def example() -> str:
    return README.split("<!-- run by tests/test_documents.py -->\n```python\n")[1].split("```")[0]


def test_the_example_is_short() -> None:
    assert len([line for line in example().splitlines() if line]) <= 15


@pytest.mark.slow
def test_the_example_runs(tmp_path: Path) -> None:
    """At the smallest scale, as a reader would run it: from another folder, with what is installed."""
    code = example().replace('["strategy=margin"]', '["strategy=margin", "scale=smoke"]')
    assert code != example()
    done = subprocess.run(
        [forked.python(), "-c", code],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stderr
    lines = [line.split() for line in done.stdout.splitlines()]
    assert [int(annotations) for annotations, _ in lines] == [20, 30, 40, 50, 60]
    assert all(0 <= float(accuracy) <= 1 for _, accuracy in lines)


CITING = [ROOT / "results" / "README.md", *DOCUMENTS] + [
    path
    for folder in ("al_bench", "benchmarks", "conf", "hydra_plugins", "scripts", "tests")
    for path in (ROOT / folder).rglob("*")
    if path.suffix in (".py", ".yaml", ".md", ".csv")
]


def test_citations_can_be_looked_up() -> None:
    """In the paper itself or under a heading of its page."""
    for path in CITING:
        text = path.read_text()
        assert not re.search(r"\bfacts" + r" \d", text, re.IGNORECASE), path
        for page, rest in re.findall(r"(docs/papers/\w+\.md)(?:, ([A-Z].{0,40}))?", text):
            assert (ROOT / page).exists(), f"{path}: {page}"
            known = re.findall(r"^#+ (.+)$", (ROOT / page).read_text(), re.MULTILINE)
            assert not rest or any(rest.startswith(heading) for heading in known), f"{path}: {page}, {rest}"
