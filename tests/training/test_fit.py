"""Both drivers, checkpoints, interruptions and losses that are not finite."""

import os
import signal
from functools import partial

import pytest
import pytorch_lightning as pl
import torch
from torch import nn
from toy_training import CPU, INPUTS, LABELS, Normed, StopsAt, Straight, Toy, assert_equal, batches

from al_bench import seeding
from al_bench.errors import UserError
from al_bench.training import interruption
from al_bench.training.checkpoint import own_state
from al_bench.training.cost import add_cost, measure_cost
from al_bench.training.device import refuse_half_precision, timed_device
from al_bench.training.fit import Fitter
from al_bench.training.image_batches import ImageBatches
from al_bench.training.labeled_batches import LabeledBatches, least_batch
from al_bench.training.losses import IGNORED, cross_entropy
from al_bench.training.module import Module, frozen
from al_bench.training.per_process import divide
from al_bench.training.sampler import EpochSampler
from al_bench.training.schedule import Cosine, LinearDecay, StepDecay


def fitted(module=None, trainer=None, **options):
    module = module or Toy()
    trace = Fitter(CPU, trainer=trainer).fit(module, batches(), seed=2, name="toy", **options)
    return module, trace


def test_both_drivers_end_with_the_same_weights_and_losses():
    looped, trace = fitted()
    trained, other = fitted(trainer=pl.Trainer)
    assert_equal(looped, trained)
    assert trace == other


@pytest.mark.slow
def test_two_devices_share_each_batch_and_train_as_one():
    """A batch of the 49 rows has 8, or 1, which is no half for one of two; what is known of the training comes back."""
    trainings = []
    for trainer in (None, partial(pl.Trainer, devices=2)):
        rows = LabeledBatches(INPUTS[:49], LABELS[:49], batch_size=8, epochs=9, seed=1)
        module, callback = Straight(), StopsAt(55)
        with measure_cost() as cost:
            trace = Fitter(CPU, trainer=trainer).fit(module, rows, seed=2, name="toy", callback=callback)
        trainings.append((module, trace, cost, callback))
    (alone, losses, cost, _), (together, their_losses, their_cost, callback) = trainings
    for name, tensor in alone.state_dict().items():
        assert torch.allclose(tensor, together.state_dict()[name], atol=1e-6), name
    assert (callback.seen, callback.finished) == (55, True)
    assert (their_cost.optimizer_steps, their_cost.images_seen) == (cost.optimizer_steps, cost.images_seen) == (55, 385)
    assert their_losses["loss"] == pytest.approx(losses["loss"], abs=0.02)  # means of halves, the last one of a row


@pytest.mark.slow
def test_batch_norm_on_two_devices_has_two_rows_at_least():
    """Batches of 3 rows, of which a device would have one."""
    rows = LabeledBatches(INPUTS[:12], LABELS[:12], batch_size=3, epochs=2, seed=1)
    trained = []
    for trainer in (None, partial(pl.Trainer, devices=2)):
        trained.append(Normed())
        Fitter(CPU, trainer=trainer).fit(trained[-1], rows, seed=2, name="toy")
    for name, tensor in trained[0].state_dict().items():
        assert torch.allclose(tensor, trained[1].state_dict()[name], atol=1e-6), name


@pytest.mark.parametrize(
    ("rows", "least", "parts"),
    [(5, 1, [3, 2]), (2, 1, [1, 1]), (1, 1, [1, 1]), (5, 2, [3, 2]), (4, 2, [2, 2]), (3, 2, [3, 3]), (2, 2, [2, 2])],
)
def test_parts_of_a_batch_count_by_their_rows(rows, least, parts):
    batch = (INPUTS[:rows], LABELS[:rows])
    divided = [divide(batch, rank, 2, least) for rank in (0, 1)]
    assert [len(part.rows[0]) for part in divided] == parts
    mean = sum(part.weight * part.rows[0].mean(0) for part in divided) / 2
    assert torch.allclose(mean, batch[0].mean(0), atol=1e-6)
    assert all(torch.equal(part.rows[1], (part.rows[0][:, 0] > part.rows[0][:, 1]).long()) for part in divided)


