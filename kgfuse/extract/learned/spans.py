"""Places in a sentence that arguments are likely to take, whatever is asked: names, noun phrases, values, quotations.

The reader finds places by their first and last words, under each relation; of relations that it was not trained on, it
mistakes the ends of names. These places have their ends from spaCy's entities and noun chunks, and from how names and
values are written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

from kgfuse.extract.learned.tokens import Tokenised
from kgfuse.extract.text.nlp import EMBEDDED, load, model_view

MOST: Final = 48
"""Places of one sentence, at most: the first ones."""
_NAME: Final = re.compile(
    r"[A-Z0-9][\w.'&/-]*(?:\s+(?:(?:of|the|and|de|da|di|in|for|on|von|van|del|e|do|&)\s+){0,2}[A-Z0-9(][\w.'&)/-]*)*"
)
_JOINT: Final = re.compile(r"(?<=\S)\s+(?:of|in|and|the|for|on)\s+")
_VALUE: Final = re.compile(r"\d[\d.,:/-]*\d|\d")
_QUOTED: Final = re.compile(r'"[^"]+"')
_ARTICLE: Final = re.compile(r"(?i)(?:the|an?|his|her|its|their)\s+")
_EDGES: Final = " ,.;:'\"()"
_TAIL: Final = 3
_BATCH: Final = 32
_LONGEST: Final = 1_500  # characters; 160 word pieces are some 800
_UNUSED: Final = ("lemmatizer",)


def proposed(texts: Sequence[str]) -> list[tuple[tuple[int, int], ...]]:
    """Places of each text, characters ``[start, end)``, in their order; a text's do not depend on the others.

    What lies beyond 1,500 characters is not looked at.
    """
    nlp = load(EMBEDDED)
    unused = [name for name in _UNUSED if name in nlp.pipe_names]
    with nlp.select_pipes(disable=unused):
        return [_places(doc) for doc in nlp.pipe((model_view(text[:_LONGEST]) for text in texts), batch_size=_BATCH)]


def word_places(tokens: Sequence[Tokenised], texts: Sequence[str]) -> list[tuple[tuple[int, int], ...]]:
    """The places of each text as first and last word; those beyond the words that are read are left out."""
    found = []
    seen = [text[: words.end[-1]] if words.end else "" for words, text in zip(tokens, texts, strict=True)]
    for words, places in zip(tokens, proposed(seen), strict=True):
        own = (words.words_of(start, end) for start, end in places)
        found.append(tuple(dict.fromkeys(w for w in own if w is not None))[:MOST])
    return found


def _places(doc: Any) -> tuple[tuple[int, int], ...]:
    text = doc.text
    found = {place for start, end in _raw(doc) for place in _trimmed(text, start, end)}
    return tuple(sorted(found))


def _raw(doc: Any) -> Iterator[tuple[int, int]]:
    text = doc.text
    for span in doc.ents:
        yield span.start_char, span.end_char
    for chunk in doc.noun_chunks:
        for size in range(1, min(_TAIL, len(chunk)) + 1):
            yield doc[chunk.end - size].idx, chunk.end_char
        yield chunk.start_char, chunk.end_char
    for match in _NAME.finditer(text):
        yield match.span()
        at = match.start()
        for joint in (*_JOINT.finditer(text, *match.span()), None):
            yield at, match.end() if joint is None else joint.start()
            at = match.end() if joint is None else joint.end()
    for pattern in (_VALUE, _QUOTED):
        for match in pattern.finditer(text):
            yield match.span()


def _trimmed(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The place without signs at its edges, and that without its article or genitive."""
    if text[start] == '"' == text[end - 1]:
        yield start, end
    while start < end and text[start] in _EDGES:
        start += 1
    while start < end and text[end - 1] in _EDGES and not (text[end - 1] == ")" and "(" in text[start:end]):
        end -= 1
    if start >= end:
        return
    yield start, end
    article = _ARTICLE.match(text, start, end)
    if article is not None and article.end() < end:
        yield article.end(), end
    if end - start > 2 and text[end - 2 : end] == "'s":
        yield start, end - 2
