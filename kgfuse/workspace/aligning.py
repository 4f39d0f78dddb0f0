"""A workspace's texts, pictures and statements in spaces where they can be compared; learned when first asked for.

What is learned is kept in the workspace (``features/aligned``) for as long as its sources, settings and encoders are
the same, and made again after that. Labels are not read.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from kgfuse.catalog import SourceRow
from kgfuse.fuse import align_files
from kgfuse.fuse.align import LEAST_PAIRS, fit_alignment, words_alone
from kgfuse.fuse.blocks import fit_blocks, make_blocks
from kgfuse.fuse.config import TrainConfig
from kgfuse.fuse.data import MODALITIES, FloatArray, FusionData, Modality
from kgfuse.fuse.views import Alignment, View
from kgfuse.terms.namespaces import digest, source_iri
from kgfuse.workspace.dataset import image_features, prepared_text
from kgfuse.workspace.encoderview import arrays, encoder_view, text_features
from kgfuse.workspace.leakage import make_mask
from kgfuse.workspace.parts import OnEvent, Parts

if TYPE_CHECKING:
    from kgfuse.workspace.resolving import Resolved

FOLDER: Final = "aligned"
PAIRS: Final = tuple(itertools.combinations(MODALITIES, 2))


@dataclass(frozen=True, eq=False, slots=True)
class Shelf:
    """All that the workspace has of one modality, row by row.

    Args:
        items: IRI of what each row belongs to.
        sources: name of the source that each row is; empty for statements.
        view: the rows.
    """

    items: tuple[str, ...]
    sources: tuple[str, ...]
    view: View


@dataclass(frozen=True, eq=False, slots=True)
class Aligned:
    """Shelves by modality, and how any two of them compare.

    Args:
        fingerprint: of all that this was made from.
        shelves: those that hold anything.
        alignments: by pairs of modalities in the order text, image, graph.
    """

    fingerprint: str
    shelves: Mapping[Modality, Shelf]
    alignments: Mapping[tuple[Modality, Modality], Alignment]


def fingerprint(parts: Parts) -> str:
    """Of sources, graph, encoders and preprocessing."""
    rows = parts.catalog.sources()
    own = (f"{r.name} {r.sha256} {r.text_sha256} {r.item}" for r in rows)
    built = parts.catalog.get_state("built") or ""
    texts = json.dumps(parts.settings.preprocessing(), sort_keys=True)
    return digest(parts.text_encoder.sha256, parts.picture_key, texts, built, *sorted(own))


def aligned(parts: Parts, facts: Callable[[], Resolved] | None, on_event: OnEvent) -> Aligned:
    """Read the workspace's shelves and alignments; learn the latter where they are not there or not of this state.

    Args:
        parts: the workspace.
        facts: gives its resolved facts; ``None`` where no graph is built.
        on_event: told about progress.
    """
    sign = fingerprint(parts)
    folder = parts.folder / "features" / FOLDER
    shelves = _sources(parts, on_event)
    if (kept := align_files.load(folder, sign)) is not None:
        found, extra, about = kept
        if about["items"]:
            view = View(extra["values"], extra["words"])
            shelves["graph"] = Shelf(tuple(about["items"]), ("",) * len(about["items"]), view)
        return Aligned(sign, shelves, {pair: found[_name(pair)] for pair in PAIRS if _name(pair) in found})
    if facts is not None:
        on_event("statements", 0, 1, "")
        statements = _statements(parts, facts())
        if statements is not None:
            shelves["graph"] = statements
        on_event("statements", 1, 1, "")
    alignments = {}
    for number, pair in enumerate(PAIRS):
        on_event("align", number, len(PAIRS), " and ".join(pair))
        found_one = _fit(shelves, pair)
        if found_one is not None:
            alignments[pair] = found_one
    on_event("align", len(PAIRS), len(PAIRS), "")
    graph = shelves.get("graph")
    extra = {} if graph is None else {"values": graph.view.values, "words": graph.view.words}
    named = {_name(pair): one for pair, one in alignments.items()}
    align_files.save(folder, sign, named, extra, {"items": [] if graph is None else list(graph.items)})
    return Aligned(sign, shelves, alignments)


def spoken(parts: Parts, features: FloatArray) -> FloatArray:
    """(n, d_text) what the CNN sees in pictures, as the mean of the names of its classes by their probabilities.

    Zero where the CNN has no linear head on its features.

    Args:
        parts: the workspace.
        features: (n, dim) of pictures.
    """
    shares = parts.image_encoder.class_shares(features)
    if shares is None:
        return np.zeros((len(features), parts.text_encoder.dim), np.float32)
    return np.asarray(shares @ text_features(parts, list(parts.image_encoder.classes)), np.float32)


def _name(pair: tuple[Modality, Modality]) -> str:
    return "-".join(pair)


def _sources(parts: Parts, on_event: OnEvent) -> dict[Modality, Shelf]:
    """Texts and pictures, in the order of their names."""
    shelves: dict[Modality, Shelf] = {}
    rows = sorted(parts.catalog.sources(), key=lambda r: r.name)
    texts = [r for r in rows if r.text_sha256 is not None]
    on_event("encode", 0, len(rows), "")
    if texts:
        read = [prepared_text(parts, [parts.blobs.read_text(r.text_sha256 or "")]) for r in texts]
        vectors = text_features(parts, read)
        there = np.flatnonzero(np.abs(vectors).sum(axis=1) > 0)
        if len(there):
            shelves["text"] = _shelf([texts[n] for n in there], View(vectors[there], vectors[there]))
    on_event("encode", len(texts), len(rows), "")
    pictures = [r for r in rows if r.kind == "image"]
    if pictures:
        features, known = image_features(parts, [[parts.source(r)] for r in pictures])
        if known.any():
            own = features[known]
            found = [r for r, k in zip(pictures, known, strict=True) if k]
            shelves["image"] = _shelf(found, View(own, spoken(parts, own)))
    on_event("encode", len(rows), len(rows), "")
    return shelves


def _shelf(rows: Sequence[SourceRow], view: View) -> Shelf:
    return Shelf(tuple(r.item or source_iri(r.name) for r in rows), tuple(r.name for r in rows), view)


def _statements(parts: Parts, found: Resolved) -> Shelf | None:
    """The bag of each item's statements and its neighbours' names, as the fusion model reads them, without labels."""
    items = sorted(parts.catalog.items(), key=lambda i: i.iri)
    mask = make_mask(found.extractions, (), parts.vocabulary)
    graph = arrays(encoder_view(parts, found.resolution, mask, items), parts)
    at = {name: number for number, name in enumerate(graph.nodes)}
    count = len(items)
    none = np.zeros((count, 0), np.float32)
    data = FusionData(
        items=tuple(i.iri for i in items),
        item_node=np.array([at.get(i.iri, -1) for i in items], np.int64),
        text=none,
        text_mask=np.zeros(count, np.bool_),
        image=none,
        image_mask=np.zeros(count, np.bool_),
        graph=graph,
        targets=(),
    )
    rows = np.arange(count)
    spec, around = fit_blocks(data, rows, TrainConfig(modalities=("graph",)))
    if not spec.names:
        return None
    blocks = make_blocks(spec, data, around, rows)
    there = np.flatnonzero(np.any([blocks.present[name] for name in spec.names], axis=0))
    values = np.concatenate([blocks.values[name] for name in spec.names], axis=1)[there]
    blank = np.zeros((count, parts.text_encoder.dim), np.float32)
    words = blocks.values.get("surroundings", blank)[there]
    return Shelf(tuple(items[n].iri for n in there), ("",) * len(there), View(values, words))


def _fit(shelves: Mapping[Modality, Shelf], pair: tuple[Modality, Modality]) -> Alignment | None:
    """Learn from the items that are on both shelves; where they are few, compare words."""
    if pair[0] not in shelves or pair[1] not in shelves:
        return None
    left, right = (_by_item(shelves[name]) for name in pair)
    both = sorted(left.keys() & right.keys())
    if len(both) < LEAST_PAIRS:
        return words_alone(shelves[pair[0]].view, shelves[pair[1]].view, len(both))
    views = []
    for name, rows in zip(pair, (left, right), strict=True):
        own = shelves[name].view
        values = np.stack([own.values[rows[item]].mean(axis=0) for item in both])
        words = np.stack([own.words[rows[item]].mean(axis=0) for item in both])
        views.append(View(values, words))
    return fit_alignment(both, *views)


def _by_item(shelf: Shelf) -> dict[str, list[int]]:
    rows: dict[str, list[int]] = {}
    for number, item in enumerate(shelf.items):
        rows.setdefault(item, []).append(number)
    return rows
