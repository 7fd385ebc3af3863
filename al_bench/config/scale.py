"""What a scale bounds: lengths and widths, read where they are used (`${at_most:...}`, `${times:...}`)."""

from dataclasses import dataclass

from pydantic import NonNegativeInt, PositiveFloat, PositiveInt

from al_bench.config.ranges import Precision


@dataclass(frozen=True)
class Scale:
    """Upper bounds, None for none: on images of a pool, epochs, iterations of GANs and other long trainings, cycles,
    annotations at first and of a query.

    gan_precision: that GANs are trained in. gan_width: a factor on the channels of a GAN's networks.
    """

    images: PositiveInt | None
    epochs: PositiveInt | None
    iterations: PositiveInt | None
    cycles: NonNegativeInt | None
    initial_size: PositiveInt | None
    query_size: PositiveInt | None
    gan_precision: Precision
    gan_width: PositiveFloat | None
