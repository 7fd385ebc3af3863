"""Training in memory that is kept beside memory that glibc gives back: a process for each, in turn."""

import subprocess
import sys
from pathlib import Path
from statistics import median

import torch

from al_bench.training.allocator import keep_freed_memory
from benchmarks import Goal, Measured, acgan, interleaved, timed

ROOT = Path(__file__).parents[1]
CHANNELS = (64, 32, 16)
ITERATIONS = 30


def measure(pairs: int = 3, iterations: int = ITERATIONS) -> list[Measured]:
    """AC-SNGAN with adversarial sampling, as `alcg/fashion_mnist_sngan` trains it on a CPU; nothing where memory
    cannot be kept."""
    if not keep_freed_memory():
        return []
    runs = interleaved(lambda _: _seconds("kept", iterations), lambda _: _seconds("left", iterations), pairs)
    ours, plain = ([float(pair[side]) for pair in runs.results] for side in (0, 1))
    ratio = median(first / second for first, second in zip(ours, plain, strict=True))
    how = f"{iterations} iterations, gamma 4: {1e3 * median(ours) / iterations:,.1f} ms each, as glibc has it "
    how += f"{1e3 * median(plain) / iterations:,.1f}"
    return [Measured("AC-SNGAN, freed memory kept / given back", ratio, Goal(0.95), how)]


def _seconds(how: str, iterations: int) -> str:
    line = [sys.executable, "-m", "benchmarks.allocator", how, str(iterations)]
    return subprocess.run(line, cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines()[-1]


def _train(iterations: int) -> float:
    """Seconds of a training, after one to warm up."""
    losses, norm, num_critic, _ = acgan.BASES["AC-SNGAN"]
    learner = acgan.learner(acgan.gan_of(losses, norm, num_critic, iterations, CHANNELS), acgan.GAMMA)
    pool = acgan.labeled_pool()
    return [timed(lambda _: learner.fit(pool, None, acgan.SEED), number)[0] for number in range(2)][-1]


if __name__ == "__main__":
    torch.set_num_threads(1)
    if sys.argv[1] == "kept":
        keep_freed_memory()
    sys.stdout.write(f"{_train(int(sys.argv[2]))}\n")
