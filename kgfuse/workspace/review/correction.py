"""What a person types to correct a statement, made into one: names, properties and words that stand in the text."""

from __future__ import annotations

import difflib
from dataclasses import replace

from kgfuse.errors import UsageError
from kgfuse.extract.values import is_valid, value_of
from kgfuse.ontology import Vocabulary
from kgfuse.ontology.pack import Property
from kgfuse.terms.mentions import REVIEW, Mention, Node, Statement, TextSpan, Value
from kgfuse.terms.namespaces import RDF, RDFS, XSD, label_key

_TYPE = RDF + "type"


def corrected(
    statement: Statement,
    text: str | None,
    vocabulary: Vocabulary,
    *,
    subject: str | None = None,
    property: str | None = None,
    object: str | None = None,
) -> Statement:
    """The statement with other ends or another property.

    Args:
        statement: as it was found.
        text: of the source; ``None`` where it has none.
        vocabulary: names.
        subject: words that stand in the text, the label of something that the ontologies know, a CURIE or an IRI;
            ``None`` keeps what it was.
        property: its label, CURIE or IRI.
        object: as the subject; for a data property, the value.

    Raises:
        UsageError: nothing changes, or something is neither in the text nor known.
    """
    iri = statement.predicate if property is None else property_iri(property, vocabulary)
    known = vocabulary.properties.get(iri)
    around = _around(statement)
    new_subject: Node = statement.subject
    if subject is not None:
        new_subject = _thing(subject, text, around, vocabulary, statement.source)
    new_object: Node | Value = statement.object
    place: Mention | None = None
    if object is not None and known is not None and known.kind == "data":
        new_object = _literal(object, known)
        place = _mention(object, text, around, statement.source)
    elif object is not None:
        new_object = _thing(object, text, around, vocabulary, statement.source)
    if (new_subject, iri, new_object) == (statement.subject, statement.predicate, statement.object):
        raise UsageError("the correction changes nothing", remedy="accept the statement, or give other words")
    ends = tuple(n for n in (new_subject, new_object, place) if isinstance(n, Mention))
    old = tuple(n for n in (statement.subject, statement.object) if isinstance(n, Mention))
    kept = tuple(m for m in statement.evidence if m not in old or m in ends)
    return replace(
        statement, subject=new_subject, predicate=iri, object=new_object, evidence=tuple(dict.fromkeys((*ends, *kept)))
    )


def property_iri(name: str, vocabulary: Vocabulary) -> str:
    """IRI of a property by label, trigger, CURIE or IRI.

    Raises:
        UsageError: none has this name; the message lists the nearest.
    """
    if name in (_TYPE, "rdf:type", "type", "is a", "a"):
        return _TYPE
    key = label_key(name)
    properties = vocabulary.properties
    labelled = sorted(p.iri for p in properties.values() if label_key(p.label) == key)
    if labelled:
        return labelled[0]
    expanded = vocabulary.expand(name) if ":" in name else name
    if expanded in properties:
        return expanded
    told = sorted(p.iri for p in properties.values() if key in map(label_key, p.triggers))
    if told:
        return told[0]
    names = {p.label: p for p in properties.values()} | {vocabulary.shrink(i): p for i, p in properties.items()}
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    hint = f"did you mean {', '.join(near)}?" if near else "`kgfuse ontologies show PACK` lists them"
    raise UsageError(f"no property is called {name!r}", remedy=hint)


def _thing(words: str, text: str | None, around: TextSpan | None, vocabulary: Vocabulary, source: str) -> Node:
    words = words.strip()
    if not words:
        raise UsageError("a subject or object is empty", remedy="write words that stand in the text, or an IRI")
    if (found := _mention(words, text, around, source)) is not None:
        return found
    if "://" in words or words.startswith("urn:") or words.split(":")[0] in vocabulary.prefixes:
        return vocabulary.expand(words)
    if terms := vocabulary.find(words):
        return terms[0].iri
    raise UsageError(
        f"{words!r} does not stand in the text, and no ontology here knows it",
        remedy="write words exactly as they stand there, a label of the ontology, prefix:name or an IRI",
    )


def _mention(words: str, text: str | None, around: TextSpan | None, source: str) -> Mention | None:
    """The words where they stand: in the sentence first, else nearest to it; case counts only where it decides."""
    if not text:
        return None
    home = around.start if around else 0
    for haystack, needle in ((text, words), (text.lower(), words.lower())):
        if len(haystack) != len(text):  # a few capitals have longer small forms, which would shift every place
            continue
        starts = []
        at = haystack.find(needle)
        while at >= 0:
            if _is_whole(text, at, at + len(needle)):
                starts.append(at)
            at = haystack.find(needle, at + 1)
        if starts:
            inside = [s for s in starts if around and around.start <= s < around.end]
            start = inside[0] if inside else min(starts, key=lambda s: (abs(s - home), s))
            exact = text[start : start + len(needle)]
            return Mention(source, TextSpan(start, start + len(needle), exact), exact, REVIEW)
    return None


def _is_whole(text: str, start: int, end: int) -> bool:
    """No word is cut."""
    before = start > 0 and text[start - 1].isalnum() and text[start].isalnum()
    after = end < len(text) and text[end].isalnum() and text[end - 1].isalnum()
    return not before and not after


def _literal(words: str, prop: Property) -> Value:
    datatypes = tuple(r for r in prop.range if r != RDFS + "Literal") or (XSD + "string",)
    exact = [Value(words.strip(), d) for d in datatypes if is_valid(Value(words.strip(), d))]
    found = exact[0] if exact else value_of(words, datatypes)
    if found is None:
        wanted = " or ".join(d.rpartition("#")[2] for d in datatypes)
        raise UsageError(f"“{prop.label}” takes {wanted}, not {words!r}", remedy="write the value itself")
    return found


def _around(statement: Statement) -> TextSpan | None:
    spans = [m.selector for m in statement.evidence if isinstance(m.selector, TextSpan)]
    return max(spans, key=lambda s: (s.end - s.start, -s.start), default=None)
