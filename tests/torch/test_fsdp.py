"""A model that upscales, its parameters sharded by FSDP: a group of one process, on the CPU."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import distributed
from torch.distributed.fsdp import fully_shard

import sr_ops


@pytest.fixture
def group(tmp_path: Path) -> Iterator[None]:
    store = distributed.FileStore(str(tmp_path / "store"), 1)
    distributed.init_process_group("gloo", store=store, rank=0, world_size=1)
    yield
    distributed.destroy_process_group()


@pytest.mark.skipif(not distributed.is_available(), reason="this torch has no torch.distributed")
@pytest.mark.usefixtures("group")
def test_fully_shard_gives_the_results_and_gradients_of_the_plain_model() -> None:
    torch.manual_seed(0)
    model = torch.nn.Sequential(
        torch.nn.Conv2d(3, 4, 3, padding=1), sr_ops.DynamicUpscale(1.7), torch.nn.Conv2d(4, 3, 1)
    )
    x = torch.rand(2, 3, 9, 11)
    expected = model(x)
    expected.square().sum().backward()
    gradients = [p.grad.clone() for p in model.parameters() if p.grad is not None]
    model.zero_grad()
    mesh = distributed.init_device_mesh("cpu", (1,))
    for layer in (model[0], model[1], model):
        fully_shard(layer, mesh=mesh)
    result = model(x)
    assert torch.equal(result, expected)
    result.square().sum().backward()
    sharded = [p.grad.full_tensor() for p in model.parameters()]  # type: ignore[union-attr]
    assert len(sharded) == len(gradients) == 4
    for ours, plain in zip(sharded, gradients, strict=True):
        torch.testing.assert_close(ours, plain)
