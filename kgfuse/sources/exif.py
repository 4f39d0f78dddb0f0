"""EXIF of a picture: when, where and with what it was taken. Nothing else is taken over, above all nothing private.

Serial numbers, names of owners and artists, comments and makers' notes are never read.
"""

from __future__ import annotations

import io
import math
import re
import struct
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from PIL import ExifTags, Image

MAX_BYTES: Final = 1_000_000
_TEXT: Final = 64
_FORMATS: Final = ("JPEG", "PNG", "WEBP", "TIFF")
_FAULTS: Final = (
    OSError, SyntaxError, ValueError, EOFError, OverflowError, MemoryError, IndexError, KeyError, TypeError,
    AttributeError, RecursionError, ArithmeticError, struct.error, Image.DecompressionBombError,
)  # fmt: skip
_MOMENT: Final = "%Y:%m:%d %H:%M:%S"
_OFFSET: Final = re.compile(r"([+-])(\d\d):?(\d\d)")
_FIRST_PHOTO: Final = 1826
_LAST_YEAR: Final = 2200
_TIMES: Final = (
    (ExifTags.Base.DateTimeOriginal, ExifTags.Base.OffsetTimeOriginal),
    (ExifTags.Base.DateTimeDigitized, ExifTags.Base.OffsetTimeDigitized),
)


@dataclass(frozen=True, slots=True)
class Exif:
    """What the EXIF of a picture says of its taking; empty where it says nothing that can be.

    Args:
        taken: ``xsd:dateTime``, with its offset where that is told.
        place: latitude and longitude in degrees of WGS 84, as decimals.
        make: who made the device.
        model: the device.
        notes: what was ignored, and why, in sentences.
    """

    taken: str = ""
    place: tuple[str, str] | None = None
    make: str = ""
    model: str = ""
    notes: tuple[str, ...] = ()


def read_exif(source: Path | bytes) -> Exif:
    """Read the EXIF of a picture, whose pixels are not looked at. Damaged data is noted, and raises nothing."""
    notes: list[str] = []
    try:
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            base, more, gps = _directories(source)
            if any("exif" in str(one.message).lower() or "truncated" in str(one.message).lower() for one in told):
                notes.append("its EXIF is damaged: what could not be read was ignored")
        if not (base or more or gps):
            return Exif(notes=tuple(notes))
        taken = _taken(more, notes)
        place = _place(gps, notes)
        make = _device(base.get(ExifTags.Base.Make), "maker", notes)
        model = _device(base.get(ExifTags.Base.Model), "model", notes)
    except _FAULTS:
        return Exif(notes=(*notes, "its EXIF is damaged and was ignored"))
    return Exif(taken, place, make, model, tuple(notes))


def _directories(source: Path | bytes) -> tuple[Mapping[int, Any], Mapping[int, Any], Mapping[int, Any]]:
    """The main directory, that of the photo and that of the place; all empty in what is no picture."""
    try:
        image = Image.open(io.BytesIO(source) if isinstance(source, bytes) else source, formats=_FORMATS)
    except _FAULTS:
        return {}, {}, {}
    with image:
        if image.format == "TIFF":
            exif = image.getexif()
        else:
            data = image.info.get("exif")  # getexif() would decode a PNG
            if not data:
                return {}, {}, {}
            if len(data) > MAX_BYTES:
                raise ValueError("too long")
            exif = Image.Exif()
            exif.load(data)
        return dict(exif), exif.get_ifd(ExifTags.IFD.Exif), exif.get_ifd(ExifTags.IFD.GPSInfo)


def _taken(more: Mapping[int, Any], notes: list[str]) -> str:
    for tag, zone in _TIMES:
        said = _text(more.get(tag))
        if not said.strip("0: -"):
            continue  # a clock that was never set
        try:
            moment = datetime.strptime(said, _MOMENT)
        except ValueError:
            moment = None
        if moment is None or not _FIRST_PHOTO <= moment.year <= _LAST_YEAR:
            notes.append(f"the EXIF time {said[:_TEXT]!r} is no time of a photo and was ignored")
            continue
        return moment.isoformat() + _offset(_text(more.get(zone)))
    return ""


def _offset(said: str) -> str:
    match = _OFFSET.fullmatch(said)
    if match is None or int(match[2]) * 60 + int(match[3]) > 14 * 60 or int(match[3]) > 59:
        return ""
    return f"{match[1]}{match[2]}:{match[3]}"


def _place(gps: Mapping[int, Any], notes: list[str]) -> tuple[str, str] | None:
    tags = ExifTags.GPS
    if tags.GPSLatitude not in gps and tags.GPSLongitude not in gps:
        return None
    datum = "".join(filter(str.isalnum, _text(gps.get(tags.GPSMapDatum)).upper()))
    if datum and not datum.startswith("WGS84"):
        notes.append("the EXIF place is not in WGS 84 and was ignored")
        return None
    latitude = _degrees(gps.get(tags.GPSLatitude), _text(gps.get(tags.GPSLatitudeRef)), "NS", 90)
    longitude = _degrees(gps.get(tags.GPSLongitude), _text(gps.get(tags.GPSLongitudeRef)), "EW", 180)
    if latitude is None or longitude is None:
        notes.append("the EXIF place is no latitude within ±90 and longitude within ±180 degrees and was ignored")
        return None
    if latitude == longitude == 0:
        notes.append("the EXIF place is 0, 0, which devices write that know none, and was ignored")
        return None
    return _decimal(latitude), _decimal(longitude)


def _degrees(value: Any, side: str, sides: str, most: int) -> float | None:
    """Degrees, minutes and seconds as signed degrees; ``None`` where they are none."""
    if not isinstance(value, tuple | list) or not 1 <= len(value) <= 3 or side.upper() not in tuple(sides):
        return None
    parts = [float(part) for part in value]
    if not all(math.isfinite(part) and part >= 0 for part in parts) or any(part > 60 for part in parts[1:]):
        return None
    degrees = math.fsum(part / unit for part, unit in zip(parts, (1, 60, 3600), strict=False))
    if degrees > most:
        return None
    return -degrees if side.upper() == sides[1] else degrees


def _decimal(degrees: float) -> str:
    """To six places, about a hand's width."""
    short = f"{degrees:.6f}".rstrip("0").rstrip(".")
    return "0" if short == "-0" else short


def _device(value: Any, what: str, notes: list[str]) -> str:
    said = _text(value)
    if said and (len(said) > _TEXT or not said.isprintable() or not any(map(str.isalnum, said))):
        notes.append(f"the EXIF {what} of the device is no name and was ignored")
        return ""
    return said


def _text(value: Any) -> str:
    """A text without outer blanks, cut at its first NUL; a single value given as a tuple is that value."""
    if isinstance(value, tuple) and len(value) == 1:
        value = value[0]
    if isinstance(value, bytes):
        value = value.decode("latin-1")
    return value.split("\0")[0].strip() if isinstance(value, str) else ""
