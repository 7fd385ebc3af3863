from al_bench.analysis.grouping import Group
from al_bench.report.figures.palette import line_looks, looks

TABLE = ("random", "least_confidence", "margin", "entropy", "k_median", "mc_entropy", "coreset", "deepfool", "waal")


def of(methods):
    return {name: look for (name, _), look in looks(Group("digits", name, []) for name in methods).items()}


def test_nine_lines_have_nine_colors_and_markers_and_are_solid():
    found = of(TABLE)
    assert len({look.color for look in found.values()}) == len({look.marker for look in found.values()}) == len(TABLE)
    assert {look.dash for look in found.values()} == {""}


def test_more_lines_share_colors_and_differ_in_the_dash():
    found = of([*TABLE, "full", "kmeans", "bald"])
    assert len(set(found.values())) == len(TABLE) + 3


def test_a_method_in_a_folder_looks_like_the_strategy_of_its_name():
    alone, inside = of(TABLE), of([f"h_divergence/{name}" for name in TABLE[:-1]] + ["waal"])
    assert all(alone[name] == inside[f"h_divergence/{name}"] for name in TABLE[:-1])


def test_no_two_configurations_of_a_line_look_alike() -> None:
    """As five step sizes of one method do on a page of all that is stored."""
    for method in ("random", "adba", "of no strategy"):
        groups = [Group("digits", method, [], variant) for variant in range(12)]
        found = looks([*groups, *(Group("digits", f"method {number}", []) for number in range(12))])
        assert len(set(found.values())) == len(found), method
    assert len({look.marker for look in line_looks(9)}) == 9, "which tell lines apart in gray"
