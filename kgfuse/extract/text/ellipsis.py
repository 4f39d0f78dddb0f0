"""Names that a coordination leaves incomplete: "North and South Korea", "Type 1 and 2 diabetes", "hepatitis A or B".

Each conjunct is completed with what it may share with its neighbour, at the end or at the front; only what the lexicon
then knows counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from kgfuse.extract.text.lexicon import Hit, Lexicon, Word
from kgfuse.ontology.pack import Term

_JOINTS: Final = frozenset(("and", "or", "&", "/", "to"))
_STOP: Final = frozenset(("VERB", "AUX", "PUNCT", "CCONJ", "SCONJ", "PRON", "ADP", "SPACE"))
_ALTERNATIVE, _SHARED = 3, 3
"""Longest alternative and longest shared part, in tokens."""


def elliptic_hits(doc: Any, words: Sequence[Word], lexicon: Lexicon, hits: Sequence[Hit]) -> list[Hit]:
    """Hits for names that share words with a neighbour; see `Hit.shared`."""
    joints = [i for i, forms, _ in words if forms[0] in _JOINTS and doc[i].pos_ != "PART"]
    if not joints:
        return []
    at_token: dict[int, list[Word]] = {}
    for word in words:
        at_token.setdefault(word[0], []).append(word)
    hit_at = {i: hit for hit in hits for i in range(hit.start, hit.end)}
    search = _Search(doc, at_token, lexicon, hit_at)
    found: dict[tuple[int, int], Hit] = {}
    for joint in joints:
        if joint not in hit_at:
            for hit in search.around(joint):
                found.setdefault((hit.start, hit.end), hit)
    return sorted(found.values(), key=lambda h: h.start)


class _Search:
    """The completions around one conjunction."""

    def __init__(self, doc: Any, at_token: dict[int, list[Word]], lexicon: Lexicon, hit_at: dict[int, Hit]) -> None:
        self._doc = doc
        self._at = at_token
        self._lexicon = lexicon
        self._hit_at = hit_at

    def around(self, joint: int) -> Iterator[Hit]:
        left, right = self._run(joint, -1), self._run(joint, 1)
        if not left or not right:
            return
        yield from self._tails(joint, left, right)
        yield from self._heads(left, right)

    def _tails(self, joint: int, left: Sequence[int], right: Sequence[int]) -> Iterator[Hit]:
        """The end is shared: "North [Korea] and South Korea"; further conjuncts to the left after commas."""
        for end in range(len(right), 1, -1):
            for cut in range(1, end):
                tail = range(right[cut], right[end - 1] + 1)
                first = self._best(left, tail, right[:end], cut)
                if first is None:
                    continue
                yield first
                at = first.start - 1
                while at > 0 and self._doc[at].text == ",":
                    more = self._best(self._run(at, -1), tail, right[:end], cut)
                    if more is None:
                        break
                    yield more
                    at = more.start - 1
                return

    def _best(self, left: Sequence[int], tail: range, whole: Sequence[int], length: int) -> Hit | None:
        for size in sorted(range(1, min(_ALTERNATIVE, len(left)) + 1), key=lambda n: (n != length, -n)):
            own = left[len(left) - size :]
            terms = self._spelt([*own, *tail])
            if terms and self._is_parallel(own, whole, terms):
                return Hit(own[0], own[-1] + 1, terms, shared=(tail.start, tail.stop))
        return None

    def _heads(self, left: Sequence[int], right: Sequence[int]) -> Iterator[Hit]:
        """The front is shared: "hepatitis A and [hepatitis] B"."""
        for size in range(len(left), 1, -1):
            for cut in range(1, size):
                own_left = left[len(left) - size :]
                head = own_left[:cut]
                for end in range(min(len(right), _ALTERNATIVE), 0, -1):
                    terms = self._spelt([*head, *right[:end]])
                    if terms and self._hit_at.get(right[0]) is None:
                        yield Hit(right[0], right[end - 1] + 1, terms, shared=(head[0], head[-1] + 1))
                        return

    def _is_parallel(self, own: Sequence[int], whole: Sequence[int], terms: tuple[Term, ...]) -> bool:
        """Where the conjunct is a name by itself ("fruit and vegetable soup"), both must name one kind of thing."""
        if not any(i in self._hit_at for i in own):
            return True
        types = {t for term in terms for t in term.types}
        return any(not types.isdisjoint(term.types) for term in self._spelt(whole))

    def _run(self, joint: int, step: int) -> list[int]:
        """Tokens beside the conjunction that may belong to a name, in the order of the text."""
        found: list[int] = []
        at = joint + step
        while 0 <= at < len(self._doc) and len(found) < _ALTERNATIVE + _SHARED:
            token = self._doc[at]
            if token.pos_ in _STOP or (token.pos_ == "DET" and token.lower_ in ("the", "a", "an")):
                break
            found.append(at)
            at += step
        return found[::-1] if step < 0 else found

    def _spelt(self, tokens: Sequence[int]) -> tuple[Term, ...]:
        return self._lexicon.spelt([w for i in tokens for w in self._at.get(i, ())])
