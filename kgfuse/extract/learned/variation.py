"""Copies of annotated sentences with other names in them, so that the reader learns contexts and not entities.

Small sets repeat few entities in many sentences; a reader learns them by heart and fails on new ones. In a copy, names
are replaced by others that stand for the same kind of thing elsewhere, or by any name, and numbers and years by others
like them; the triples and their places move along.
"""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from kgfuse.extract.learned.corpus import Annotated, argument_places
from kgfuse.extract.learned.examples import Example, Triple
from kgfuse.extract.learned.features import shape_of
from kgfuse.extract.learned.locate import Folded, anaphors
from kgfuse.extract.learned.schema import Schema

_KEEP: Final = 0.25
_ANY: Final = 0.25
_FEW: Final = 8


@dataclass(frozen=True, slots=True)
class Names:
    """Names and words by what they stand for: by the label of a domain or range, and by shape alone."""

    kinds: Mapping[tuple[str, str], Sequence[str]]
    shapes: Mapping[str, Sequence[str]]

    @classmethod
    def of(cls, annotated: Iterable[Annotated]) -> Names:
        """All arguments of all examples."""
        kinds: defaultdict[tuple[str, str], dict[str, None]] = defaultdict(dict)
        shapes: defaultdict[str, dict[str, None]] = defaultdict(dict)
        for one in annotated:
            roles = _roles(one.schema)
            for example in one.examples:
                for label, (start, end) in _first_places(example).items():
                    surface = example.text[start:end]
                    shape = shape_of(surface)
                    shapes[shape].setdefault(surface)
                    for kind in _kinds(example, label, roles):
                        kinds[kind, shape].setdefault(surface)
        return cls({k: tuple(v) for k, v in kinds.items()}, {k: tuple(v) for k, v in shapes.items()})

    def other(self, surface: str, kinds: Sequence[str], rng: random.Random) -> str:
        """Something else of this shape, mostly of the same kind."""
        shape = shape_of(surface)
        if shape in ("year", "month", "date", "number", "quantity"):
            return _other_digits(surface, rng)
        pools = [p for k in kinds if len(p := self.kinds.get((k, shape), ())) >= _FEW]
        pool = rng.choice(pools) if pools and rng.random() > _ANY else self.shapes.get(shape, (surface,))
        return rng.choice(pool)

    def any_of(self, kind: str, rng: random.Random) -> str:
        """Something of a kind; a name where too few of the kind are known."""
        known = [one for (k, _), pool in sorted(self.kinds.items()) if k == kind.lower() for one in pool]
        return rng.choice(known if len(known) >= _FEW else self.shapes.get("name") or ("Zog",))


def vary(example: Example, schema: Schema, names: Names, rng: random.Random) -> Example:
    """A copy of the example with other names; labels whose places overlap stay as they are."""
    folded = Folded(example.text)
    places: dict[str, list[tuple[int, int]]] = {}
    for t in (*example.triples, *example.rejected):
        for label, span in ((t.subject, t.subject_span), (t.object, t.object_span)):
            if label not in places:
                places[label] = [(p.start, p.end) for p in argument_places(folded, label, span)]
    roles = _roles(schema)
    changes: dict[tuple[int, int], str] = {}
    for label, own in places.items():
        others = [p for other, found in places.items() if other != label for p in found]
        if not own or rng.random() < _KEEP or any(a < d and c < b for a, b in own for c, d in others):
            continue
        surface = example.text[slice(*own[0])]
        said = names.other(surface, sorted(_kinds(example, label, roles)), rng)
        changes |= dict.fromkeys(own, said)
    text, moved = _rewritten(example.text, changes, {p for own in places.values() for p in own})
    spans = {label: moved[own[0]] for label, own in places.items() if own}
    again = {label: text[slice(*span)] for label, span in spans.items() if places[label][0] in changes}
    move = [tuple(_moved(t, spans, again, text) for t in found) for found in (example.triples, example.rejected)]
    return replace(example, text=text, triples=move[0], rejected=move[1])


def _moved(triple: Triple, spans: Mapping[str, tuple[int, int]], again: Mapping[str, str], text: str) -> Triple:
    subject = spans.get(triple.subject)
    if subject is None and (spoken_of := anaphors(text)[:1]):
        subject = (spoken_of[0].start, spoken_of[0].end)
    return Triple(
        again.get(triple.subject, triple.subject),
        triple.relation,
        again.get(triple.object, triple.object),
        subject,
        spans.get(triple.object),
    )


def _rewritten(
    text: str, changes: Mapping[tuple[int, int], str], kept: Iterable[tuple[int, int]]
) -> tuple[str, dict[tuple[int, int], tuple[int, int]]]:
    """The text with spans replaced, and where every span of interest lies in it."""
    parts: list[str] = []
    moved: dict[tuple[int, int], tuple[int, int]] = {}
    shifts: list[tuple[int, int]] = [(0, 0)]
    at = length = 0
    for start, end in sorted(changes):
        parts += [text[at:start], changes[start, end]]
        length += start - at
        moved[start, end] = (length, length + len(changes[start, end]))
        length += len(changes[start, end])
        at = end
        shifts.append((end, length - end))
    parts.append(text[at:])
    for start, end in kept:
        if (start, end) not in moved:
            shift = max(s for s in shifts if s[0] <= start)[1]
            moved[start, end] = (start + shift, end + shift)
    return "".join(parts), moved


def _first_places(example: Example) -> dict[str, tuple[int, int]]:
    folded = Folded(example.text)
    found: dict[str, tuple[int, int]] = {}
    for t in example.triples:
        for label, span in ((t.subject, t.subject_span), (t.object, t.object_span)):
            if label not in found and (where := argument_places(folded, label, span)):
                found[label] = (where[0].start, where[0].end)
    return found


def _roles(schema: Schema) -> dict[str, tuple[str, str]]:
    return {r.key: (r.domain.lower(), r.range.lower()) for r in schema.relations}


def _kinds(example: Example, label: str, roles: Mapping[str, tuple[str, str]]) -> set[str]:
    """Labels of the classes that this argument is in by its relations."""
    found = set()
    for t in example.triples:
        domain, range_ = roles.get(t.relation, ("", ""))
        if t.subject == label and domain:
            found.add(domain)
        if t.object == label and range_:
            found.add(range_)
    return found


def _other_digits(surface: str, rng: random.Random) -> str:
    """Another number of as many digits; a year stays in its century or the one beside."""

    def another(match: re.Match[str]) -> str:
        digits = match[0]
        if len(digits) == 4 and digits[0] in "12":
            return str(rng.randint(1880, 2019))
        if len(digits) <= 2:
            return str(rng.randint(1, 28)).zfill(len(digits)) if len(digits) == 2 else str(rng.randint(1, 9))
        return str(rng.randint(1, 9)) + "".join(str(rng.randint(0, 9)) for _ in digits[1:])

    return re.sub(r"\d+", another, surface)