@pytest.mark.parametrize("ignored", ["some", "a part's", "all"])
def test_parts_of_label_maps_count_by_the_pixels_that_the_loss_looks_at(ignored):
    """By rows, the gradient of two maps of which one has 8 of 64 pixels was off by nearly all of it."""
    maps = torch.randint(3, (4, 8, 8), generator=seeding.generator(0)).to(torch.uint8)
    maps[0, 1:] = IGNORED
    maps[::2] = IGNORED if ignored == "a part's" else maps[::2]
    maps[:] = IGNORED if ignored == "all" else maps
    images = torch.randn(4, 2, 8, 8, generator=seeding.generator(1))

    def gradient(batch, weight=1.0):
        torch.manual_seed(0)
        head = torch.nn.Conv2d(2, 3, 1)
        (weight * cross_entropy(head(batch[0]), batch[1])).backward()
        return head.weight.grad

    parts = [divide((images, maps), rank, 2) for rank in (0, 1)]
    mean = sum(gradient(part.rows, part.weight) for part in parts) / 2
    assert torch.allclose(mean, gradient((images, maps)), atol=1e-6)


def test_a_trainer_that_is_stopped_says_by_what():
    with interruption.signals_handled(), pytest.raises(interruption.Interrupted, match="SIGTERM"):
        fitted(Toy(signal_at=7), trainer=pl.Trainer)


def test_what_several_devices_would_train_otherwise_is_refused():
    with pytest.raises(UserError, match="toy cannot be trained on 2 devices, for its updates are not means"):
        fitted(trainer=partial(pl.Trainer, devices=2))


def test_processes_that_would_start_the_command_again_are_refused():
    with pytest.raises(UserError, match=r"^trainer\.devices=2 by .* start the command once more for each: use"):
        fitted(module=Straight(), trainer=partial(pl.Trainer, devices=2, strategy="ddp"))


def test_a_trainer_that_would_train_otherwise_is_refused():
    for trainer in (partial(pl.Trainer, max_epochs=1, callbacks=[]), partial(partial(pl.Trainer, max_epochs=1))):
        with pytest.raises(UserError, match=r"^trainer\.max_epochs=1 says neither .*: use steps, learner\.epochs or"):
            fitted(trainer=trainer)


def test_a_trainers_callbacks_are_called():
    class Count(pl.Callback):
        steps = 0

        def on_train_batch_end(self, *arguments):
            self.steps += 1

    count = Count()
    fitted(trainer=partial(pl.Trainer, callbacks=[count]))
    assert count.steps == len(batches())


class Stops(pl.Callback):
    def on_train_batch_end(self, trainer, *arguments):
        trainer.should_stop = trainer.global_step >= 4


def test_a_callback_of_the_trainers_that_ends_a_training_is_refused():
    """The run would be shorter and have the same id."""
    sentence = rf"^a callback of trainer ended the training of .* after \d+ of {len(batches())} steps, which"
    with pytest.raises(UserError, match=sentence):
        fitted(trainer=partial(pl.Trainer, callbacks=[Stops()]))


def test_the_same_seed_gives_the_same_weights_and_another_does_not():
    assert_equal(fitted()[0], fitted()[0])
    other = Toy()
    Fitter(CPU).fit(other, batches(), seed=3, name="toy")
    assert not torch.equal(other.second.weight, fitted()[0].second.weight)


def test_the_global_generator_is_left_alone():
    torch.manual_seed(9)
    module = Toy()
    torch.manual_seed(9)
    expected = torch.rand(2)
    torch.manual_seed(9)
    fitted(module)
    assert torch.equal(torch.rand(2), expected)


@pytest.mark.parametrize("signal_at", [1, 7, 20, 41])
def test_a_training_that_a_signal_stops_goes_on_to_the_same_end(tmp_path, signal_at):
    uncut, trace = fitted()
    with interruption.signals_handled(), pytest.raises(interruption.Interrupted, match="SIGTERM"):
        fitted(Toy(signal_at=signal_at), scratch=tmp_path, checkpoint_seconds=1e9)
    assert (tmp_path / "toy.ckpt").exists()
    with measure_cost() as cost:
        resumed, other = fitted(scratch=tmp_path)
    assert_equal(uncut, resumed)
    assert cost.optimizer_steps == 2 * len(batches()), "what was done before the signal counts"
    assert cost.images_seen == 6 * 50
    assert not (tmp_path / "toy.ckpt").exists()
    assert other == trace


