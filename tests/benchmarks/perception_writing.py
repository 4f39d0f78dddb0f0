"""Writing in pictures: rendered, spoilt in known ways, read by several engines, scored by character errors."""

from __future__ import annotations

import io
import shutil
import subprocess
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any, Final

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont
from rapidfuzz.distance import Levenshtein

from kgfuse.extract.image.ocr import LineReader
from kgfuse.extract.image.settings import ImageSettings

Engine = Callable[[Image.Image], str]
Spoil = Callable[[Image.Image, np.random.Generator], Image.Image]

_WORDS: Final = (
    "valve pump north harbour bridge station platform exit ticket market street fresh apples oranges bread "
    "milk coffee organic price open closed caution danger voltage serial number model batch expires before "
    "keep refrigerated museum entrance library opening hours Monday Friday Saturday warning floor pressure "
    "temperature maximum minimum load inspected delivery return parcel window garden chapel mill river upper "
    "lower Saint George Victoria Albert Hamburg"
)
FONTS: Final = ("DejaVuSans", "DejaVuSerif-Italic", "DejaVuSansMono-Bold", "STIXGeneral", "cmss10")
SIZES: Final = (14, 20, 32, 48)
# scikit-image's photographed page, without the line of code and the cut line at its foot.
PAGE: Final = """
Region-based segmentation
Let us first determine markers of the coins and the
background. These markers are pixels that we can label
unambiguously as either object or background. Here,
the markers are found at the two extreme parts of the
histogram of grey values:
"""
PAGE_HEIGHT: Final = 162


@dataclass(frozen=True)
class Written:
    """A picture and what is written in it."""

    condition: str
    image: Image.Image
    text: str


def _noise(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    pixels = np.asarray(image, np.float32) + rng.normal(0, 40, (image.height, image.width, 1))
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def _faint(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    return Image.eval(image, lambda v: round(150 + v * 0.16))


def _jpeg(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    data = io.BytesIO()
    image.save(data, "JPEG", quality=10)
    return Image.open(data).convert("RGB")


def _turned(angle: float) -> Spoil:
    def turn(image: Image.Image, rng: np.random.Generator) -> Image.Image:
        way = rng.choice((-1, 1)) if angle < 90 else 1
        return image.rotate(way * angle, Image.Resampling.BICUBIC, expand=True, fillcolor="white")

    return turn


SPOILT: Final[dict[str, Spoil]] = {
    "clean": lambda image, rng: image,
    "turned by 5°": _turned(5),
    "turned by 20°": _turned(20),
    "turned by 90°": _turned(90),
    "turned by 180°": _turned(180),
    "noise, σ 40 of 255": _noise,
    "blur, σ 1.2 pixels": lambda image, rng: image.filter(ImageFilter.GaussianBlur(1.2)),
    "contrast of 16 %": _faint,
    "JPEG, quality 10": _jpeg,
}


def render(text: str, font: str, size: int) -> Image.Image:
    """Black on white, with a margin."""
    import matplotlib

    face = ImageFont.truetype(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / f"{font}.ttf", size)
    probe = ImageDraw.Draw(Image.new("RGB", (1, 1)))
    spacing = size // 2
    left, top, right, bottom = probe.multiline_textbbox((0, 0), text, face, spacing=spacing)
    margin = size + 8
    image = Image.new("RGB", (int(right - left) + 2 * margin, int(bottom - top) + 2 * margin), "white")
    ImageDraw.Draw(image).multiline_text((margin - left, margin - top), text, "black", face, spacing=spacing)
    return image


def written(seed: int) -> Iterator[Written]:
    """Each spoiling on each font, sizes by turns, every picture with words of its own; and the photographed page."""
    from skimage import data

    rng = np.random.default_rng(seed)
    for n, (condition, font) in enumerate(product(SPOILT, FONTS)):
        lines = [" ".join(rng.choice(_WORDS.split(), int(rng.integers(2, 5)))) for _ in range(3)]
        lines[1] += f" {rng.integers(10, 99)}"
        text = "\n".join(lines)
        image = render(text, font, SIZES[(n + seed) % len(SIZES)])
        yield Written(condition, SPOILT[condition](image, rng), text)
    page = Image.fromarray(data.page()).convert("RGB")
    yield Written("scikit-image's page", page.crop((0, 0, page.width, PAGE_HEIGHT)), PAGE)


def engines() -> tuple[dict[str, Engine], list[str]]:
    """What reads, and what is absent."""
    from rapidocr import RapidOCR

    reader, least = LineReader(threads=2), ImageSettings().ocr_threshold
    bare: Any = RapidOCR(params={"Global.log_level": "critical"})

    def usual(image: Image.Image) -> str:
        found = reader.read(image, least=least) if reader.glance(image) else []
        return "\n".join(line.text for line in found)

    def close(image: Image.Image) -> str:
        return "\n".join(line.text for line in reader.read(image, close=True, least=least))

    def rapid(image: Image.Image) -> str:
        return "\n".join(bare(np.asarray(image)[:, :, ::-1]).txts or ())

    found: dict[str, Engine] = {"kgfuse": usual, "kgfuse, ocr = on": close, "bare rapidocr": rapid}
    if shutil.which("tesseract"):
        return {**found, "Tesseract": _tesseract}, []
    return found, ["Tesseract is not installed: its column is left out"]


def _tesseract(image: Image.Image) -> str:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "picture.png"
        image.save(file)
        command = ["tesseract", str(file), "stdout", "-l", "eng"]
        return subprocess.run(command, capture_output=True, check=True, text=True, timeout=120).stdout


def errors(said: str, read: str) -> tuple[int, int]:
    """Character edits from what was read to what stands there, blanks and line ends left out, and its length.

    Engines differ in whether they put blanks around punctuation, which says nothing about reading.

    >>> errors("North Exit", "Nor1h\\nExit")
    (1, 9)
    """
    said, read = "".join(said.split()), "".join(read.split())
    return Levenshtein.distance(said, read), len(said)


def measure(seeds: int) -> dict[str, Any]:
    """Character error rate, by condition and engine, of each seed; edits over characters, not a mean of rates."""
    reading, absent = engines()
    rates: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for seed in range(seeds):
        edits: defaultdict[tuple[str, str], list[tuple[int, int]]] = defaultdict(list)
        for one in written(seed):
            for name, read in reading.items():
                found = errors(one.text, read(one.image))
                edits[one.condition, name].append(found)
                if one.condition in SPOILT:
                    edits["all rendered", name].append(found)
        for (condition, name), pairs in edits.items():
            rates[condition][name].append(sum(e for e, _ in pairs) / sum(n for _, n in pairs))
    return {"rates": {c: dict(of) for c, of in rates.items()}, "absent": absent}
