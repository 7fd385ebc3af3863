"""What a replayed step reads, held without a GPU: its graph is a stand-in that runs the step anew."""

from contextlib import nullcontext
from typing import Any, ClassVar

import pytest
import torch
from torch import Tensor

from al_bench.training.cuda_graph import Batch, Captured


class Replayed:
    """In place of a CUDA graph: runs what was captured on the batch that the capture keeps."""

    captured: ClassVar[Captured]

    def replay(self) -> None:
        for name, loss in self.captured.step(self.captured.batch).items():
            self.captured.losses[name].copy_(loss)


class Counted:
    updates = 0


def total(batch: Batch) -> dict[str, Tensor]:
    return {"loss": sum((one.sum() for one in ((batch,) if isinstance(batch, Tensor) else batch)), torch.zeros(()))}


@pytest.fixture
def captured(monkeypatch: pytest.MonkeyPatch) -> Captured:
    class Stream:
        def wait_stream(self, other: Any) -> None: ...

    for name, stand_in in {
        "Stream": Stream,
        "current_stream": Stream,
        "stream": nullcontext,
        "CUDAGraph": Replayed,
        "graph": lambda graph, stream: nullcontext(),
    }.items():
        monkeypatch.setattr(torch.cuda, name, stand_in)
    Replayed.captured = Captured(total, Counted())
    return Replayed.captured


@pytest.mark.parametrize("parts", [1, 2, 3])
def test_every_call_reads_its_own_batch(captured: Captured, parts: int) -> None:
    """Images alone, and images with labels and others, as a class-conditional GAN reads them."""
    for call in range(6):
        tensors = tuple(torch.full((2,), 10 * call + part) for part in range(parts))
        given: Batch = tensors[0] if parts == 1 else tensors
        before = [one.clone() for one in tensors]
        assert float(captured(given)["loss"]) == sum(2 * (10 * call + part) for part in range(parts))
        assert all(map(torch.equal, tensors, before))


def test_a_replay_keeps_its_hands_off_a_batch_before(captured: Captured) -> None:
    batches = [(torch.tensor([call]), torch.tensor([-call])) for call in range(6)]
    for batch in batches:
        captured(batch)
    assert [int(images) for images, _ in batches] == list(range(6))
