"""The merged view of several packs: what extraction, gate, fusion and explorer read of the ontology."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Literal

import pyoxigraph as ox

from kgfuse.errors import PackError, UsageError
from kgfuse.ontology import reading
from kgfuse.ontology.limits import Limit, by_property, read_limits
from kgfuse.ontology.pack import Class, Pack, Property, Term, expand
from kgfuse.ontology.reading import Index
from kgfuse.terms.namespaces import KGF, OWL, PREFIXES, SKOS, label_key


class Vocabulary:
    """Classes, properties and lexicon of several packs together.

    Attributes:
        packs: in the order given.
        prefixes: kgfuse's own, then those of the packs.
        classes, properties, terms: by IRI.

    Raises:
        PackError: a pack does not parse, or two packs declare one prefix for two namespaces.
    """

    def __init__(self, packs: Sequence[Pack]) -> None:
        self.packs = tuple(packs)
        self.prefixes = _merge_prefixes(packs)
        self._index = Index(dict.fromkeys(t for pack in packs for t in pack.triples))
        self._property_parents = _closure(
            {p: self._index.nodes(p, reading.SUBPROPERTY) for p in reading.properties_of(self._index)}
        )
        names = reading.classes_of(self._index)
        self._disjoint = self._read_disjoint()
        self.classes: dict[str, Class] = {c: self._class(c) for c in names}
        self._ancestors = _closure({c: list(k.parents) for c, k in self.classes.items()})
        self.properties: dict[str, Property] = {p: self._property(p) for p in self._property_parents}
        self.terms: dict[str, Term] = dict(self._read_terms())

    @cached_property
    def sha256(self) -> str:
        """Hash over the packs, in their order."""
        h = hashlib.sha256()
        for pack in self.packs:
            h.update(f"{pack.name}\0{pack.sha256}\0".encode())
        return h.hexdigest()

    # hierarchy

    def ancestors(self, cls: str) -> frozenset[str]:
        """The class and all above it."""
        return self._ancestors.get(cls) or frozenset((cls,))

    def descendants(self, cls: str) -> frozenset[str]:
        """The class and all below it."""
        return self._descendants.get(cls) or frozenset((cls,))

    def subproperties(self, iri: str) -> frozenset[str]:
        """The property and all below it."""
        return frozenset({iri, *(p for p, k in self.properties.items() if iri in k.parents)})

    def mirrors(self, iri: str) -> tuple[str, ...]:
        """Properties that say the same with subject and object exchanged: inverses, and a symmetric one itself."""
        symmetric = OWL + "SymmetricProperty" in self._index.nodes(iri, reading.TYPE)
        return tuple(sorted({*self._inverses.get(iri, ()), *((iri,) if symmetric else ())}))

    @cached_property
    def _descendants(self) -> dict[str, frozenset[str]]:
        below: defaultdict[str, set[str]] = defaultdict(set)
        for cls, above in self._ancestors.items():
            for a in above:
                below[a].add(cls)
        return {c: frozenset(b) | {c} for c, b in below.items()}

    def are_disjoint(self, a: str, b: str) -> bool:
        """True where the ontology says that nothing can be both."""
        above_b = self.ancestors(b)
        return any(not self._disjoint.get(x, frozenset()).isdisjoint(above_b) for x in self.ancestors(a))

    @cached_property
    def limits(self) -> Mapping[str, tuple[tuple[Limit, bool], ...]]:
        """What limits each property's values, and whether the property says it with its ends exchanged."""
        files = ((pack, pack.file("shapes.ttl")) for pack in self.packs)
        shapes = [Index(pack.parse(file).triples) for pack, file in files if file is not None]
        return by_property(read_limits(self._index, shapes), self.subproperties, self.mirrors)

    # names

    def expand(self, name: str) -> str:
        """IRI of ``prefix:name``, ``<iri>`` or an absolute IRI.

        Raises:
            UsageError: the prefix is unknown.
        """
        try:
            return expand(name, self.prefixes)
        except PackError as error:
            known = ", ".join(sorted(self.prefixes))
            raise UsageError(error.what, remedy=f"known prefixes: {known}; or write the whole IRI") from error

    def shrink(self, iri: str) -> str:
        """``prefix:name`` where a prefix fits, else the IRI itself."""
        for prefix, namespace in self._namespaces:
            if iri.startswith(namespace) and _is_local(local := iri[len(namespace) :]):
                return f"{prefix}:{local}"
        return iri

    @cached_property
    def _namespaces(self) -> list[tuple[str, str]]:
        return sorted(self.prefixes.items(), key=lambda item: (-len(item[1]), item[0]))

    def find(self, label: str) -> list[Term]:
        """Lexicon terms with this name, whatever its case, spaces and hyphens; classes first, then by IRI."""
        return list(self.lexicon.get(label_key(label), ()))

    @cached_property
    def lexicon(self) -> Mapping[str, tuple[Term, ...]]:
        """Terms by the comparison form of each name (`label_key`)."""
        found: defaultdict[str, dict[str, Term]] = defaultdict(dict)
        for term in self.terms.values():
            for name in term.names:
                found[label_key(name)][term.iri] = term
        found.pop("", None)
        return {k: tuple(sorted(v.values(), key=lambda t: (t.kind, t.iri))) for k, v in found.items()}

    @cached_property
    def ner_classes(self) -> Mapping[str, str]:
        """Class IRI by entity label of spaCy; where several packs claim a label, the last pack wins."""
        found: dict[str, str] = {}
        for pack in self.packs:
            claims = [(reading.key(t.subject), t.object) for t in pack.triples if t.predicate.value == KGF + "nerLabel"]
            found |= {o.value: s for s, o in sorted(claims, key=str) if isinstance(o, ox.Literal)}
        return found

    def label(self, iri: str) -> str:
        """Label of a class, property or term; made from the IRI where there is none."""
        known = self.classes.get(iri) or self.properties.get(iri) or self.terms.get(iri)
        return known.label if known else (self._index.texts(iri, *reading.LABELS) or [reading.readable(iri)])[0]

    # reading

    def _class(self, iri: str) -> Class:
        index = self._index
        parents = [n for p in index.nodes(iri, reading.SUBCLASS) for n in self._above(p)]
        for other in index.nodes(iri, OWL + "equivalentClass"):
            parents += self._above(other)
        parents += self._equivalents.get(iri, ())
        for head in index.nodes(iri, OWL + "intersectionOf"):
            parents += [n for m in index.members(head) for n in self._above(m)]
        return Class(
            iri=iri,
            label=self._label(iri),
            definition=self._definition(iri),
            parents=tuple(sorted({p for p in parents if p != iri})),
            disjoint=tuple(sorted(self._disjoint.get(iri, ()))),
            display_colour=index.one(iri, KGF + "displayColour"),
            ner=tuple(sorted(index.texts(iri, KGF + "nerLabel"))),
        )

    def _above(self, expression: str) -> list[str]:
        """Named classes that all members of an expression are in: itself, or the named parts of an intersection."""
        if not expression.startswith("_:"):
            return [] if expression in reading.THINGS else [expression]
        heads = self._index.nodes(expression, OWL + "intersectionOf")
        return [m for h in heads for m in self._index.members(h) if not m.startswith("_:") and m not in reading.THINGS]

    @cached_property
    def _equivalents(self) -> dict[str, list[str]]:
        """The other direction of ``owl:equivalentClass`` between named classes."""
        found: defaultdict[str, list[str]] = defaultdict(list)
        for s in self._index.subjects(OWL + "equivalentClass"):
            for o in self._index.nodes(s, OWL + "equivalentClass"):
                if not s.startswith("_:") and not o.startswith("_:"):
                    found[o].append(s)
        return found

    def _read_disjoint(self) -> dict[str, frozenset[str]]:
        index = self._index
        groups: list[Sequence[str]] = []
        for s in index.subjects(OWL + "disjointWith"):
            groups += [(s, o) for o in index.nodes(s, OWL + "disjointWith")]
        for s in index.subjects(OWL + "members"):
            if OWL + "AllDisjointClasses" in index.nodes(s, reading.TYPE):
                groups += [index.members(h) for h in index.nodes(s, OWL + "members")]
        for s in index.subjects(OWL + "disjointUnionOf"):
            groups += [index.members(h) for h in index.nodes(s, OWL + "disjointUnionOf")]
        found: defaultdict[str, set[str]] = defaultdict(set)
        for group in groups:
            named = {c for c in group if not c.startswith("_:")}
            for c in named:
                found[c] |= named - {c}
        return {c: frozenset(others) for c, others in found.items()}

    def _property(self, iri: str) -> Property:
        index = self._index
        types = set(index.nodes(iri, reading.TYPE))
        label = self._label(iri)
        triggers = [*index.texts(iri, KGF + "trigger"), label, *index.texts(iri, SKOS + "altLabel")]
        range_ = self._alternatives(iri, reading.RANGES, reading.DOMAINS)
        return Property(
            iri=iri,
            label=label,
            triggers=() if index.flag(iri, reading.NOT_IN_LEXICON) else tuple(dict.fromkeys(triggers)),
            definition=self._definition(iri),
            domain=self._alternatives(iri, reading.DOMAINS, reading.RANGES),
            range=range_,
            kind=self._kind(types, range_),
            mention_suffices=index.flag(iri, KGF + "mentionSuffices"),
            reveals_label=index.flag(iri, KGF + "revealsLabel"),
            functional=OWL + "FunctionalProperty" in types,
            parents=tuple(sorted(self._property_parents[iri] - {iri})),
        )

    def _alternatives(self, iri: str, predicates: Iterable[str], inverse: Iterable[str]) -> tuple[str, ...]:
        """Domain or range: as stated, else as the nearest property above states it, else the inverse's other side."""
        predicates, inverse = tuple(predicates), tuple(inverse)
        layer, seen = [iri], {iri}
        while layer:
            stated = self._stated(layer, predicates)
            if not stated:
                inverses = [q for p in layer for q in self._inverses.get(p, ())]
                stated = self._stated(inverses, inverse)
            if stated:
                return stated
            layer = [q for p in layer for q in self._index.nodes(p, reading.SUBPROPERTY) if q not in seen]
            seen.update(layer)
        return ()

    def _stated(self, properties: Iterable[str], predicates: tuple[str, ...]) -> tuple[str, ...]:
        found = {n for p in properties for e in self._index.nodes(p, *predicates) for n in self._index.named(e)}
        return tuple(sorted(found))

    @cached_property
    def _inverses(self) -> dict[str, list[str]]:
        found: defaultdict[str, list[str]] = defaultdict(list)
        for s in self._index.subjects(OWL + "inverseOf"):
            for o in self._index.nodes(s, OWL + "inverseOf"):
                if not s.startswith("_:") and not o.startswith("_:"):
                    found[s].append(o)
                    found[o].append(s)
        return found

    def _kind(self, types: set[str], range_: tuple[str, ...]) -> Literal["object", "data", "annotation"]:
        if OWL + "DatatypeProperty" in types:
            return "data"
        if types & reading.OBJECT_TYPES:
            return "object"
        if OWL + "AnnotationProperty" in types:
            return "annotation"
        is_data = bool(range_) and all(reading.is_datatype(r, self._index) for r in range_)
        return "data" if is_data else "object"

    def _read_terms(self) -> Iterable[tuple[str, Term]]:
        index = self._index
        for iri, known in self.classes.items():
            if names := self._names(iri):
                yield iri, Term(iri, known.label, names, known.parents, "class")
        for iri in reading.individuals_of(index, self.classes):
            if iri not in self.classes and (names := self._names(iri)):
                types = {t for t in index.nodes(iri, reading.TYPE) if t != OWL + "NamedIndividual"} - reading.THINGS
                srgb = index.one(iri, KGF + "srgb")
                yield iri, Term(iri, self._label(iri), names, tuple(sorted(types)), "individual", srgb)

    def _names(self, iri: str) -> tuple[str, ...]:
        if self._index.flag(iri, reading.NOT_IN_LEXICON):
            return ()
        found = self._index.texts(iri, *reading.LABELS, *reading.SYNONYMS)
        is_declared = bool(self._index.nodes(iri, reading.TYPE, reading.SUBCLASS))
        if not found and is_declared and not reading.is_code(iri):
            found = [reading.readable(iri)]
        return tuple(n for n in found if label_key(n))

    def _label(self, iri: str) -> str:
        return (self._index.texts(iri, *reading.LABELS) or [reading.readable(iri)])[0]

    def _definition(self, iri: str) -> str:
        for predicate in reading.DEFINITIONS:
            if found := self._index.texts(iri, predicate):
                return found[0]
        return ""


