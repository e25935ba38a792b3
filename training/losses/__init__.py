"""What a prediction costs: pure functions of tensors, one file per idea.

``cells`` is what ships; ``latent_diversity``, ``regions`` (RIS-Net) and ``pixelwise``
(iFCN, FCTSFN, BRS, ITIS) are the papers'; ``general`` came after them.
"""

from __future__ import annotations

from training.losses.cells import answer_loss, iou_of, pixel_loss, region_loss

__all__ = ["answer_loss", "iou_of", "pixel_loss", "region_loss"]
