"""The stages for a GPU: what they run, that a CPU runs the same lines, what they bring home, how they go on."""

import os
import shlex
import signal
import subprocess
import time
from pathlib import Path

import forked
import pytest
from composing import compose

from al_bench.config.command_line import unknown_choice
from benchmarks.indexes_gpu import RIVALS

ROOT = Path(__file__).parent.parent
STAGES = ("check", "mnist_two", "mnist_ten", "waal_cifar10", "mal", "alcg", "matching")
SMOKE = ("device=cpu", "scale=smoke")
ON_DIGITS = (*SMOKE, "dataset=digits", "seed=0")
NOT_FINISHED = 75


def started(folder: Path, *arguments: str, **variables: object) -> subprocess.Popen[str]:
    """scripts/gpu.sh with these arguments, all that it writes in `folder`."""
    environment = {**os.environ, "PYTHON": forked.python(), "OUT": str(folder / "home")}
    environment.update({name: str(value) for name, value in variables.items()})
    command = ["scripts/gpu.sh", *arguments, f"paths.outputs={folder}/outputs"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, cwd=ROOT, env=environment, text=True, **pipes)  # type: ignore[call-overload]


def stage(folder: Path, *arguments: str, **variables: object) -> subprocess.CompletedProcess[str]:
    """The same, once it is over."""
    process = started(folder, *arguments, **variables)
    said = process.communicate()
    return subprocess.CompletedProcess(arguments, process.returncode, *said)


def stand_in(folder: Path, does: str = "") -> Path:
    """What is started in place of Python: notes its arguments and does what a test says."""
    path = folder / "python"
    note = f"printf '%s ' \"$@\" >>{folder}/lines; echo >>{folder}/lines"
    path.write_text(f"#!/usr/bin/env bash\n{note}\n{does}\n")
    path.chmod(0o755)
    return path


def lines(folder: Path) -> list[list[str]]:
    """The arguments of each command that was started since the last look."""
    noted = folder / "lines"
    found = [shlex.split(line) for line in noted.read_text().splitlines()]
    noted.unlink()
    return found


def commands(folder: Path, name: str, *keys: str) -> list[list[str]]:
    """Those of a whole stage."""
    done = stage(folder, name, *keys, PYTHON=stand_in(folder))
    assert done.returncode == 0, done.stderr
    return lines(folder)


def runs(found: list[list[str]]) -> list[list[str]]:
    """What is handed to run.py, in each of its commands."""
    return [line[1:] for line in found if line[0] == "run.py"]


def test_the_numbers_are_those_of_the_names(tmp_path: Path) -> None:
    for number, name in enumerate(STAGES, 1):
        assert commands(tmp_path, str(number)) == commands(tmp_path, name)


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_runs_commands_of_the_project_and_exports(name: str, tmp_path: Path) -> None:
    found = commands(tmp_path, name)
    for line in runs(found):
        assert unknown_choice([word for word in line if word != "-m"]) is None
        assert {"capture=true", "tracking=none", f"paths.cells={tmp_path}/home/cells"} <= set(line)
        assert ("-m" in line) == (f"hydra.launcher.workers={len(os.sched_getaffinity(0))}" in line)
    assert found[-1] == ["scripts/export.py", f"{tmp_path}/outputs", f"{tmp_path}/home/cells"]


@pytest.mark.parametrize(("name", "iterations"), [("mnist_two", 40_000), ("mnist_ten", 100_000)])
def test_gans_have_the_papers_iterations_and_serve_the_cells(name: str, iterations: int, tmp_path: Path) -> None:
    """Table 1's text; the cells find the artifact where they describe the same GAN."""
    quality, sweep, *_ = runs(commands(tmp_path, name))
    alone = compose(*quality)
    cell = compose(*[word for word in sweep if word != "-m"], "strategy=asal_auto")
    assert alone.gan.iterations == iterations
    assert alone.gan == cell.gan and alone.dataset == cell.dataset


def test_mnist_ten_goes_seed_by_seed_and_where_a_seed_is_asked_for_once(tmp_path: Path) -> None:
    sweeps = runs(commands(tmp_path, "mnist_ten"))[1:]
    assert [word for line in sweeps for word in line if word.startswith("seed=")] == [f"seed={n}" for n in range(5)]
    _, *sweeps = runs(commands(tmp_path, "mnist_ten", "seed=3,4"))
    assert len(sweeps) == 1 and sweeps[0].index("seed=3,4") > sweeps[0].index("seed=0"), "the last counts"


def test_alcg_goes_seed_by_seed_at_whole_width_with_its_bases_beside_each_other(tmp_path: Path) -> None:
    """A sweep has all of its bases, and Figure 5 takes Figure 10's RAND and CS_MC as they are."""
    sweeps = runs(commands(tmp_path, "alcg"))
    named = [(line[1], line[2]) for line in sweeps]
    figures = [f"experiment=alcg/{figure}_cifar10" for figure in ("alcg", "certainty")]
    assert named == [(figure, f"seed={seed}") for seed in range(5) for figure in figures]
    for line in sweeps[:2]:
        config = compose(*[word for word in line if word != "-m"], "method=alcg/cs_mc")
        assert config.hydra.sweeper.params.gan == "ac_dcgan,ac_sngan,ac_wgan_gp"
        assert config.gan.iterations == 10_000
        assert config.gan.generator.channels == [512, 256, 128, 64]
        assert (config.loop.initial_size, config.loop.budget) == (1000, 10_000)
    assert len(runs(commands(tmp_path, "alcg", "seed=3"))) == 2


