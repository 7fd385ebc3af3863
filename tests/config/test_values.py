"""Values of a configuration as a person reads them."""

import pytest

from al_bench.config.groups import CONF
from al_bench.config.values import from_project

HERE = CONF.parent


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (f"representation.weights={HERE}/outputs/a.safetensors", "representation.weights=outputs/a.safetensors"),
        (f"representation.weights='{HERE}/out puts/a'", "representation.weights='out puts/a'"),
        (f"dataset.root=[{HERE}/data/a,{HERE}/data/b]", "dataset.root=[data/a,data/b]"),
        (f"+node={{root: {HERE}/data}}", "+node={root: data}"),
        (f'"root": "{HERE}/data"', '"root": "data"'),
        (f"dataset.root={HERE}beside/data", f"dataset.root={HERE}beside/data"),
        (f"dataset.root=/mnt{HERE}/data", f"dataset.root=/mnt{HERE}/data"),
        (f"hydra.searchpath=[file://{HERE}/tests]", f"hydra.searchpath=[file://{HERE}/tests]"),
        ("dataset.root=/elsewhere/data", "dataset.root=/elsewhere/data"),
        ("seed=0", "seed=0"),
    ],
)
def test_a_path_inside_the_project_is_told_from_its_folder(text: str, told: str) -> None:
    assert from_project(text) == told
