"""What a scale bounds: lengths and widths, read where they are used (`${at_most:...}`, `${times:...}`)."""

from dataclasses import dataclass

from al_bench.config.ranges import Count, Positive, Precision, Whole


@dataclass(frozen=True)
class Scale:
    """Upper bounds, None for none: on images of a pool, epochs, iterations of GANs and other long trainings, cycles,
    annotations at first and of a query.

    gan_precision: that GANs are trained in. gan_width: a factor on the channels of a GAN's networks.
    """

    images: Count | None
    epochs: Count | None
    iterations: Count | None
    cycles: Whole | None
    initial_size: Count | None
    query_size: Count | None
    gan_precision: Precision
    gan_width: Positive | None
