"""What a prediction costs: one file per idea, pure functions of tensors."""

from __future__ import annotations

from training.losses.cells import answer_loss, iou_of, pixel_loss, region_loss

__all__ = ["answer_loss", "iou_of", "pixel_loss", "region_loss"]
