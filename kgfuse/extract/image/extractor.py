"""The picture extractor: what EXIF says, one forward pass, then tags, text and colours, each with its region."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray

from kgfuse.encode.image import ImageEncoder, Look, packaged_sha256
from kgfuse.encode.image_steps import Prepared
from kgfuse.errors import SourceError
from kgfuse.extract.image.cam import box
from kgfuse.extract.image.colours import Palette, colour_names, dominant_colours
from kgfuse.extract.image.exif import exif_statements
from kgfuse.extract.image.likeness import PERCEPTUAL_HASH, likeness
from kgfuse.extract.image.ocr import LineReader
from kgfuse.extract.image.relations import relation_statements
from kgfuse.extract.image.settings import ImageSettings
from kgfuse.extract.image.tags import Tagger, is_drawing
from kgfuse.extract.image.wording import Line, Wording
from kgfuse.sources.exif import read_exif
from kgfuse.terms.mentions import Mention, Region, Source, SourceKind, Statement, Value
from kgfuse.terms.namespaces import KGF

if TYPE_CHECKING:
    from kgfuse.extract.settings import TextSettings
    from kgfuse.ontology.vocabulary import Vocabulary

Found: TypeAlias = Mention | Statement
FeatureSink: TypeAlias = Callable[[str, NDArray[np.float32]], None]

_VERSION: Final = "5"
_WORKERS: Final = min(4, os.cpu_count() or 1)
DEPICTS: Final = KGF + "depicts"
SHOWS_TEXT: Final = KGF + "showsText"
SHOWS_COLOUR: Final = KGF + "showsColour"


class ImageExtractor:
    """Says what a picture depicts, the text it shows and the colours that fill it.

    Args:
        vocabulary: of the workspace: classes for tags, colours with ``kgf:srgb``.
        settings: see there.
        texts: how the writing in a picture is read; ``None`` leaves it at the lines as they stand.

    Attributes:
        on_features: called with (content hash, features) for each picture that is looked at, so that whoever needs
            the features has them from the same forward pass. Features are those of ``encoder`` on the picture as
            prepared by ``settings.pipeline``.
    """

    name = "image"
    kinds: frozenset[SourceKind] = frozenset({"image"})

    def __init__(
        self, vocabulary: Vocabulary, settings: ImageSettings | None = None, texts: TextSettings | None = None
    ) -> None:
        self._vocabulary = vocabulary
        self.settings = settings or ImageSettings()
        self._wording = None if texts is None or self.settings.ocr == "off" else Wording(vocabulary, texts)
        self.on_features: FeatureSink | None = None

    @cached_property
    def encoder(self) -> ImageEncoder:
        """The CNN, loaded on first use."""
        return ImageEncoder(self.settings.model, self.settings.device)

    @cached_property
    def fingerprint(self) -> str:
        """Everything the results depend on besides the source."""
        steps = json.dumps(self.settings.preprocessing)  # their versions too
        words = self._wording.extractor.fingerprint if self._wording else ""
        parts = (
            _VERSION, self.settings.model_dump_json(), steps, self._vocabulary.sha256, self._encoder_sha256, words,
        )  # fmt: skip
        return hashlib.sha256("|".join(parts).encode()).hexdigest()

    @property
    def _encoder_sha256(self) -> str:
        return packaged_sha256() if self.settings.model is None else self.encoder.sha256

    @property
    def parameters(self) -> Mapping[str, Any]:
        """What goes into the record of the run."""
        return {
            "version": _VERSION,
            "settings": self.settings.model_dump(mode="json"),
            "preprocessing": self.settings.preprocessing,
            "encoder": self.settings.model or "efficientnet-lite0",
            "encoder_sha256": self._encoder_sha256,
            "vocabulary": self._vocabulary.sha256,
            **({"texts": self._wording.extractor.parameters} if self._wording else {}),
        }

    def extract_batch(self, sources: Sequence[Source]) -> Iterator[list[Found] | Exception]:
        """Yield one list per picture, in the order given, or why it cannot be read.

        Pictures are looked at side by side, each for itself: one is decoded while the CNN or OCR is busy with another.
        At most as many are held decoded as there are threads.
        """
        with ThreadPoolExecutor(max_workers=_WORKERS) as pool:
            yield from pool.map(self._attempt, sources)

    def _attempt(self, source: Source) -> list[Found] | Exception:
        try:
            return list(self.extract(source))
        except Exception as error:  # it is the picture's, and stops no other
            return error

    def extract(self, source: Source) -> Iterator[Found]:
        """Yield a mention of the whole picture, then statements with their regions.

        Raises:
            SourceError: the picture cannot be read.
        """
        if source.path is None:
            raise SourceError("a picture without stored bytes", where=source.name)
        picture = self.settings.pipeline.open(source.path)
        about = source.item or source.iri
        whole = Mention(
            source=source.iri,
            selector=Region(0, 0, picture.width, picture.height),
            label=source.item_label or source.name,
            extractor="image.picture",
            types=source.item_types,
            entity=about,
        )
        yield whole
        yield Statement(
            subject=source.iri,
            predicate=PERCEPTUAL_HASH,
            object=Value(likeness(picture.image).text),
            evidence=(whole,),
            extractor="image.likeness",
            confidence=1.0,
            reason="the hash of what the picture looks like",
            source=source.iri,
        )
        if self.settings.exif:
            yield from exif_statements(read_exif(source.path), about, whole)
        look = self.encoder.look(picture.image)
        if self.on_features is not None:
            self.on_features(source.sha256, look.features)
        places: list[Mention] = []
        if self.settings.tags:
            for tag in self._tags(source, about, picture, look):
                if tag.confidence >= self.settings.tag_threshold:
                    places.extend(tag.evidence)
                yield tag
        if self.settings.colours:
            yield from self._colours(source, about, picture)
        if self.settings.ocr != "off":
            lines = list(self._text(source, about, picture))
            yield from lines
            places.extend(place for line in lines for place in line.evidence)
            yield from self._said(source, lines)
        if self.settings.relations:
            yield from relation_statements(places)

    @cached_property
    def _tagger(self) -> Tagger:
        return Tagger(self._vocabulary, self.encoder.classes)

    @cached_property
    def _palette(self) -> Palette:
        terms = self._vocabulary.terms.values()
        return Palette(colour_names((term.iri, term.label, term.srgb) for term in terms))

    @cached_property
    def _reader(self) -> LineReader:
        return LineReader(threads=torch.get_num_threads())

    def _tags(self, source: Source, about: str, picture: Prepared, look: Look) -> Iterator[Statement]:
        drawing = is_drawing(picture.image)
        kind = "a drawing, on which tags are mostly wrong" if drawing else "a photo"
        head = self.encoder.class_weights
        for tag in self._tagger.tags(look.logits, drawing=drawing, threshold=self.settings.tag_threshold):
            weights = None if head is None else np.asarray(tag.weights, dtype=np.float32) @ head[list(tag.columns)]
            region = picture.region(*box(look, weights, self.settings.box_threshold))
            place = Mention(source.iri, region, tag.label, "image.tag", entity=tag.iri, confidence=tag.confidence)
            yield Statement(
                subject=about,
                predicate=DEPICTS,
                object=place,
                evidence=(place,),
                extractor="image.tag",
                confidence=tag.confidence,
                reason=f"tagged {tag.name!r}, {tag.mass:.0%} of the scores for {tag.label}; {kind}",
                source=source.iri,
            )

    def _colours(self, source: Source, about: str, picture: Prepared) -> Iterator[Statement]:
        width, height = picture.image.size
        for patch in dominant_colours(picture.image, self._palette, least=self.settings.colour_share):
            confidence = round(max(0.05, 1 - patch.difference / 40), 3)
            places = tuple(
                Mention(
                    source=source.iri,
                    selector=picture.region(x * width, y * height, w * width, h * height),
                    label=patch.name.label,
                    extractor="image.colour",
                    entity=patch.name.iri,
                    confidence=confidence,
                )
                for x, y, w, h in patch.boxes
            )
            whole = "the picture without its background" if patch.on_background else "the picture"
            yield Statement(
                subject=about,
                predicate=SHOWS_COLOUR,
                object=patch.name.iri,
                evidence=places,
                extractor="image.colour",
                confidence=confidence,
                reason=f"{patch.share:.0%} of {whole}, ΔE {patch.difference:.0f}",
                source=source.iri,
            )

    def _said(self, source: Source, lines: Sequence[Statement]) -> Iterator[Found]:
        """What the lines say, read as a text."""
        if not lines or self._wording is None:
            return
        placed = [
            Line(line.object.lexical, place.selector, place.confidence)
            for line in lines
            for place in line.evidence
            if isinstance(line.object, Value) and isinstance(place.selector, Region)
        ]
        yield from self._wording.found(placed, source)

    def _text(self, source: Source, about: str, picture: Prepared) -> Iterator[Statement]:
        close = self.settings.ocr == "on"
        picture = self.settings.reading.continued(picture)
        if not close and not self._reader.glance(picture.image):
            return
        for line in self._reader.read(picture.image, close=close, least=self.settings.ocr_threshold):
            confidence = round(line.confidence, 3)
            place = Mention(source.iri, picture.region(*line.box), line.text, "image.ocr", confidence=confidence)
            yield Statement(
                subject=about,
                predicate=SHOWS_TEXT,
                object=Value(line.text),
                evidence=(place,),
                extractor="image.ocr",
                confidence=confidence,
                reason="read from the picture",
                source=source.iri,
            )
