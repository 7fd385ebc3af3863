from pathlib import Path

from pictures import noise, save

from al_bench.sources.looking import listing_of, looking_once


def test_a_folder_is_looked_through_once_inside_and_anew_behind_it(tmp_path: Path) -> None:
    save(tmp_path / "1.png", noise(0))
    with looking_once():
        first = listing_of(tmp_path)
        save(tmp_path / "2.png", noise(0))
        assert listing_of(tmp_path) is first
        assert [file.name for file in first.pictures] == ["1.png"]
    assert [file.name for file in listing_of(tmp_path).pictures] == ["1.png", "2.png"]
