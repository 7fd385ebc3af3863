"""Batches of files are read a few steps ahead in threads, and nothing else differs from reading a tensor."""

import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from pictures import fill
from torch import Tensor, nn
from torch.optim import Optimizer
from toy_training import CPU, assert_equal

from al_bench import seeding
from al_bench.active.inputs import Inputs, read_all
from al_bench.active.pool import Pool
from al_bench.active.query import PoolQuery
from al_bench.errors import UserError
from al_bench.gan import GanNetworks
from al_bench.learner.boundary import Everything
from al_bench.representation.encoder import DrawnPairs
from al_bench.sources.cache import decode_images
from al_bench.sources.decoding import Decoder
from al_bench.sources.listing import picture_files
from al_bench.training import interruption
from al_bench.training.augmentation import FlipCrop
from al_bench.training.batches import Batches
from al_bench.training.fit import Fitter
from al_bench.training.image_batches import ImageBatches
from al_bench.training.labeled_batches import LabeledBatches
from al_bench.training.losses import cross_entropy
from al_bench.training.module import Module
from al_bench.training.paired_batches import PairedBatches, UnlabeledWithLabeled
from al_bench.training.sampler import EpochSampler

Make = Callable[[Inputs], Batches]

COUNT, LABELED, EPOCHS = 30, 18, 3
MOVED = FlipCrop(padding=2, flip=True)


def pool_of(images: Inputs) -> Pool:
    labels = torch.arange(LABELED) % 3
    return Pool.unlabeled_from(images, 3).with_labels(PoolQuery(torch.arange(LABELED)), labels)


def labeled(images: Inputs) -> LabeledBatches:
    inputs, labels = pool_of(images).training_set()
    return LabeledBatches(inputs, labels, batch_size=4, epochs=EPOCHS, seed=1, augmentation=MOVED)


def paired(images: Inputs) -> PairedBatches:
    return PairedBatches(labeled(images), images, pool_of(images).unlabeled, seed=2)


def with_labeled(images: Inputs) -> UnlabeledWithLabeled:
    made = partial(UnlabeledWithLabeled, pool_of(images), batch_size=4, epochs=EPOCHS, pairing="replacement")
    return made(seed=1, augmentation=MOVED)


def images_alone(images: Inputs) -> ImageBatches:
    return ImageBatches(images, batch_size=4, steps=9, seed=1, per_step=2)


MAKES: Sequence[Make] = (labeled, paired, with_labeled, images_alone)


class Slow:
    """Inputs that are no tensor: what is read, when and where is noted. bad: the positions whose read fails."""

    def __init__(self, inputs: Tensor, bad: Tensor | None = None) -> None:
        self.inputs, self.bad = inputs, bad
        self.shape, self.dtype, self.device = inputs.shape, inputs.dtype, inputs.device
        self.threads = list[str]()

    def __len__(self) -> int:
        return len(self.inputs)

    def __getitem__(self, indices: Tensor, /) -> Tensor:
        self.threads.append(threading.current_thread().name)
        if self.bad is not None and torch.equal(indices, self.bad):
            raise UserError("owl/9.png cannot be read as a picture: remove or replace it")
        return self.inputs[indices]

    def to(self, device: torch.device, /) -> Inputs:
        return self


class Small(Module):
    """A linear layer and dropout on what a batch begins with; at step `signal_at` a signal comes."""

    def __init__(self, signal_at: int = 0) -> None:
        super().__init__()
        with seeding.fork(3):
            self.layer = nn.Linear(3 * 8 * 8, 3)
        self.calls, self.signal_at = 0, signal_at

    def step(self, batch: Any, optimizers: Sequence[Optimizer]) -> dict[str, Tensor]:
        images = batch[0] if isinstance(batch, tuple) else batch.flatten(0, 1) / 255
        labels = batch[1] if isinstance(batch, tuple) else torch.zeros(len(images)).long()
        loss = cross_entropy(nn.functional.dropout(self.layer(images.flatten(1))), labels)
        if isinstance(batch, tuple) and len(batch) == 3:
            loss = loss + self.layer(batch[2].flatten(1)).square().mean()
        self.update(optimizers[0], loss)
        self.calls += 1
        if self.calls == self.signal_at:
            os.kill(os.getpid(), signal.SIGTERM)
        return {"loss": loss.detach()}

    def configure_optimizers(self) -> list[Optimizer]:
        return [torch.optim.SGD(self.layer.parameters(), 0.1)]


def fitted(batches: Batches, module: Small | None = None, trainer: Any = None, **options: Any) -> Small:
    module = module or Small()
    Fitter(CPU, trainer=trainer).fit(module, batches, seed=2, name="small", **options)
    return module


