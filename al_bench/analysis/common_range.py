"""Which annotations stand beside each other where the seeds of two lines have come differently far."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class CommonRange:
    """sizes: of each seed that is kept, ascending, those within what all of these cover; left_out: seeds that would cut
    it to less than half of the longest."""

    sizes: Mapping[int, Sequence[int]]
    left_out: Sequence[int]

    @property
    def words(self) -> str:
        """Which seeds are not compared; "" where all are."""
        left = f", without {'seed' if len(self.left_out) == 1 else 'seeds'} " if self.left_out else ""
        return f"{left}{', '.join(map(str, self.left_out))}"


def common_range(sizes: Mapping[int, Collection[int]]) -> CommonRange:
    """What the seeds have in common, so that none is compared over less than another. sizes: the annotations of each,
    by seed, at least one."""
    spans = {seed: (min(own), max(own)) for seed, own in sizes.items()}
    longest = max((high - low for low, high in spans.values()), default=0)
    kept = [seed for seed, (low, high) in spans.items() if 2 * (high - low) >= longest]
    low, high = max((spans[seed][0] for seed in kept), default=0), min((spans[seed][1] for seed in kept), default=0)
    inside = {seed: [at for at in sorted(sizes[seed]) if low <= at <= high] for seed in kept}
    return CommonRange({seed: own for seed, own in inside.items() if own}, sorted(spans.keys() - set(kept)))


def shared_sizes(curves: Iterable[Collection[int]]) -> Mapping[int, Sequence[int]]:
    """As `common_range` has them, of curves by their place; of those that have any annotations."""
    return common_range({place: sizes for place, sizes in enumerate(curves) if sizes}).sizes


@dataclass(frozen=True)
class Part:
    """The annotations `low` to `high` over which two lines are compared, of those that the longer one has, `whole`."""

    low: int
    high: int
    whole: tuple[int, int]

    @property
    def words(self) -> str:
        """ "10 to 20 of 10 to 200", without "of" where it is the whole."""
        of = f" of {self.whole[0]:,} to {self.whole[1]:,}" if (self.low, self.high) != self.whole else ""
        return f"{self.low:,} to {self.high:,}{of}"

    @property
    def is_short(self) -> bool:
        """Whether it is less than half of the whole."""
        return 2 * (self.high - self.low) < self.whole[1] - self.whole[0]

    @property
    def ends_early(self) -> bool:
        """Whether it ends before the middle of the whole."""
        return 2 * (self.high - self.whole[0]) < self.whole[1] - self.whole[0]


def common_part(sizes: Mapping[int, Sequence[int]], lines: Sequence[Iterable[Collection[int]]]) -> Part | None:
    """sizes: that are compared, by seed; lines: the annotations of each seed, of both lines. None where nothing is."""
    compared = [at for own in sizes.values() for at in own]
    known = [[at for own in line for at in own] for line in lines]
    if not compared or not all(known):
        return None
    longer = max(known, key=lambda line: max(line) - min(line))
    return Part(min(compared), max(compared), (min(longer), max(longer)))
