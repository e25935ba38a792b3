"""How a field of cells may look: modalities drawn from labels, camera effects.

There is no licence-clear training set for most modalities, so the shapes of those
there are (and drawn ones) are rendered as DIC, phase contrast, brightfield,
quantitative phase, stained and membrane images. Every function takes ``(H, W, 3)``
float32 in about 0..1.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.float32]
Rng = np.random.Generator


def noise(shape: tuple[int, int], grain: float, rng: Rng) -> Image:
    """Smooth random field with deviation 1 and structures of about ``grain`` pixels."""
    h, w = (max(2, int(np.ceil(s / grain)) + 1) for s in shape)
    small = rng.standard_normal((h, w), np.float32)
    if grain <= 1:
        return small[: shape[0], : shape[1]]
    return cv2.resize(small, shape[::-1], interpolation=cv2.INTER_CUBIC)


def smooth(image: Image, sigma: float) -> Image:
    if sigma < 0.3:
        return image
    return cv2.GaussianBlur(image, (0, 0), float(sigma))


def interiors(labels: NDArray[np.int32]) -> NDArray[np.uint8]:
    """Cells without the pixels where two of them touch."""
    down = labels != np.roll(labels, 1, 0)
    right = labels != np.roll(labels, 1, 1)
    return ((labels > 0) & ~down & ~right).astype(np.uint8)


def height_of(labels: NDArray[np.int32], rng: Rng) -> Image:
    """Thickness of the cells, 0..1: flat with a slope at the edge, or domed."""
    depth = cv2.distanceTransform(interiors(labels), cv2.DIST_L2, 3)
    slope = float(np.exp(rng.uniform(np.log(1.5), np.log(20))))
    height = 1 - np.exp(-depth / slope)
    levels = rng.uniform(0.5, 1, 64).astype(np.float32)
    return smooth(height * levels[labels % 64], rng.uniform(0.5, 1.5))


def textured(height: Image, rng: Rng) -> Image:
    """Grains and a nucleus-like swelling inside the cells."""
    grain = noise(height.shape, rng.uniform(1.5, 8), rng) * rng.uniform(0, 0.35)
    coarse = noise(height.shape, rng.uniform(8, 25), rng) * rng.uniform(0, 0.3)
    return height * (1 + grain + coarse)


def as_dic(labels: NDArray[np.int32], rng: Rng) -> Image:
    """Relief: the slope of the thickness along one direction."""
    height = textured(height_of(labels, rng), rng)
    angle = rng.uniform(0, 2 * np.pi)
    dx, dy = cv2.Sobel(height, cv2.CV_32F, 1, 0), cv2.Sobel(height, cv2.CV_32F, 0, 1)
    relief = np.cos(angle) * dx + np.sin(angle) * dy
    return 0.5 + rng.uniform(0.15, 0.6) * relief


def as_phase(labels: NDArray[np.int32], rng: Rng) -> Image:
    """Phase contrast: thickness darkens, with a bright halo (or the reverse)."""
    height = textured(height_of(labels, rng), rng)
    halo = smooth(height, rng.uniform(2, 8)) - height * rng.uniform(0.5, 1)
    sign = -1 if rng.random() < 0.3 else 1
    body = rng.uniform(-0.3, 0.3) * height
    return 0.45 + sign * rng.uniform(0.3, 0.9) * halo + body


def as_brightfield(labels: NDArray[np.int32], rng: Rng) -> Image:
    """Slightly out of focus: bright and dark rims, nearly nothing inside."""
    height = textured(height_of(labels, rng), rng)
    near, far = smooth(height, rng.uniform(0.7, 2)), smooth(height, rng.uniform(2.5, 6))
    return 0.55 + float(rng.choice([-1, 1])) * rng.uniform(0.5, 1.5) * (near - far)


def as_quantitative_phase(labels: NDArray[np.int32], rng: Rng) -> Image:
    """Thickness itself, on a wavy background."""
    height = textured(height_of(labels, rng), rng)
    return 0.1 + rng.uniform(0.3, 0.8) * height


def as_membrane(labels: NDArray[np.int32], rng: Rng) -> Image:
    """Bright cell borders."""
    rim = smooth(
        (labels > 0).astype(np.float32) - interiors(labels), rng.uniform(0.6, 1.6)
    )
    grain = np.clip(1 + 0.4 * noise(labels.shape, rng.uniform(3, 20), rng), 0.1, None)
    return (
        0.1
        + rng.uniform(0.5, 1) * rim * grain
        + 0.1 * (labels > 0) * rng.uniform(0, 1.5)
    )


def as_fluorescence(labels: NDArray[np.int32], rng: Rng) -> Image:
    """Each cell with its own brightness and texture."""
    levels = np.exp(rng.uniform(np.log(0.12), 0, 64)).astype(np.float32)
    return 0.05 + textured(height_of(labels, rng) * levels[labels % 64], rng) * 0.9


def as_stained(labels: NDArray[np.int32], rng: Rng) -> Image:
    """Coloured cells on a bright or tissue-coloured ground."""
    ground = np.array(
        [rng.uniform(0.7, 1), rng.uniform(0.5, 0.95), rng.uniform(0.6, 1)], np.float32
    )
    dye = np.array(
        [rng.uniform(0.2, 0.7), rng.uniform(0.05, 0.5), rng.uniform(0.3, 0.8)],
        np.float32,
    )
    if rng.random() < 0.5:
        dye = ground * rng.uniform(0.5, 0.9)
    amount = np.clip(textured(height_of(labels, rng), rng), 0, 1.3)[..., None]
    tissue = noise(labels.shape, rng.uniform(4, 30), rng)[..., None] * rng.uniform(
        0, 0.12
    )
    return ((ground + tissue) * (1 - amount) + dye * amount).astype(np.float32)


MODALITIES = (
    as_dic,
    as_dic,
    as_phase,
    as_phase,
    as_brightfield,
    as_quantitative_phase,
    as_membrane,
    as_fluorescence,
    as_stained,
    as_stained,
)


def rendered(labels: NDArray[np.int32], rng: Rng) -> Image:
    """The field as one modality shows it, with debris and an uneven background."""
    picture = MODALITIES[rng.integers(len(MODALITIES))](labels, rng).astype(np.float32)
    wave = noise(labels.shape, rng.uniform(20, 80), rng) * rng.uniform(0, 0.12)
    grain = noise(labels.shape, rng.uniform(1.5, 6), rng) * rng.uniform(0, 0.06)
    background = (wave + grain).astype(np.float32)
    if picture.ndim == 2:
        return cv2.merge([picture + background] * 3)
    return picture + background[..., None]


def coloured(image: Image, rng: Rng) -> Image:
    """A grey image in the colours of a stain or a look-up table."""
    dark, light = rng.uniform(-0.1, 0.6, 3), rng.uniform(0.4, 1.1, 3)
    return (dark + image * (light - dark)).astype(np.float32)


def shaded(image: Image, rng: Rng) -> Image:
    """Uneven illumination: a plane or a bump, multiplied."""
    h, w = image.shape[:2]
    y, x = np.ogrid[-1 : 1 : h * 1j, -1 : 1 : w * 1j]
    slope = rng.uniform(-0.4, 0.4, 2)
    field = 1 + slope[0] * y + slope[1] * x + rng.uniform(-0.3, 0.3) * (x * x + y * y)
    return image * np.clip(field, 0.2, None)[..., None].astype(np.float32)


def relief(image: Image, rng: Rng) -> Image:
    """A real image seen as if by DIC."""
    angle = rng.uniform(0, 2 * np.pi)
    soft = smooth(image, rng.uniform(0.5, 1.5))
    slope = np.cos(angle) * cv2.Sobel(soft, cv2.CV_32F, 1, 0)
    slope += np.sin(angle) * cv2.Sobel(soft, cv2.CV_32F, 0, 1)
    return 0.5 + rng.uniform(0.5, 1.5) * slope + rng.uniform(-0.2, 0.2) * image


def haloed(image: Image, rng: Rng) -> Image:
    """A real image with phase-contrast halos."""
    return 0.5 + (smooth(image, rng.uniform(2, 10)) - image) * rng.uniform(0.6, 1.6)


def inverted(image: Image, _rng: Rng) -> Image:
    return 1 - image


def grey(image: Image, rng: Rng) -> Image:
    weights = rng.dirichlet((2, 2, 2)).astype(np.float32)
    return cv2.merge([image @ weights] * 3)


def gamma(image: Image, rng: Rng) -> Image:
    return np.clip(image, 0, None) ** np.float32(np.exp(rng.uniform(-0.8, 0.8)))


def contrast(image: Image, rng: Rng) -> Image:
    gain = np.float32(np.exp(rng.uniform(-0.7, 0.4)))
    return (image - 0.5) * gain + np.float32(0.5 + rng.uniform(-0.2, 0.2))


def saturated(image: Image, rng: Rng) -> Image:
    return np.clip(image * np.float32(rng.uniform(1.2, 2.5)), 0, 1)


def blurred(image: Image, rng: Rng) -> Image:
    return smooth(image, rng.uniform(0.4, 2))


def sharpened(image: Image, rng: Rng) -> Image:
    return image + (image - smooth(image, 1.2)) * np.float32(rng.uniform(0.5, 2))


def grained(image: Image, rng: Rng) -> Image:
    """Camera noise; read noise and shot noise, sometimes correlated."""
    strength = float(np.exp(rng.uniform(np.log(0.005), np.log(0.12))))
    field = noise(image.shape[:2], rng.choice([1, 1, 1.6, 2.5]), rng)[..., None]
    shot = np.sqrt(np.clip(image, 0.02, 1)) if rng.random() < 0.5 else 1
    return image + np.float32(strength) * field * shot


def compressed(image: Image, rng: Rng) -> Image:
    quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 80))]
    _, coded = cv2.imencode(
        ".jpg", np.clip(image * 255, 0, 255).astype(np.uint8), quality
    )
    return cv2.imdecode(coded, cv2.IMREAD_COLOR).astype(np.float32) / 255


REAL = ((inverted, 0.2), (relief, 0.06), (haloed, 0.06), (grey, 0.15), (coloured, 0.12))
ALWAYS = (
    (gamma, 0.4),
    (shaded, 0.25),
    (contrast, 0.4),
    (saturated, 0.08),
    (sharpened, 0.08),
    (blurred, 0.25),
    (grained, 0.45),
    (compressed, 0.06),
)


def varied(image: Image, rng: Rng, *, is_real: bool) -> Image:
    """The image under another microscope, camera and file format."""
    for change, chance in (*(REAL if is_real else ()), *ALWAYS):
        if rng.random() < chance:
            image = change(image, rng).astype(np.float32)
    return image
