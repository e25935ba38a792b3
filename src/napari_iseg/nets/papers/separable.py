"""3x3 convolutions split in two: each channel by itself, then all channels by 1x1."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F


class Separable(nn.Module):
    """Depthwise 3x3, pointwise 1x1, a batch norm after each.

    Named as in the files with Xception's weights.

    Parameters
    ----------
    active
        Whether a ReLU follows each batch norm.
    epsilon
        Of the batch norms.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        *,
        stride: int = 1,
        dilation: int = 1,
        active: bool = True,
        epsilon: float = 1e-5,
    ) -> None:
        super().__init__()
        self.active = active
        self.conv_dw = nn.Conv2d(
            inputs, inputs, 3, stride, dilation, dilation, groups=inputs, bias=False
        )
        self.bn_dw = nn.BatchNorm2d(inputs, epsilon)
        self.conv_pw = nn.Conv2d(inputs, outputs, 1, bias=False)
        self.bn_pw = nn.BatchNorm2d(outputs, epsilon)
        for layer in (self.conv_dw, self.conv_pw):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")

    def forward(self, features: Tensor) -> Tensor:
        features = self.bn_dw(self.conv_dw(features))
        features = F.relu(features) if self.active else features
        features = self.bn_pw(self.conv_pw(features))
        return F.relu(features) if self.active else features
