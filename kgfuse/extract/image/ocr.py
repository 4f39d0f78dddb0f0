"""Lines of text in pictures, through rapidocr: its weights ship with it, nothing is fetched."""

from __future__ import annotations

import copy
import logging
import math
import threading
from collections import Counter
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
_SMALL_SIDE: Final = 640
_UPRIGHT: Final = (False, False)
_TALL: Final = 1.5  # from which on the recogniser takes a line to stand on end


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
    """Reads the lines of a picture; several threads may at once.

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
        self._shared: Any = RapidOCR(
            params={
                "Global.log_level": "critical",
                "EngineConfig.onnxruntime.intra_op_num_threads": threads,
                "EngineConfig.onnxruntime.inter_op_num_threads": 1,
                "Det.limit_type": "max",
                "Det.limit_side_len": _READ_SIDE,
            }
        )
        self._shared(np.zeros((32, 32, 3), dtype=np.uint8))
        self._own = threading.local()

    @property
    def _engine(self) -> Any:
        """The engine of this thread: sessions and weights are shared, what a call sets on the detector is not."""
        engine = getattr(self._own, "engine", None)
        if engine is None:
            engine = self._own.engine = copy.copy(self._shared)
            engine.text_det = copy.copy(self._shared.text_det)
        return engine

    def glance(self, image: Image.Image) -> bool:
        """Whether the detector sees a line, wider or higher than a blob, at 256 pixels: about 30 ms on one core."""
        small = image.copy()
        small.thumbnail((_GLANCE_SIDE, _GLANCE_SIDE))
        found = self._engine.text_det(_bgr(small))
        if found.boxes is None:
            return False
        sides = [sorted((math.dist(b[0], b[1]), math.dist(b[1], b[2]))) for b in found.boxes.tolist()]
        return any(long >= _LINE_ASPECT * short for short, long in sides)

    def read(self, image: Image.Image, *, close: bool = False, least: float = 0.0) -> list[TextLine]:
        """Read all lines, in the order in which most of them are read: top to bottom, if the writing is upright.

        Pictures of less than 640 pixels are enlarged to twice their size: the recogniser was made for larger letters.

        Args:
            image: RGB.
            close: enlarge small pictures first: finds small print, takes several times as long.
            least: confidence below which a line is dropped. Lines of a single character are dropped always: on
                pictures they are mostly texture.
        """
        scale = 2 if not close and max(image.size) < _SMALL_SIDE else 1
        pixels = _bgr(image.resize((image.width * scale, image.height * scale), Image.Resampling.BICUBIC))
        engine = self._engine
        detector = engine.text_det
        detector.limit_type, detector.limit_side_len = ("min", _CLOSE_SIDE) if close else ("max", _READ_SIDE)
        result = engine(pixels)
        detector.limit_type, detector.limit_side_len = "max", _READ_SIDE
        if result.boxes is None or result.txts is None:
            return []
        ways = self._ways(pixels, result.boxes)
        lines = []
        for n in _reading_order(result.boxes, ways, result.txts):
            polygon, text, score = result.boxes[n] / scale, result.txts[n], result.scores[n]
            if sum(map(str.isalnum, text)) < 2 or score < least:
                continue
            left, top = np.min(polygon, axis=0).tolist()
            right, bottom = np.max(polygon, axis=0).tolist()
            lines.append(TextLine(text.strip(), min(1.0, float(score)), (left, top, right - left, bottom - top)))
        return lines

    def _ways(self, pixels: Any, boxes: Any) -> list[tuple[bool, bool]]:
        """For each line, whether it stands on end, and whether it is upside down then."""
        engine = self._engine
        crops = engine.crop_text_regions(pixels, boxes.astype(np.float32))
        turner = engine.text_cls
        turned = ["180" in label and score > turner.cls_thresh for label, score in turner(crops).cls_res]
        return [(_stands(box), turn) for box, turn in zip(boxes.tolist(), turned, strict=True)]


def _stands(box: Any) -> bool:
    wide = max(math.dist(box[0], box[1]), math.dist(box[2], box[3]))
    return max(math.dist(box[0], box[3]), math.dist(box[1], box[2])) >= _TALL * max(wide, 1.0)


def _reading_order(boxes: Any, ways: list[tuple[bool, bool]], texts: Any) -> list[int]:
    """Order of the lines, by the way in which most of the letters run; that of the engine where they are upright."""
    letters: Counter[tuple[bool, bool]] = Counter()
    for way, text in zip(ways, texts, strict=True):
        letters[way] += len(text)
    way = max(sorted(letters), key=lambda w: letters[w])
    if way == _UPRIGHT:
        return list(range(len(ways)))
    # where the next line stands: of writing on end to the left or right, of writing upside down above
    across, down = {(False, True): (0, -1), (True, False): (-1, 0), (True, True): (1, 0)}[way]
    centres = np.mean(boxes, axis=1).tolist()
    return sorted(range(len(ways)), key=lambda n: (across * centres[n][0] + down * centres[n][1], n))


def _bgr(image: Image.Image) -> Any:
    return cv2.cvtColor(np.asarray(image.convert("RGB")), cv2.COLOR_RGB2BGR)
