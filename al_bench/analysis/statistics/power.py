"""How many seeds it takes to see a difference as large as the one that was found."""

import math

_MOST = 1000  # more are not worth the number


def seeds_needed(effect: float | None, power: float = 0.8, alpha: float = 0.05) -> int | None:
    """Pairs with which a two-sided paired t test sees a difference of this effect with this power; at least two.

    effect: Cohen's d of the pairs, of either sign; as it is found in few seeds it is itself uncertain. alpha: what p
    has to be below, at the first step of Holm's correction where there are several tests. None where no number of
    seeds up to a thousand would do.
    """
    from statsmodels.stats.power import TTestPower

    if effect is None or not math.isfinite(effect) or effect == 0:
        return None
    for pairs in range(2, _MOST + 1):
        found = TTestPower().power(abs(effect), pairs, alpha, alternative="two-sided")
        if math.isnan(found):  # of a large effect the other side's share, which is none
            found = TTestPower().power(abs(effect), pairs, alpha / 2, alternative="larger")
        if found >= power:
            return pairs
    return None


def tell_seeds_needed(effect: float | None, alpha: float) -> int | str | None:
    """As a cell of a table: "over 1,000" where more would not be worth the number, None where no effect is known."""
    found = seeds_needed(effect, alpha=alpha)
    return found if found or effect is None else f"over {_MOST:,}"
