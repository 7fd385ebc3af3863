"""The last layer of a classifier: one output for two classes, K for more."""

import torch
from torch import Tensor, nn


class DecisionValue(nn.Module):
    """Decision values s (B, 1) to the logits (-s / 2, s / 2) of two classes, (B, 2), whose softmax is sigmoid(s)."""

    def forward(self, values: Tensor) -> Tensor:
        return torch.cat([-values, values], 1) / 2


def last_layer(size: int, num_classes: int) -> nn.Module:
    """Embeddings (B, size) to logits (B, K), linear.

    Two classes have one weight vector and one bias, s(x) = w x + b (ASAL Sec. 4.2; Tab. 10: 1024 x 1). Two rows are the
    same functions and not the same training: Adam moves each by its rate, so that s, their difference, moves by twice.
    """
    if num_classes == 2:
        return nn.Sequential(nn.Linear(size, 1), DecisionValue())
    return nn.Linear(size, num_classes)