def test_the_tests_that_need_a_gpu_are_run_and_both_claims(tmp_path: Path) -> None:
    tests, _, *claims, _ = commands(tmp_path, "check")
    assert tests[:6] == ["-m", "pytest", "-q", "-rs", "-m", "gpu"]
    known = {
        "matcher/test_exact.py",
        "matcher/test_ivf.py",
        "training/test_cuda_graph.py",
        "training/test_loss_record.py",
        "test_bench_matching.py",
    }
    known |= {"representation/test_backbone.py", "learner/test_acgan.py", "dataset/test_splits.py"}
    assert set(tests[6:]) == {f"tests/{name}" for name in known}
    assert [line[:2] for line in claims] == [
        ["scripts/bench.py", name] for name in ("gan_gpu", "matcher_gpu", "packed_gpu")
    ]


def test_matching_runs_the_scan_in_one_pass_and_every_claim_about_it_and_its_rivals(tmp_path: Path) -> None:
    tests, run, *claims, _ = commands(tmp_path, "matching", "seed=1")
    assert tests == ["-m", "pytest", "-q", "-rs", "-m", "gpu", "tests/matcher"]
    assert compose(*run[1:]).strategy.matcher == {"_target_": "al_bench.matcher.exact.Exact", "backend": "fused"}
    pages = [["--page", f"{tmp_path}/home/bench/{name}.md"] for name in RIVALS]
    assert claims == [["scripts/bench.py", name, *page] for name, page in zip(RIVALS, pages, strict=True)]


def test_without_a_gpu_matching_says_that_nothing_was_measured(tmp_path: Path) -> None:
    """The claims as they are; what they are measured with is stood in for."""
    real = stand_in(tmp_path, f'if [[ $1 == scripts/bench.py ]]; then exec {forked.python()} "$@"; fi')
    done = stage(tmp_path, "matching", "device=cpu", PYTHON=real, CUDA_VISIBLE_DEVICES="")
    assert done.returncode == 0, done.stderr
    for name in RIVALS:
        assert f"{name}: needs a GPU and none is here, so nothing was measured\n" in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("name", ["check", "mnist_ten", "waal_cifar10", "matching"])
def test_a_cpu_runs_the_same_lines(name: str, tmp_path: Path) -> None:
    """Those of mnist_two the next test runs, a sweep among them; here the first cell of one."""
    for line in runs(commands(tmp_path, name, *ON_DIGITS, "loop.budget=30")):
        first = [word for word in line if word != "-m" and "," not in word]
        done = forked.run(*first, *(["hydra.mode=RUN", "strategy=random"] if "-m" in line else []))
        assert done.returncode == 0, done.stdout + done.stderr
        assert "finished: " in done.stdout
    assert list(tmp_path.glob("outputs/digits/*/seed=0/*/cycles/*.json"))


@pytest.mark.slow
def test_a_stage_is_cut_goes_on_elsewhere_and_brings_home_what_is_small(tmp_path: Path) -> None:
    """A signal after the GAN was trained; then another machine, where the rest is done from what came home."""
    keys = (*ON_DIGITS, "strategy=asal_auto", "loop.budget=30")
    here, there = tmp_path / "here", tmp_path / "there"
    process = started(here, "mnist_two", *keys)
    while not list(here.glob("outputs/artifacts/gan/*.json")) and process.poll() is None:
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    said, _ = process.communicate()
    assert process.returncode == NOT_FINISHED, said
    assert "not finished: the same line again goes on" in said
    (record,) = here.glob("home/artifacts/gan/*.json")
    assert record.with_suffix(".safetensors").exists()
    there.mkdir()
    (here / "home").rename(there / "home")
    done = stage(there, "mnist_two", *keys)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "making gan" not in done.stdout and "1 of 1 cells are finished" in done.stdout
    home = {path.relative_to(there / "home").parts[:-1] for path in (there / "home").rglob("*") if path.is_file()}
    assert {("cells",), ("samples",), ("artifacts", "gan"), ("artifacts", "autoencoder")} <= home
    assert len(list(there.glob("home/cells/*.cell.xz"))) == 2
    (verdict,) = there.glob("home/samples/*.txt")
    assert verdict.read_text().startswith("the GAN does not count: the judge is sure")
    assert verdict.with_suffix(".png").exists()


def cut(folder: Path, during: str, *arguments: str, **variables: object) -> subprocess.CompletedProcess[str]:
    """A stage that gets a signal once a command with a word in it was started."""
    process = started(folder, *arguments, **variables)
    while not (folder / "lines").exists() or during not in (folder / "lines").read_text():
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    said = process.communicate()
    return subprocess.CompletedProcess(arguments, process.returncode, *said)


