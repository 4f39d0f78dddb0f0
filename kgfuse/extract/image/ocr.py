"""Lines of text in pictures, through rapidocr: its weights ship with it, nothing is fetched."""

from __future__ import annotations

import logging
import math
import threading
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from PIL import Image

from kgfuse.errors import ModelError

_GLANCE_SIDE: Final = 256
_READ_SIDE: Final = 960
_CLOSE_SIDE: Final = 736
_LINE_ASPECT: Final = 1.4


@dataclass(frozen=True, slots=True)
class TextLine:
    """A line that was read.

    Args:
        text: as read, without outer blanks.
        confidence: of the recogniser, 0 to 1.
        box: left, top, width, height in pixels of the picture: upright box around the line's polygon.
    """

    text: str
    confidence: float
    box: tuple[float, float, float, float]


class LineReader:
    """Reads the lines of a picture.

    Args:
        threads: of the inference engine; part of what fixes the last bits.
    """

    def __init__(self, threads: int = 1) -> None:
        # rapidocr adds a handler and writes at INFO when it is imported, before its own setting is read.
        logging.getLogger("RapidOCR").setLevel(logging.CRITICAL)
        try:
            from rapidocr import RapidOCR
        except ImportError as error:
            raise ModelError("rapidocr cannot be imported", remedy="pip install rapidocr onnxruntime") from error
        self._engine: Any = RapidOCR(
            params={
                "Global.log_level": "critical",
                "EngineConfig.onnxruntime.intra_op_num_threads": threads,
                "EngineConfig.onnxruntime.inter_op_num_threads": 1,
                "Det.limit_type": "max",
                "Det.limit_side_len": _READ_SIDE,
            }
        )
        self._engine(np.zeros((32, 32, 3), dtype=np.uint8))
        self._lock = threading.Lock()

    def glance(self, image: Image.Image) -> bool:
        """Whether the detector sees a line, wider or higher than a blob, at 256 pixels: about 30 ms on one core."""
        small = image.copy()
        small.thumbnail((_GLANCE_SIDE, _GLANCE_SIDE))
        with self._lock:
            found = self._engine.text_det(_bgr(small))
        if found.boxes is None:
            return False
        sides = [sorted((math.dist(b[0], b[1]), math.dist(b[1], b[2]))) for b in found.boxes.tolist()]
        return any(long >= _LINE_ASPECT * short for short, long in sides)

    def read(self, image: Image.Image, *, close: bool = False, least: float = 0.0) -> list[TextLine]:
        """Read all lines, top to bottom.

        Args:
            image: RGB.
            close: enlarge small pictures first: finds small print, takes several times as long.
            least: confidence below which a line is dropped. Lines of a single character are dropped always: on
                pictures they are mostly texture.
        """
        with self._lock:
            detector = self._engine.text_det
            detector.limit_type, detector.limit_side_len = ("min", _CLOSE_SIDE) if close else ("max", _READ_SIDE)
            result = self._engine(_bgr(image))
            detector.limit_type, detector.limit_side_len = "max", _READ_SIDE
        if result.boxes is None or result.txts is None:
            return []
        lines = []
        for polygon, text, score in zip(result.boxes, result.txts, result.scores, strict=True):
            if sum(map(str.isalnum, text)) < 2 or score < least:
                continue
            left, top = np.min(polygon, axis=0).tolist()
            right, bottom = np.max(polygon, axis=0).tolist()
            lines.append(TextLine(text.strip(), min(1.0, float(score)), (left, top, right - left, bottom - top)))
        return lines


def _bgr(image: Image.Image) -> Any:
    return cv2.cvtColor(np.asarray(image.convert("RGB")), cv2.COLOR_RGB2BGR)
