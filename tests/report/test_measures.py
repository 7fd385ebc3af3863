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


def test_what_no_metric_declares_is_written_by_the_end_of_its_name():
    assert measure("confident_share").written(0.5) == "50.0 %"
    assert measure("chosen_entropy").written(0.5) == "0.500 nats"
