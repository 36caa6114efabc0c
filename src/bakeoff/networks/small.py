"""Three small networks of growing size, for images of any size and colour."""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import nn


def small_cnn(image_shape: tuple[int, int, int], classes: int) -> nn.Module:
    """Three normalised convolutions of 32, 64 and 128 filters, the mean over all places, logits.

    The mean over places (Lin, Chen & Yan, "Network in Network", 2013, section 3.2) leaves 128
    numbers of an image of any size.
    """
    channels, _, _ = image_shape
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    for number, width in enumerate([32, 64, 128], start=1):
        layers[f"conv{number}"] = nn.Conv2d(channels, width, 3, padding=1, bias=False)
        layers[f"norm{number}"] = nn.BatchNorm2d(width)
        layers[f"relu{number}"] = nn.ReLU()
        # Where a side is odd its last row is pooled too, and a single pixel stays one.
        layers[f"pool{number}"] = nn.MaxPool2d(2, ceil_mode=True)
        channels = width
    layers["mean"] = nn.AdaptiveAvgPool2d(1)
    layers["flatten"] = nn.Flatten()
    layers["output"] = nn.Linear(channels, classes)
    return nn.Sequential(layers)


class Residual(nn.Module):
    """Two normalised convolutions whose sum with the input goes on (He et al., 2015, figure 2)."""

    def __init__(self, channels: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, width, 3, stride, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(width)
        self.relu1 = nn.ReLU()
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(width)
        self.relu2 = nn.ReLU()
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or channels != width:
            self.shortcut = nn.Sequential(
                nn.Conv2d(channels, width, 1, stride, bias=False), nn.BatchNorm2d(width)
            )

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Map [n, channels, height, width] to [n, width, height / stride, width / stride]."""
        inside = self.relu1(self.norm1(self.conv1(features)))
        out: torch.Tensor = self.relu2(self.norm2(self.conv2(inside)) + self.shortcut(features))
        return out


def small_resnet(image_shape: tuple[int, int, int], classes: int) -> nn.Module:
    """Three stages of three residual blocks, of 16, 32 and 64 filters: 20 layers.

    As He et al., "Deep Residual Learning", 2015, section 4.2, has it for images of 32 x 32, but
    where a stage halves the image, the shortcut is a convolution of 1 x 1.
    """
    layers: OrderedDict[str, nn.Module] = OrderedDict(
        conv=nn.Conv2d(image_shape[0], 16, 3, padding=1, bias=False),
        norm=nn.BatchNorm2d(16),
        relu=nn.ReLU(),
    )
    channels = 16
    for stage, width in enumerate([16, 32, 64], start=1):
        for block in range(1, 4):
            stride = 2 if stage > 1 and block == 1 else 1
            layers[f"block{stage}_{block}"] = Residual(channels, width, stride)
            channels = width
    layers["mean"] = nn.AdaptiveAvgPool2d(1)
    layers["flatten"] = nn.Flatten()
    layers["output"] = nn.Linear(channels, classes)
    return nn.Sequential(layers)


class Attention(nn.Module):
    """Each place of an image asks all others what they hold (Vaswani et al., 2017, section 3.2)."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.asked = nn.Linear(width, 3 * width)
        self.answer = nn.Linear(width, width)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Map [n, places, width] to the same."""
        images, places, width = tokens.shape
        asked = self.asked(tokens).view(images, places, 3, self.heads, width // self.heads)
        queries, keys, values = asked.permute(2, 0, 3, 1, 4)
        heed = (queries @ keys.transpose(2, 3) * (width // self.heads) ** -0.5).softmax(dim=3)
        heard = heed @ values
        answer: torch.Tensor = self.answer(heard.transpose(1, 2).reshape(images, places, width))
        return answer


class Block(nn.Module):
    """Attention, then two layers for each place; both add to what goes through them."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width)
        self.attention = Attention(width, heads)
        self.norm2 = nn.LayerNorm(width)
        self.hidden = nn.Linear(width, 4 * width)
        self.gelu = nn.GELU()
        self.output = nn.Linear(4 * width, width)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Map [n, places, width] to the same."""
        tokens = tokens + self.attention(self.norm1(tokens))
        out: torch.Tensor = tokens + self.output(self.gelu(self.hidden(self.norm2(tokens))))
        return out


class VisionTransformer(nn.Module):
    """An image cut into patches, each a token; blocks of attention; the mean of the tokens.

    Dosovitskiy et al., "An Image is Worth 16x16 Words", 2020, with normalisation before each part
    as there, and the mean in the place of the class token, as their appendix D.3 finds as good.
    """

    def __init__(
        self, image_shape: tuple[int, int, int], classes: int, *, width: int, heads: int, depth: int
    ) -> None:
        super().__init__()
        channels, height, width_of_image = image_shape
        # About eight by eight places, however large the image; a patch at the edge may be filled.
        patch = (-(-height // 8), -(-width_of_image // 8))
        rows, columns = -(-height // patch[0]), -(-width_of_image // patch[1])
        filled = (0, columns * patch[1] - width_of_image, 0, rows * patch[0] - height)
        self.fill = nn.ZeroPad2d(filled)
        self.patches = nn.Conv2d(channels, width, kernel_size=patch, stride=patch)
        self.position = nn.Parameter(0.02 * torch.randn(1, rows * columns, width))
        self.blocks = nn.Sequential(*(Block(width, heads) for _ in range(depth)))
        self.norm = nn.LayerNorm(width)
        self.output = nn.Linear(width, classes)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Map float32 [n, channels, height, width] to logits [n, classes]."""
        tokens = self.patches(self.fill(images)).flatten(2).transpose(1, 2) + self.position
        logits: torch.Tensor = self.output(self.norm(self.blocks(tokens)).mean(dim=1))
        return logits


def small_vit(image_shape: tuple[int, int, int], classes: int) -> nn.Module:
    """Six blocks of attention, 128 wide, with 4 heads, over eight by eight patches."""
    return VisionTransformer(image_shape, classes, width=128, heads=4, depth=6)
