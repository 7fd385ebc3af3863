from al_bench.active.metric import Metric
from al_bench.report.measures import measure


def test_a_metric_is_written_as_it_declares():
    """Not by its name, which says nothing here, or the contrary."""
    declared = [
        Metric("surprise", "nats", higher_is_better=False),
        Metric("error_found", "fraction", higher_is_better=True),
    ]
    surprise, found = (measure(name, declared) for name in ("surprise", "error_found"))
    assert (surprise.written(0.25), surprise.less_is_better) == ("0.250 nats", True)
    assert (found.written(0.25), found.less_is_better) == ("25.0 %", False)


def test_scores_and_distances_have_their_own_digits_and_no_unit():
    """A distance is of any order of magnitude: FID is tens, KID thousandths."""
    declared = [
        Metric("inception_score", "score", higher_is_better=True),
        Metric("fid", "distance", higher_is_better=False, words="FID"),
        Metric("modes", "classes", higher_is_better=True),
        Metric("num_samples", "images", higher_is_better=True),
        Metric("precision", "fraction", higher_is_better=True),
    ]
    score, fid, modes, images, precision = (measure(metric.name, declared) for metric in declared)
    assert (score.written(7.12345), score.axis) == ("7.123", "inception score")
    assert [fid.written(value) for value in (123.456, 34.0, 0.001234567)] == ["123.5", "34", "0.001235"]
    assert fid.less_is_better and not score.less_is_better
    assert (modes.written(9), images.written(5000), precision.written(0.5)) == ("9.0 classes", "5000 images", "50.0 %")
    assert measure("fid", declared).axis == "FID" and modes.axis == "modes, classes"


def test_a_metric_is_stored_with_its_words_where_it_has_some():
    for metric in (Metric("fid", "distance", False, "FID"), Metric("accuracy", "fraction", True)):
        assert Metric.stored(metric.plain()) == metric
        assert ("words" in metric.plain()) is bool(metric.words)


def test_nothing_is_said_to_be_better_by_its_name():
    assert not measure("calibration_error").less_is_better


def test_what_no_metric_declares_is_written_by_the_end_of_its_name():
    assert measure("confident_share").written(0.5) == "50.0 %"
    assert measure("chosen_entropy").written(0.5) == "0.500 nats"


def test_a_difference_of_percentages_is_in_points():
    assert measure("accuracy").difference == "difference, points"
    assert measure("chosen_entropy").difference == "difference, nats"
    assert measure("fid", [Metric("fid", "distance", higher_is_better=False)]).difference == "difference"
