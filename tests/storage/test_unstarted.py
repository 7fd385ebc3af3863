"""A refused command leaves no folder of its run; whatever was computed stays."""

from filelock import FileLock

from al_bench.storage.unstarted import discard_unstarted


def begun(outputs):
    """A run's folder as it is before its first cycle."""
    folder = outputs / "digits" / "random" / "seed=0" / "0123456789ab"
    for name in ("cycles", "hydra"):
        (folder / name).mkdir(parents=True)
    for name in ("run.log", "config.json", "hydra/config.yaml"):
        (folder / name).write_text("said")
    return folder


def test_what_has_only_begun_goes_with_the_folders_that_it_leaves_empty(tmp_path):
    discard_unstarted(begun(tmp_path / "outputs"), tmp_path / "outputs")
    assert list(tmp_path.iterdir()) == []


def test_another_run_beside_it_stays(tmp_path):
    folder = begun(tmp_path)
    (folder.parent / "other").mkdir()
    discard_unstarted(folder, tmp_path)
    assert [path.name for path in folder.parent.iterdir()] == ["other"]


def test_what_was_computed_stays(tmp_path):
    for name in ("cycles/000.json", "scratch/000/step.ckpt", "samples.png", "sweep.log"):
        folder = begun(tmp_path / name.replace("/", "-"))
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("computed")
        discard_unstarted(folder, tmp_path)
        assert (folder / name).read_text() == "computed" and (folder / "config.json").exists()


def test_what_another_process_holds_stays(tmp_path):
    folder = begun(tmp_path)
    with FileLock(folder / "lock"):
        discard_unstarted(folder, tmp_path)
    assert (folder / "config.json").exists()


def test_a_folder_elsewhere_leaves_what_is_above_it(tmp_path):
    discard_unstarted(begun(tmp_path / "elsewhere"), tmp_path / "outputs")
    assert [path.name for path in (tmp_path / "elsewhere").rglob("*")] == ["digits", "random", "seed=0"]
