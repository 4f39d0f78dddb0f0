"""The names in a manifest (types, labels, properties, other items) become IRIs."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kgfuse.catalog import ItemRow
from kgfuse.errors import ManifestError, UsageError
from kgfuse.ontology import Vocabulary
from kgfuse.terms.mentions import Value
from kgfuse.terms.namespaces import OWL, RDF, XSD, item_iri, label_key, local_name
from kgfuse.workspace.manifest import Entry, Scalar

RDF_TYPE = RDF + "type"
OWL_CLASS = OWL + "Class"


@dataclass(frozen=True, slots=True)
class Names:
    """What a name in a manifest may stand for: another of its items, a CURIE or IRI, a label of the packs."""

    vocabulary: Vocabulary
    items: Mapping[str, str]

    def class_or_item(self, name: str) -> str:
        """IRI of a class or item.

        Raises:
            UsageError: nothing has this name; the message lists the nearest.
        """
        if name in self.items:
            return self.items[name]
        if ":" in name and " " not in name:
            return self._known(self.vocabulary.expand(name), name)
        classes = [t.iri for t in self.vocabulary.find(name) if t.kind == "class"]
        if classes:
            return min(classes)
        raise UsageError(f"no class or item is called {name!r}", remedy=self._nearest(name))

    def property(self, name: str) -> str:
        """IRI of a property, by CURIE, IRI or label.

        Raises:
            UsageError: nothing has this name.
        """
        if ":" in name:
            return self.vocabulary.expand(name)
        key = label_key(name)
        found = [p.iri for p in self.vocabulary.properties.values() if label_key(p.label) == key]
        if not found:
            raise UsageError(f"no property is called {name!r}", remedy="see `kgfuse ontologies show PACK`")
        return min(found)

    def object(self, prop: str, value: Scalar) -> str | Value:
        """IRI or literal that a link points to, by what the property expects."""
        if isinstance(value, bool):
            return Value("true" if value else "false", XSD + "boolean")
        if isinstance(value, int):
            return Value(str(value), XSD + "integer")
        if isinstance(value, float):
            return Value(repr(value), XSD + "double")
        if value in self.items:
            return self.items[value]
        known = self.vocabulary.properties.get(prop)
        prefix = value.split(":", 1)[0]
        if ":" in value and " " not in value and (prefix in self.vocabulary.prefixes or "://" in value):
            return self.vocabulary.expand(value)
        if known is None or known.kind != "object":
            datatype = next((r for r in known.range if r.startswith(XSD)), XSD + "string") if known else XSD + "string"
            return Value(value, datatype)
        terms = self.vocabulary.find(value)
        return min(t.iri for t in terms) if terms else item_iri(value)

    def _known(self, iri: str, name: str) -> str:
        """The IRI, unless it lies in the namespace of a pack that does not have it: surely a slip of the pen."""
        v = self.vocabulary
        if iri in v.classes or iri in v.terms:
            return iri
        namespace = iri[: len(iri) - len(local_name(iri))]
        if any(c.startswith(namespace) for c in v.classes):
            raise UsageError(f"{name} is not in the ontologies of this workspace", remedy=self._nearest(name))
        return iri

    def _nearest(self, name: str) -> str:
        labels = [self.vocabulary.shrink(iri) for iri in self.vocabulary.classes] + list(self.items)
        near = difflib.get_close_matches(name, labels, n=3, cutoff=0.4)
        return f"did you mean {', '.join(near)}?" if near else "see `kgfuse ontologies show PACK`"


def item_row(entry: Entry, manifest: str, names: Names, path: Path) -> ItemRow:
    """The catalog's row for a manifest's line.

    Raises:
        ManifestError: a type, label or property that nothing knows, with the line.
    """
    try:
        types = (OWL_CLASS,) if entry.type in ("owl:Class", OWL_CLASS) else ()
        if entry.type and not types:
            types = (names.class_or_item(entry.type),)
        labels: dict[str, tuple[str, ...]] = {}
        for target, values in entry.labels().items():
            prop = names.property(target) if target else RDF_TYPE
            labels[prop] = tuple(names.class_or_item(v) for v in values)
        links: dict[str, tuple[object, ...]] = {}
        for prop_name, values_ in entry.links.items():
            prop = names.property(prop_name)
            links[prop] = tuple(_record(names.object(prop, v)) for v in values_)
    except UsageError as e:
        raise ManifestError(e.what, where=f"{path}:{entry.line}", remedy=e.remedy) from e
    return ItemRow(
        iri=item_iri(entry.id),
        identifier=entry.id,
        label=entry.name or "",
        types=types,
        manifest=manifest,
        split=entry.split,
        labels=labels,
        links=links,
        meta={} if entry.group is None else {"group": entry.group},
    )


def linked(item: ItemRow, prop: str) -> list[str | Value]:
    """What an item's links of one property point to."""
    return [v if isinstance(v, str) else Value(*v) for v in item.links.get(prop, ())]


def _record(value: str | Value) -> str | list[str]:
    """A link as the catalog keeps it."""
    return value if isinstance(value, str) else [value.lexical, value.datatype, value.language]
