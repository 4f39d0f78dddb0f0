"""What the verbs of a workspace share: folder, settings, catalog, store, ontologies and, once needed, models."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from kgfuse.catalog import Blobs, Catalog, ItemRow, SourceRow
from kgfuse.graph import GraphStore, KnowledgeGraph
from kgfuse.ontology import Pack, Vocabulary, load_all
from kgfuse.sources.places import TimePlaces, loads
from kgfuse.terms.mentions import Source
from kgfuse.terms.namespaces import RDFS, digest, label_key, source_iri
from kgfuse.workspace.links import linked
from kgfuse.workspace.settings import Settings

if TYPE_CHECKING:
    import pyoxigraph as ox

    from kgfuse.encode.cache import FeatureCache
    from kgfuse.encode.image import ImageEncoder
    from kgfuse.encode.text import TextEncoder
    from kgfuse.extract.identity.gazetteer import Gazetteer
    from kgfuse.extract.link import Known
    from kgfuse.extract.protocol import Extractor
    from kgfuse.reason.construct import ConstructRule
    from kgfuse.reason.proofs import Proof

SUBCLASS = RDFS + "subClassOf"

OnEvent: TypeAlias = Callable[[str, int, int, str], None]
"""Called with stage, done, total (0 where unknown) and a note; of the stage ``problem`` the note is a problem."""


def silent(stage: str, done: int, total: int, note: str) -> None:
    """Report nothing."""


@dataclass(frozen=True)
class Parts:
    """The open workspace behind :class:`kgfuse.Workspace`."""

    folder: Path
    settings: Settings
    catalog: Catalog
    store: GraphStore

    @cached_property
    def blobs(self) -> Blobs:
        """Stored bytes by content."""
        return Blobs(self.folder / "blobs")

    @cached_property
    def packs(self) -> list[Pack]:
        """The ontology packs, imports first."""
        return load_all(self.settings.ontologies)

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """The packs' merged view."""
        vocabulary = Vocabulary(self.packs)
        self.store.prefixes.update(vocabulary.prefixes)
        return vocabulary

    @cached_property
    def rules(self) -> list[ConstructRule]:
        """The packs' CONSTRUCT rules."""
        from kgfuse.reason.construct import parse_rules

        found = []
        for pack in self.packs:
            if pack.rules:
                where = str(pack.folder / "rules.rq") if pack.folder else pack.name
                found += parse_rules(pack.rules, where=where, prefixes=self.vocabulary.prefixes)
        return found

    @cached_property
    def graph(self) -> KnowledgeGraph:
        """Python views of the graph."""
        self.store.prefixes.update(self.vocabulary.prefixes)
        return KnowledgeGraph(self.store, self._prove)

    def _prove(self, subject: ox.NamedNode, predicate: ox.NamedNode, value: ox.NamedNode | ox.Literal) -> Proof | None:
        from kgfuse.reason.proofs import prove

        return prove(self.store, subject, predicate, value, rules=self.rules)

    @cached_property
    def features(self) -> FeatureCache:
        """Frozen features by content and model."""
        from kgfuse.encode.cache import FeatureCache

        return FeatureCache(self.folder / "features")

    @cached_property
    def text_encoder(self) -> TextEncoder:
        """The BERT that reads texts, labels and definitions."""
        from kgfuse.encode.text import TextEncoder

        return TextEncoder(self.settings.encoders.text or None, self.settings.encoders.device)

    @cached_property
    def image_encoder(self) -> ImageEncoder:
        """The CNN that looks at pictures: that of the image extractor where there is one."""
        for extractor in self.extractors:
            if hasattr(extractor, "on_features"):
                encoder: ImageEncoder = extractor.encoder  # type: ignore[attr-defined]
                return encoder
        from kgfuse.encode.image import ImageEncoder

        return ImageEncoder(self.settings.extract.image.model, self.settings.extract.image.device)

    @cached_property
    def picture_key(self) -> str:
        """Under which features of pictures are cached: the CNN's hash, and what was done to the picture before it."""
        pipeline, usual = self.settings.extract.image.pipeline, type(self.settings.extract.image.pipeline)()
        sha256 = self.image_encoder.sha256
        return sha256 if pipeline.record == usual.record else digest(sha256, json.dumps(pipeline.record))

    @cached_property
    def extractors(self) -> tuple[Extractor, ...]:
        """Built-in and installed extractors, in name order."""
        from kgfuse.extract.registry import build_all

        found = build_all(self.vocabulary, self.settings.extract)
        for extractor in found:
            if hasattr(extractor, "on_features"):
                extractor.on_features = lambda sha, features: self.looked.append((sha, features))
        return found

    @cached_property
    def gazetteer(self) -> Gazetteer | None:
        """Identifiers to link to, where the settings name files of them."""
        from kgfuse.extract.identity.gazetteer import Gazetteer

        files = [self.folder / name for name in self.settings.extract.gazetteers]
        return Gazetteer(files, self.vocabulary, self.folder / "gazetteers") if files else None

    @cached_property
    def looked(self) -> list[tuple[str, Any]]:
        """Picture features (content hash, vector) that extraction came by and the cache does not have yet."""
        return []

    def keep_features(self) -> None:
        """Move picture features from extraction into the cache."""
        if self.looked:
            import numpy as np

            shas, rows = zip(*self.looked, strict=True)
            self.features.put(self.picture_key, shas, np.stack(rows))
            self.looked.clear()

    def known_items(self, items: Iterable[ItemRow]) -> dict[str, Known]:
        """Items that texts may name, by the comparison form of their labels; of two with one label, the first IRI."""
        from kgfuse.extract.link import Known

        found: dict[str, Known] = {}
        for item in sorted(items, key=lambda i: i.iri):
            if item.label:
                found.setdefault(label_key(item.label), Known(item.iri, self.types(item)))
        return found

    def types(self, item: ItemRow) -> tuple[str, ...]:
        """What the gate takes an item to be: its types, or, for a class node, its superclasses."""
        superclasses = tuple(v for v in linked(item, SUBCLASS) if isinstance(v, str))
        return superclasses or item.types

    def source(self, row: SourceRow) -> Source:
        """What an extractor sees of a catalog row."""
        item = self.catalog.item(row.item) if row.item else None
        source = source_of(row, self.blobs)
        if item is None:
            return source
        return replace(source, item_label=item.label or None, item_types=self.types(item))


def source_of(row: SourceRow, blobs: Blobs) -> Source:
    """What an extractor sees of a catalog row, but for what its item is called and is."""
    return Source(
        iri=source_iri(row.name),
        name=row.name,
        kind=row.kind,
        media_type=row.media_type,
        sha256=row.sha256,
        item=row.item,
        text=blobs.read_text(row.text_sha256) if row.text_sha256 else None,
        path=blobs.path(row.sha256),
        language=row.meta.get("language", ""),
        mapping=row.meta.get("mapping", ""),
        transcription=json.dumps(row.meta["transcription"], sort_keys=True) if "transcription" in row.meta else "",
        heard=_heard(row, blobs),
    )


def _heard(row: SourceRow, blobs: Blobs) -> tuple[tuple[int, float], ...]:
    if row.kind != "audio" or "places" not in row.meta:
        return ()
    places = loads(blobs.read_bytes(row.meta["places"]))
    return places.heard if isinstance(places, TimePlaces) else ()
