"""What the EXIF of a picture says, as statements: of the item, in the terms of PROV, WGS 84 and EXIF."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from kgfuse.sources.exif import Exif
from kgfuse.terms.mentions import Mention, Statement, Value
from kgfuse.terms.namespaces import EXIF, GEO, KGF, POINT, PROV, RDF, XSD

EXTRACTOR: Final = "image.exif"
TAKEN_AT: Final = KGF + "takenAt"
TAKEN_ON: Final = EXIF + "dateTimeOriginal"
MAKE: Final = EXIF + "make"
MODEL: Final = EXIF + "model"
LATITUDE: Final = GEO + "lat"
LONGITUDE: Final = GEO + "long"
GENERATED: Final = PROV + "generatedAtTime"
_CONFIDENCE: Final = 0.9  # clocks are set wrongly, and places may be those of the last fix


def exif_statements(exif: Exif, about: str, whole: Mention) -> Iterator[Statement]:
    """Yield time, place and device.

    An item may have several pictures, so latitude and longitude stand together on a point of their own. That the
    picture came into being then is said of its source, not of the item, which may be a thing older than its photo.

    Args:
        exif: of the picture.
        about: IRI of the item.
        whole: the whole picture, which is the evidence.
    """

    def say(subject: str, predicate: str, value: str | Value, reason: str) -> Statement:
        return Statement(subject, predicate, value, (whole,), EXTRACTOR, _CONFIDENCE, reason, whole.source)

    if exif.taken:
        moment = Value(exif.taken, XSD + "dateTime")
        yield say(about, TAKEN_ON, moment, "the time of the photo in its EXIF")
        yield say(whole.source, GENERATED, moment, "the time of the photo in its EXIF")
    if exif.place is not None:
        latitude, longitude = exif.place
        point = f"{POINT}{latitude},{longitude}"
        yield say(about, TAKEN_AT, point, "the place in the photo's EXIF")
        yield say(point, RDF + "type", GEO + "Point", "the place in the photo's EXIF")
        yield say(point, LATITUDE, Value(latitude, XSD + "decimal"), "the latitude in the photo's EXIF")
        yield say(point, LONGITUDE, Value(longitude, XSD + "decimal"), "the longitude in the photo's EXIF")
    if exif.make:
        yield say(about, MAKE, Value(exif.make), "the device in the photo's EXIF")
    if exif.model:
        yield say(about, MODEL, Value(exif.model), "the device in the photo's EXIF")