class Together(Toy):
    """One loss moves both parts."""

    def step(self, batch, optimizers):
        loss = cross_entropy(self.second(self.first(batch[0])), batch[1])
        self.update(optimizers[0], loss, optimizers[1])
        return {"loss": loss.detach()}


def test_one_update_of_several_optimizers_is_refused_in_float16():
    """Fabric moves the scale after each of them."""
    module, batch = Together(), (INPUTS, LABELS)
    module.propagate_by(torch.Tensor.backward, "16-mixed")
    with pytest.raises(UserError, match="precision=16-mixed cannot be where one update moves several optimizers"):
        module.step(batch, module.configure_optimizers())
    module.propagate_by(torch.Tensor.backward, "bf16-mixed")
    module.step(batch, module.configure_optimizers())


def test_a_signal_is_not_lost_where_nothing_is_deferred():
    with interruption.signals_handled(), pytest.raises(interruption.Interrupted):
        os.kill(os.getpid(), signal.SIGTERM)
        signal.sigtimedwait([], 1)


def test_a_training_that_was_begun_on_a_gpu_goes_on_without_one(tmp_path, monkeypatch):
    """A stand-in: its tensors are said to be on the fourth of eight GPUs, each with a generator, as older ones had."""
    save = torch.save

    def save_elsewhere(state, file):
        with monkeypatch.context() as elsewhere:
            elsewhere.setattr(torch.serialization, "location_tag", lambda storage: "cuda:3")
            optimizers = [{**values, "param_groups": captured(values)} for values in state["optimizers"]]
            save({**state, "optimizers": optimizers, "cuda_rng": [state["rng"]] * 8}, file)

    def captured(values):
        return [{**group, "capturable": True} if "capturable" in group else group for group in values["param_groups"]]

    with interruption.signals_handled(), pytest.raises(interruption.Interrupted), monkeypatch.context() as patched:
        patched.setattr(torch, "save", save_elsewhere)
        fitted(Toy(signal_at=20), scratch=tmp_path)
    resumed, trace = fitted(scratch=tmp_path)
    uncut, losses = fitted()
    assert_equal(uncut, resumed)
    assert trace == losses


def test_a_gpus_generator_goes_on_where_its_state_is_stored():
    states = [torch.full((2,), index, dtype=torch.uint8) for index in range(3)]
    assert own_state(states[1], torch.device("cuda:0")) is states[1]
    assert own_state(states, torch.device("cuda:2")) is states[2]
    assert own_state(states, torch.device("cuda")) is states[0]
    assert own_state(states, torch.device("cuda:3")) is own_state(None, torch.device("cuda:0")) is None


