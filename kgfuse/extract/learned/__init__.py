"""A relation extractor that is trained on annotated sentences: alignment, output formats, reader, calibration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kgfuse.extract.learned.extractor import LearnedExtractor
    from kgfuse.ontology.vocabulary import Vocabulary


def build(vocabulary: Vocabulary, settings: Any) -> LearnedExtractor | None:
    """Entry point of the group ``kgfuse.extractors``; ``None`` where nothing was trained for these ontologies."""
    from kgfuse.extract.learned.extractor import LearnedExtractor, find

    folder = find(vocabulary, settings.relations.model)
    if folder is None:
        return None
    return LearnedExtractor(vocabulary, folder, settings.relations.threshold, settings.relations.device)