def _merge_prefixes(packs: Sequence[Pack]) -> dict[str, str]:
    merged = dict(PREFIXES)
    owner: dict[str, Pack] = {}
    for pack in packs:
        for prefix, namespace in pack.declared_prefixes.items():
            if prefix in owner and merged[prefix] != namespace:
                raise PackError(
                    f"prefix {prefix!r} stands for {merged[prefix]} in pack {owner[prefix].name!r} "
                    f"and for {namespace} in pack {pack.name!r}",
                    where=pack.path,
                    remedy="rename it in one of them, or use the packs in two workspaces",
                )
            owner.setdefault(prefix, pack)
            merged[prefix] = namespace
    for pack in packs:
        for prefix, namespace in pack.prefixes.items():
            merged.setdefault(prefix, namespace)
    return merged


def _closure(parents: Mapping[str, Sequence[str]]) -> dict[str, frozenset[str]]:
    """Reflexive-transitive closure; members of a cycle are each above one another."""
    found: dict[str, frozenset[str]] = {}
    for node in parents:
        above, stack = {node}, [node]
        while stack:
            here = stack.pop()
            if here != node and here in found:
                above |= found[here]
                continue
            fresh = [p for p in parents.get(here, ()) if p not in above]
            above.update(fresh)
            stack += fresh
        found[node] = frozenset(above)
    return found


def _is_local(name: str) -> bool:
    return bool(name) and all(c.isalnum() or c in "_-." for c in name) and not name.endswith(".")
