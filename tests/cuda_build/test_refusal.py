"""What tensors on a GPU meet where sr_ops was built without CUDA."""

from __future__ import annotations

import pytest

from sr_ops.errors import LibraryLoadError

torch = pytest.importorskip("torch")


def test_it_says_what_to_do() -> None:
    from sr_ops._torch import library

    refuse = library._refusal("libsr_ops_torch_cuda.so does not exist")
    with pytest.raises(LibraryLoadError, match=r"tensor on meta.*does not exist.*SR_OPS_CUDA=on"):
        refuse(torch.empty(1, 1, 2, 2, device="meta"), [4, 4])
