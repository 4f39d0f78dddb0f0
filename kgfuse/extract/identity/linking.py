"""Names of each source are linked to what gazetteers know, where one entry fits and no other does as well."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from kgfuse.extract.gating.joint import Candidate
from kgfuse.extract.identity.gazetteer import Entry, Gazetteer, choose, folded_words
from kgfuse.extract.identity.unify import Cluster, Key
from kgfuse.ontology.vocabulary import Vocabulary
from kgfuse.terms.mentions import TextSpan
from kgfuse.terms.namespaces import label_key


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person decided on two names, or what is known of them from before.

    Args:
        a, b: IRIs; ``b`` may be anything that has an IRI.
        same: whether they mean one thing.
        by: who decided; empty where the workspace's other sources did.
    """

    a: str
    b: str
    same: bool
    by: str = ""

    @property
    def reason(self) -> str:
        """For people."""
        return f"{self.by} says so" if self.by else "as in the workspace's other sources"


@dataclass(frozen=True, slots=True)
class Unclear:
    """A name that fits several entries, between which nothing decides; it is linked to none.

    Args:
        label: the name as it is written.
        source: where.
        iris: what it could stand for.
    """

    label: str
    source: str
    iris: tuple[str, ...]


@dataclass(slots=True)
class Links:
    """What was linked: entries by IRI, reasons by name and source, and what could not be decided."""

    entries: dict[str, Entry] = field(default_factory=dict)
    reasons: dict[Key, str] = field(default_factory=dict)
    unclear: tuple[Unclear, ...] = ()


def link(
    named: Iterable[Candidate],
    units: Mapping[Key, Cluster],
    vocabulary: Vocabulary,
    gazetteer: Gazetteer,
    wishes: Iterable[Wish] = (),
) -> Links:
    """Link units to entries, by name, type and the words of their source; the units get to know their links."""
    told = {(w.a, w.b): w for w in wishes}
    expected: defaultdict[Key, set[str]] = defaultdict(set)
    evidence: defaultdict[str, set[str]] = defaultdict(set)
    for one in named:
        s = one.statement
        prop = vocabulary.properties.get(s.predicate)
        ends = ((one.subject, prop.domain if prop else ()), (one.object, prop.range if prop else ()))
        for iri, classes in ends:
            if isinstance(iri, str) and len(classes) == 1 and (iri, s.source) in units:
                expected[iri, s.source].update(c for c in classes if c in vocabulary.classes)
        evidence[s.source].update(m.selector.exact for m in s.evidence if isinstance(m.selector, TextSpan))
    words: dict[str, frozenset[str]] = {}
    found = Links()
    unclear: list[Unclear] = []
    for key in sorted(units):
        unit = units[key]
        entries = gazetteer.find(label_key(unit.name.label)) or gazetteer.find(" ".join(unit.name.words))
        said = [told.get((key[0], e.iri)) for e in entries]
        entries = tuple(e for e, w in zip(entries, said, strict=True) if w is None or w.same)
        if not entries:
            continue
        source = key[1]
        if len(entries) > 1 and source not in words:
            words[source] = frozenset(w for text in evidence[source] for w in folded_words(text))
        entry, reason, several = choose(entries, unit.types | expected[key], words.get(source, frozenset()), vocabulary)
        for wish in said:
            if wish is not None and wish.same:
                entry, reason = next(e for e in entries if e.iri == wish.b), wish.reason
        if entry is not None:
            found.entries[entry.iri] = entry
            found.reasons[key] = f"{reason} ({entry.file})"
            unit.links.add(entry.iri)
        elif several:
            unit.unclear = True
            unclear.append(Unclear(unit.name.label, source, tuple(e.iri for e in several)))
    found.unclear = tuple(unclear)
    return found