def test_what_runs_is_told_to_end_at_the_limit_and_the_rest_is_left(tmp_path: Path) -> None:
    waits = f"""
        trap 'echo told >>{tmp_path}/told; exit 143' TERM
        while [[ $* == *gan_quality* ]]; do sleep 0.2; done
    """
    done = stage(tmp_path, "mnist_two", PYTHON=stand_in(tmp_path, waits), LIMIT=8)
    assert done.returncode == NOT_FINISHED
    assert (tmp_path / "told").read_text() == "told\n", "once: a second signal would end a training at once"
    assert [line[0] for line in lines(tmp_path)] == ["run.py", "scripts/export.py"]
    assert len(runs(commands(tmp_path, "mnist_two"))) == 2


def test_what_does_not_end_is_ended(tmp_path: Path) -> None:
    waits = f"for _ in {{1..600}}; do sleep 0.1; done; touch {tmp_path}/over"
    deaf = f"trap '' TERM; if [[ $1 == run.py ]]; then {waits}; fi"
    assert stage(tmp_path, "waal_cifar10", PYTHON=stand_in(tmp_path, deaf), LIMIT=1, GRACE=1).returncode == NOT_FINISHED
    assert not (tmp_path / "over").exists()


def test_a_check_that_was_cut_goes_on_and_one_that_ended_is_made_anew(tmp_path: Path) -> None:
    waits = stand_in(tmp_path, "if [[ $* == *matcher_gpu* ]]; then exec sleep 60; fi")
    assert cut(tmp_path, "matcher_gpu", "check", PYTHON=waits).returncode == NOT_FINISHED
    assert len(lines(tmp_path)) == 5
    on = stage(tmp_path, "check", PYTHON=stand_in(tmp_path))
    assert "tests: done before\n" in on.stdout and "gan_gpu: done before\n" in on.stdout
    assert [line[1] for line in lines(tmp_path) if line[0] == "scripts/bench.py"] == ["matcher_gpu", "packed_gpu"]
    assert len(commands(tmp_path, "check")) == 6


def test_a_matching_that_was_cut_goes_on_with_the_claim_it_was_cut_in(tmp_path: Path) -> None:
    waits = stand_in(tmp_path, "if [[ $* == *cuvs_ivf_gpu* ]]; then exec sleep 60; fi")
    assert cut(tmp_path, "cuvs_ivf_gpu", "matching", PYTHON=waits).returncode == NOT_FINISHED
    lines(tmp_path)
    assert stage(tmp_path, "matching", PYTHON=stand_in(tmp_path)).returncode == 0
    assert [line[1] for line in lines(tmp_path) if line[0] == "scripts/bench.py"] == ["cuvs_ivf_gpu", "cagra_gpu"]


def test_what_fails_does_not_stop_the_rest_and_shows(tmp_path: Path) -> None:
    done = stage(tmp_path, "mnist_two", PYTHON=stand_in(tmp_path, "[[ $* != *gan_quality* ]]"))
    assert done.returncode == 1 and "not all of it went well" in done.stdout
    assert len(lines(tmp_path)) == 3


def test_bad_input_to_a_run_ends_the_stage(tmp_path: Path) -> None:
    assert stage(tmp_path, "mnist_two", PYTHON=stand_in(tmp_path, "exit 2")).returncode == 2
    assert len(lines(tmp_path)) == 1


@pytest.mark.parametrize(
    ("arguments", "variables", "said"),
    [
        (
            ["mnist"],
            {},
            "stage 'mnist' is not known: use check, mnist_two, mnist_ten, waal_cifar10, mal, alcg, matching, or 1 to 7",
        ),
        (["check", "cpu"], {}, "'cpu' is no KEY=VALUE"),
        (["check"], {"LIMIT": "9m"}, "LIMIT='9m' is no whole number"),
        (["check"], {"PYTHON": "none/python"}, "PYTHON='none/python' is not there"),
    ],
)
def test_what_cannot_be_is_one_sentence(
    arguments: list[str], variables: dict[str, str], said: str, tmp_path: Path
) -> None:
    done = stage(tmp_path, *arguments, **variables)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"error: {said}\n")
    assert not list(tmp_path.iterdir())


def test_large_artifacts_stay(tmp_path: Path) -> None:
    kind = tmp_path / "outputs" / "artifacts" / "gan"
    kind.mkdir(parents=True)
    for name, size in (("small", 2**20), ("large", 2**20 + 1)):
        (kind / f"{name}.safetensors").write_bytes(bytes(size))
        (kind / f"{name}.json").write_text("{}")
    (kind / "begun.safetensors").write_bytes(b"")
    assert stage(tmp_path, "waal_cifar10", PYTHON=stand_in(tmp_path), MOST_MIB=1).returncode == 0
    home = tmp_path / "home" / "artifacts" / "gan"
    assert {path.name for path in home.iterdir()} == {"small.json", "small.safetensors"}
