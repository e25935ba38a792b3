"""FCN: which of 21 classes each pixel of a photograph belongs to.

Long, Shelhamer and Darrell, *Fully convolutional networks for semantic segmentation*,
CVPR 2015. It knows nothing of clicks; BRS converts it (table 3).
"""

from __future__ import annotations

from torch import Tensor, nn
from torchvision.models import segmentation

from napari_iseg.nets.papers.fcn import FCNHead, framed, pools_of
from napari_iseg.nets.papers.imagenet import imagenet_tensors, whole
from napari_iseg.nets.papers.vgg import VGG, normalised, vgg_tensors

DEPTH = 16  # layers of VGG
# Of PASCAL VOC, in the order of its labels.
VOC_CLASSES = (
    "background", "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car",
    "cat", "chair", "cow", "dining table", "dog", "horse", "motorbike", "person",
    "potted plant", "sheep", "sofa", "train", "television",
)  # fmt: skip


class FCN(nn.Module):
    """FCN-32s, FCN-16s or FCN-8s on VGG-16.

    Parameters
    ----------
    width
        Factor on every number of channels; 1.0 is the paper's.
    classes
        How many, background among them.
    stride
        32, 16 or 8; the paper trains them in this order and uses 8.
    padded
        100 pixels of frame, as FCN has. Without it every layer keeps the size.
    pretrained
        Begin with torchvision's VGG-16.
    normed
        With batch norms in VGG: for narrow networks that begin at random.

    Raises
    ------
    ValueError
        If there is no such stride, or the pretrained weights cannot be had or do not
        fit the width.
    """

    def __init__(
        self,
        width: float = 1.0,
        *,
        classes: int = len(VOC_CLASSES),
        stride: int = 8,
        padded: bool = True,
        pretrained: bool = False,
        normed: bool = False,
    ) -> None:
        super().__init__()
        if pretrained:
            whole(width)
            tensors = vgg_tensors(DEPTH)
        self.width, self.padded, self.classes = width, padded, classes
        self.trunk = VGG(DEPTH, width=width, normed=normed)
        pools = self.trunk.widths
        self.head = FCNHead(
            (pools[2], pools[3], pools[4]),
            width=width,
            stride=stride,
            padded=padded,
            classes=classes,
        )
        if pretrained:
            self.trunk.initialise(tensors)
            self.head.initialise(tensors)

    def forward(self, image: Tensor) -> Tensor:
        """Logits ``(B, classes, H, W)`` of RGB ``(B, 3, H, W)`` in 0..1."""
        shown = normalised(image)
        activations = self.trunk(framed(shown) if self.padded else shown)
        height, width = image.shape[-2:]
        return self.head(pools_of(activations), (height, width))


class FCNResNet50(nn.Module):
    """torchvision's FCN on ResNet-50.

    Parameters
    ----------
    classes
        How many, background among them.
    pretrained
        Begin with torchvision's weights, trained on those pictures of COCO that show
        classes of VOC.

    Raises
    ------
    ValueError
        If the pretrained weights cannot be had, or there are not 21 classes.
    """

    def __init__(
        self, classes: int = len(VOC_CLASSES), *, pretrained: bool = False
    ) -> None:
        super().__init__()
        if pretrained and classes != len(VOC_CLASSES):
            raise ValueError(
                f"pretrained weights know {len(VOC_CLASSES)} classes, not {classes}; "
                "leave pretrained=False to start from random weights"
            )
        self.classes = classes
        self.net = segmentation.fcn_resnet50(
            weights=None, weights_backbone=None, num_classes=classes
        )
        if pretrained:
            kind = segmentation.FCN_ResNet50_Weights.COCO_WITH_VOC_LABELS_V1
            tensors = imagenet_tensors(kind)
            own = self.net.state_dict()  # their second head only helps to train
            self.net.load_state_dict({k: v for k, v in tensors.items() if k in own})

    def forward(self, image: Tensor) -> Tensor:
        """Logits ``(B, classes, H, W)`` of RGB ``(B, 3, H, W)`` in 0..1."""
        return self.net(normalised(image))["out"]