@pytest.mark.parametrize("damage", ["truncated", "corrupted"])
def test_a_bad_checkpoint_is_set_aside_and_training_starts_anew(tmp_path, damage, caplog):
    with interruption.signals_handled(), pytest.raises(interruption.Interrupted):
        fitted(Toy(signal_at=20), scratch=tmp_path)
    path = tmp_path / "toy.ckpt"
    data = bytearray(path.read_bytes())
    if damage == "corrupted":
        data[len(data) // 2] ^= 255
    path.write_bytes(data[: len(data) // 2] if damage == "truncated" else data)
    resumed, _ = fitted(scratch=tmp_path)
    assert_equal(fitted()[0], resumed)
    assert (tmp_path / "toy.ckpt.corrupted-1").exists()
    assert "toy.ckpt is corrupted: it is kept as toy.ckpt.corrupted-1" in caplog.text


@pytest.mark.parametrize("bad_step", [1, 30, 42])
def test_a_loss_that_is_not_finite_names_its_step(bad_step):
    with pytest.raises(FloatingPointError, match=f"loss is nan at step {bad_step - 1}$"):
        fitted(Toy(bad_step=bad_step))


def test_the_schedule_is_a_fraction_of_the_length():
    decay = StepDecay(at=[0.5, 0.75], factor=0.1)
    assert [decay(fraction) for fraction in (0.0, 0.49, 0.5, 0.74, 0.75, 0.99)] == pytest.approx(
        [1, 1, 0.1, 0.1, 0.01, 0.01]
    )


def test_a_linear_decay_ends_at_nothing():
    assert [LinearDecay()(fraction) for fraction in (0.0, 0.25, 1.0)] == [1, 0.75, 0]


def test_a_cosine_warms_up_and_ends_at_nothing():
    assert [Cosine(0.2)(fraction) for fraction in (0.0, 0.1, 0.2, 0.6, 1.0)] == pytest.approx([0.001, 0.5, 1, 0.5, 0])
    assert [Cosine()(fraction) for fraction in (0.0, 0.5)] == pytest.approx([1, 0.5])


def test_frozen_parameters_take_no_gradient_and_come_back_as_they_were():
    layer = nn.Linear(2, 2)
    layer.bias.requires_grad_(False)
    with frozen(layer):
        assert not layer.weight.requires_grad
    assert layer.weight.requires_grad
    assert not layer.bias.requires_grad


def test_what_a_training_cost_is_counted():
    with measure_cost() as cost:
        fitted()
    assert cost.optimizer_steps == 2 * len(batches())
    assert cost.images_seen == 6 * 50
    assert cost.seconds > 0 and cost.peak_memory > 1e6


def test_seconds_before_a_stop_are_added():
    with measure_cost() as cost:
        add_cost(3, 4, earlier_seconds=100.0)
    assert 100 < cost.seconds < 101


def test_every_item_once_an_epoch_in_a_new_order_each():
    order = EpochSampler(10, 4, seed=0, device=CPU)
    epochs = [torch.cat([order[3 * epoch + batch] for batch in range(3)]) for epoch in range(2)]
    assert [sorted(epoch.tolist()) for epoch in epochs] == [list(range(10))] * 2
    assert not torch.equal(*epochs)
    assert torch.equal(order[4], EpochSampler(10, 4, seed=0, device=CPU)[4])


def test_whole_batches_leave_the_rest_of_an_epoch_out():
    images = torch.zeros(10, 1, 2, 2, dtype=torch.uint8)
    data = ImageBatches(images, batch_size=4, steps=3, seed=0, per_step=5)
    assert data[0].shape == (5, 4, 1, 2, 2)
    assert ImageBatches(images, batch_size=64, steps=3, seed=0)[0].shape == (1, 10, 1, 2, 2)


class Twice(Module):
    """Two updates of the same weights in one step, as a critic has before its generator."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(4, 2, bias=False)
        nn.init.eye_(self.layer.weight)

    def step(self, batch, optimizers):
        for _ in range(2):
            with torch.no_grad():
                self.layer(batch[0])
            loss = cross_entropy(self.layer(batch[0]), batch[1])
            self.update(optimizers[0], loss)
        return {"loss": loss.detach()}

    def configure_optimizers(self):
        return [torch.optim.SGD(self.layer.parameters(), 1.0)]


@pytest.mark.parametrize("trainer", [None, pl.Trainer])
def test_low_precision_sees_the_weights_as_they_are_now(trainer):
    """Autocast would keep the cast weights of the step's first call, without gradient if that was under no_grad."""
    module = Twice()
    batches = LabeledBatches(INPUTS, LABELS, batch_size=50, epochs=3, seed=1)
    Fitter(CPU, "bf16-mixed", trainer).fit(module, batches, seed=2, name="twice")
    expected = Twice()
    optimizer = expected.configure_optimizers()[0]
    for inputs, labels in batches:
        for _ in range(2):
            optimizer.zero_grad()
            with torch.autocast("cpu", torch.bfloat16):
                logits = expected.layer(inputs)
            cross_entropy(logits.float(), labels).backward()
            optimizer.step()
    torch.testing.assert_close(module.layer.weight, expected.layer.weight, rtol=0, atol=1e-3)


@pytest.mark.parametrize(("num_items", "sizes"), [(9, [9]), (17, [8, 9]), (10, [8, 2]), (16, [8, 8]), (1, [1])])
def test_a_last_batch_that_is_too_small_joins_the_one_before(num_items, sizes):
    order = EpochSampler(num_items, 8, 0, CPU, least=2)
    assert [len(order[number]) for number in range(order.per_epoch)] == sizes
    epoch = torch.cat([order[number] for number in range(order.per_epoch)])
    assert epoch.sort().values.tolist() == list(range(num_items))
    assert not torch.equal(epoch[:8], order[order.per_epoch]) or num_items == 1


def test_batch_norm_needs_two_inputs_and_says_so():
    assert least_batch(nn.Linear(2, 2), 1, 8, (2,)) == 1
    assert least_batch(Toy(), 2, 8, (2,)) == 2
    with pytest.raises(UserError, match=r"1 labeled input .*Toy: .*at least 2"):
        least_batch(Toy(), 1, 8, (2,))


@pytest.mark.parametrize(
    "factory",
    [
        partial(torch.optim.Adam, lr=0.05, weight_decay=0.01),
        partial(torch.optim.AdamW, lr=0.05),
        partial(torch.optim.SGD, lr=0.5, momentum=0.9, weight_decay=0.01),
        partial(torch.optim.RMSprop, lr=0.01),
        partial(torch.optim.SGD, lr=0.5, foreach=True),
        lambda parameters: torch.optim.Adagrad(parameters, lr=0.1),
    ],
    ids=["adam", "adamw", "sgd", "rmsprop", "sgd that says how", "function"],
)
def test_updates_in_one_kernel_are_those_of_the_optimizer(factory, monkeypatch):
    class Scheduled(Straight):
        schedule = LinearDecay()

        def configure_optimizers(self):
            return [self.optimizer_of(factory, self.network)]

    fused, plain = Scheduled(), Scheduled()
    Fitter(CPU).fit(fused, batches(), seed=2, name="toy")
    monkeypatch.setattr(Module, "optimizer_of", lambda self, factory, part: factory(part.parameters()))
    Fitter(CPU).fit(plain, batches(), seed=2, name="toy")
    for name, weights in fused.state_dict().items():
        torch.testing.assert_close(weights, plain.state_dict()[name], rtol=1e-4, atol=1e-5)
    assert not torch.allclose(fused.network.weight, Scheduled().network.weight, atol=0.01), "nothing was trained"


def test_an_optimizer_is_fused_unless_its_factory_says_how():
    module = Straight()

    def fused(factory):
        return module.optimizer_of(factory, module.network).defaults.get("fused")

    assert fused(partial(torch.optim.Adam, lr=0.1)) is fused(partial(torch.optim.SGD, lr=0.1)) is True
    assert fused(partial(torch.optim.Adam, lr=0.1, fused=False)) is False
    assert fused(partial(torch.optim.Adam, lr=0.1, foreach=True)) is None
    assert fused(partial(torch.optim.RMSprop, lr=0.1)) is None


@pytest.mark.parametrize("device", ["cpu", "auto"])
def test_float16_is_refused_on_a_cpu(device):
    """Lightning takes bfloat16 there, whose numbers are others."""
    if device == "auto" and torch.cuda.is_available():
        pytest.skip("a GPU is there")
    node = {"strategy": {"gan": {"precision": "16-mixed"}}, "learner": {"precision": "bf16-mixed"}}
    with pytest.raises(UserError, match=r"^strategy\.gan\.precision=16-mixed needs a GPU.*: use bf16-mixed or 32-true"):
        refuse_half_precision(device, node)
    refuse_half_precision(device, {"learner": {"precision": "bf16-mixed"}, "about": "16-mixed"})


def test_seconds_are_of_a_device_that_was_named(monkeypatch):
    """`auto` is a CPU's in the id of a measurement."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert timed_device("auto").type == timed_device("cpu").type == "cpu"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    with pytest.raises(UserError, match="device=auto is cuda here, and seconds are of a device"):
        timed_device("auto")
    assert timed_device("cpu").type == "cpu"
