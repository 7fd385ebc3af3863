"""Many tests at once: p values that count all of a table's."""

from collections.abc import Sequence


def holm(p: Sequence[float]) -> list[float]:
    """Holm's correction (1979): each p value raised so that all those below 5 % are so together, in their order.

    p: in [0, 1].
    """
    from statsmodels.stats.multitest import multipletests

    return [float(value) for value in multipletests(list(p), method="holm")[1]] if p else []
