"""What a run over pictures that are decoded when asked for keeps in memory: batches of them, and never the pool."""

import os
import subprocess
from pathlib import Path

import forked
import pytest
from pictures import CLASSES, noise, save

ROOT = Path(__file__).parent.parent
SIDE, FEW, MANY = 256, 300, 1500  # 196,608 bytes a picture: 59 and 295 MB, of several batches each
RUN = """
import runpy, sys
from pathlib import Path
Path("/proc/self/clear_refs").write_text("5")
sys.argv = ["run.py", *sys.argv[1:]]
try:
    runpy.run_path("run.py", run_name="__main__")
except SystemExit as end:
    assert not end.code, end.code
lines = Path("/proc/self/status").read_text().splitlines()
print("peak", next(line.split()[1] for line in lines if line.startswith("VmHWM:")))
"""
LINE = (
    "dataset=image_folder", "dataset.cache=never", "network=linear", "strategy=entropy", "learner.epochs=1",
    "loop.initial_size=10", "loop.query_size=5", "loop.max_cycles=1", "loop.every_class=false", "device=cpu",
    "tracking=none", "threads=1", f"dataset.image_size={SIDE}", "keep_weights=last",
)  # fmt: skip


def peak(folder: Path, count: int) -> int:
    """Bytes that a process of a whole run had at most. The pictures are few files under many names."""
    for label, name in enumerate(CLASSES):
        whole = save(folder / "pictures" / "train" / name / "0.bmp", noise(label, SIDE, SIDE))
        for number in range(1, count // len(CLASSES)):
            whole.with_name(f"{number}.bmp").hardlink_to(whole)
        save(folder / "pictures" / "test" / name / "0.bmp", noise(9 + label, SIDE, SIDE))
    words = [*LINE, f"dataset.root={folder / 'pictures'}", f"paths.outputs={folder / 'outputs'}"]
    command = [forked.python(), "-c", RUN, *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, env={**os.environ})
    assert done.returncode == 0, done.stdout + done.stderr
    return 1024 * int(done.stdout.split("peak")[-1])


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="reads the peak of memory as Linux tells it")
def test_a_run_over_many_pictures_takes_little_more_than_over_few(tmp_path: Path) -> None:
    """A quarter of the bytes at most that the pixels of the others have."""
    few, many = peak(tmp_path / "few", FEW), peak(tmp_path / "many", MANY)
    pixels = (MANY - FEW) * SIDE * SIDE * 3
    assert many - few < pixels / 4, f"{few:,} bytes for {FEW} pictures, {many:,} for {MANY}"
