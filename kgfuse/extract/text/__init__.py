"""Text extraction: spaCy's parse, the vocabulary's lexicon and triggers, the packs' patterns."""

from kgfuse.extract.text.extractor import TextExtractor, build

__all__ = ["TextExtractor", "build"]
