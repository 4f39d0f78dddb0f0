"""Pictures to statements: tags with a class-activation box, lines of text, dominant colours."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kgfuse.extract.image.extractor import ImageExtractor
    from kgfuse.extract.settings import ExtractSettings
    from kgfuse.ontology.vocabulary import Vocabulary


def build(vocabulary: Vocabulary, settings: ExtractSettings) -> ImageExtractor:
    """Entry point of the group ``kgfuse.extractors``."""
    from kgfuse.extract.image.extractor import ImageExtractor

    return ImageExtractor(vocabulary, settings.image, settings.text)
