"""What a scale bounds: lengths and widths, read where they are used (`${at_most:...}`, `${up_to:...}`,
`${times:...}`)."""

from dataclasses import dataclass

from al_bench.config.ranges import Moderate, NoneToAll, Precision, UpToAll


@dataclass(frozen=True)
class Scale:
    """Upper bounds, None for none: on images of a pool, and of the validation and of the test split each (held_out),
    on images of the test split alone, sides of images in pixels, epochs, iterations of GANs and other long trainings,
    cycles, annotations at first and of a query.

    search_steps: of a search by gradients for one image: in a generator's latents, across a boundary. samples: of a GAN
    that is looked at. repeats: of what is timed. copies: of the data that a pool is made of to be timed.
    gan_precision: that GANs are trained in. gan_width: a factor on the channels of a GAN's networks.
    """

    images: UpToAll | None
    held_out: UpToAll | None
    test_images: UpToAll | None
    image_size: UpToAll | None
    epochs: UpToAll | None
    iterations: UpToAll | None
    cycles: NoneToAll | None
    initial_size: UpToAll | None
    query_size: UpToAll | None
    search_steps: UpToAll | None
    samples: UpToAll | None
    repeats: UpToAll | None
    copies: UpToAll | None
    gan_precision: Precision
    gan_width: Moderate | None