def others() -> list[threading.Thread]:
    """Threads that read."""
    return [thread for thread in threading.enumerate() if "ThreadPoolExecutor" in thread.name]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return fill(tmp_path / "pictures", {"": COUNT // 3})


@pytest.fixture
def decoded(root: Path) -> Inputs:
    """Pictures that are decoded when they are asked for."""
    decoder = Decoder(None, "center", "rgb")
    return decode_images(root, picture_files(root), decoder, root.parent / "decoded", keep=False)


@pytest.mark.parametrize("make", MAKES)
@pytest.mark.parametrize("trainer", [None, pl.Trainer])
def test_decoded_files_train_as_the_tensor_of_them(decoded: Inputs, make: Make, trainer: Any) -> None:
    whole = fitted(make(read_all(decoded)))
    assert_equal(whole, fitted(make(decoded), trainer=trainer))
    assert not torch.equal(whole.layer.weight, Small().layer.weight), "nothing was trained"
    assert not others()


@pytest.mark.parametrize("signal_at", [1, 4, 5, 6])
def test_a_training_on_files_that_a_signal_stops_goes_on_to_the_same_end(
    decoded: Inputs, tmp_path: Path, signal_at: int
) -> None:
    with interruption.signals_handled(), pytest.raises(interruption.Interrupted, match="SIGTERM"):
        fitted(paired(decoded), Small(signal_at), scratch=tmp_path, checkpoint_seconds=1e9)
    assert not others(), "threads end with the training"
    assert (tmp_path / "small.ckpt").exists()
    rest = Small()
    assert_equal(fitted(paired(decoded)), fitted(paired(decoded), rest, scratch=tmp_path))
    assert rest.calls == len(paired(decoded)) - signal_at


@pytest.mark.parametrize("trainer", [None, pl.Trainer])
def test_a_picture_that_is_gone_is_one_sentence_at_its_step(decoded: Inputs, root: Path, trainer: Any) -> None:
    fitted(labeled(decoded))
    (root / "cat" / "3.png").unlink()
    with pytest.raises(UserError, match=r"cat/3\.png cannot be read as a picture"):
        fitted(labeled(decoded), trainer=trainer)
    assert not others()


def test_what_a_read_raises_comes_when_its_step_is_due() -> None:
    module, images = Small(), torch.zeros(COUNT, 3, 8, 8)
    with pytest.raises(UserError, match=r"owl/9\.png"):
        fitted(labeled(Slow(images, bad=labeled(images).order[8])), module)
    assert module.calls == 8, "all steps before it are made, though it was read ahead"


def test_a_few_steps_are_read_ahead_and_no_more() -> None:
    images = Slow(torch.zeros(COUNT, 3, 8, 8))
    batches = labeled(images)
    assert batches.waits
    loads = batches.loads(range(len(batches)))
    assert not images.threads, "nothing is read before it is asked for"
    next(loads)
    while len(images.threads) < 5:
        time.sleep(0.01)
    time.sleep(0.05)
    assert len(images.threads) == 5, "the one asked for, and four that follow"
    assert threading.main_thread().name not in images.threads
    loads.close()
    assert not others() and len(images.threads) == 5


@pytest.mark.parametrize("make", MAKES)
def test_tensors_are_read_on_the_thread_that_trains(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    images = torch.zeros(COUNT, 3, 8, 8, dtype=torch.uint8)
    assert not make(images).waits
    assert make(Slow(images)).waits
    monkeypatch.setattr("al_bench.training.batches.ahead", None)
    fitted(make(images))


def drawn_pairs(images: Inputs) -> DrawnPairs:
    networks = GanNetworks(nn.Linear(5, 4), nn.Linear(4, 1), latent_size=5)
    return DrawnPairs(networks, batch_size=2, steps=3, seed=0)


def everything(images: Inputs) -> Everything:
    inputs, labels = pool_of(images).training_set()
    return Everything((read_all(inputs), labels, torch.zeros(2, 3, 8, 8)), 2)


@pytest.mark.parametrize("make", [*MAKES, drawn_pairs, everything])
def test_a_load_draws_from_no_global_generator_and_a_batch_is_both_halves(make: Make) -> None:
    images = torch.randint(256, (COUNT, 3, 8, 8), generator=seeding.generator(0)).to(torch.uint8)
    batches = make(images)
    with seeding.fork(0):
        before = torch.get_rng_state()
        loaded = batches.load(1)
        assert torch.equal(torch.get_rng_state(), before)
        halves = batches.augment(loaded)
    with seeding.fork(0):
        batch = batches[1]
    pairs = zip(halves, batch, strict=True) if isinstance(batch, tuple) else [(halves, batch)]
    assert all(torch.equal(one, other) for one, other in pairs)


def test_orders_of_two_epochs_stand_side_by_side() -> None:
    """Threads that read across the border ask for both in turn: each is drawn once."""
    order, expected = (EpochSampler(10, 4, seed=0, device=CPU) for _ in range(2))
    draws = list[int]()
    draw = order.orders.draw
    order.orders.draw = lambda epoch: draws.append(epoch) or draw(epoch)  # type: ignore[func-returns-value]
    for number in (2, 3, 2, 4, 1, 5, 6, 5, 6):
        assert torch.equal(order[number], expected[number])
    assert draws == [0, 1, 2]


def test_many_threads_find_the_same_orders() -> None:
    order, expected = (EpochSampler(50, 4, seed=0, device=CPU) for _ in range(2))
    wanted = [expected[number] for number in range(130)]
    wrong = list[int]()

    def read(first: int) -> None:
        for number in range(first, 130, 3):
            if not torch.equal(order[number], wanted[number]):
                wrong.append(number)

    readers = [threading.Thread(target=read, args=(first,)) for first in (0, 1, 2, 0, 1)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    assert not wrong
