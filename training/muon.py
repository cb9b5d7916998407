"""Muon: momentum whose directions are made equally strong, for the weights of hidden layers.

Jordan et al., "Muon: an optimizer for hidden layers in neural networks", 2024. torch.optim.Muon is
for matrices only; here a convolution's weight is the matrix (outputs, inputs * kernel).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

#: Of the odd polynomial that, iterated, sends singular values in 0..1 close to 1.
COEFFICIENTS = (3.4445, -4.7750, 2.0315)
ITERATIONS = 5


class Muon(torch.optim.Optimizer):
    """Each step moves a weight by ``lr`` times an almost orthogonal matrix."""

    def __init__(self, parameters: Iterable[Tensor], lr: float, momentum: float = 0.95) -> None:
        super().__init__(parameters, {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:
        for group in self.param_groups:
            for weight in group["params"]:
                state = self.state[weight]
                if not state:
                    state["gradient"] = torch.zeros_like(weight)
                mean = state["gradient"]
                mean.mul_(group["momentum"]).add_(weight.grad)
                direction = (weight.grad + group["momentum"] * mean).flatten(1)  # Nesterov's
                outputs, inputs = direction.shape
                rate = group["lr"] * max(1, outputs / inputs) ** 0.5
                weight.add_(orthogonal(direction).view_as(weight), alpha=-rate)


def orthogonal(matrix: Tensor) -> Tensor:
    """The same singular vectors, with singular values between 0.7 and 1.2."""
    a, b, c = COEFFICIENTS
    x = matrix / (matrix.norm() + 1e-7)
    for _ in range(ITERATIONS):
        square = x @ x.T
        x = a * x + (b * square + c * square @ square) @ x
    return x
