"""Columns on disk, kept in step with the store: only graphs that were touched since are read again."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Final

import polars as pl
import pyoxigraph as ox

from kgfuse.graph.arrays import text_of as text
from kgfuse.graph.columns import ROWS, SPO, Columns, Draft
from kgfuse.graph.journal import ALL, Journal
from kgfuse.terms.namespaces import GRAPH_PROVENANCE, KGF, RDF

CURRENT: Final = "current"
_FORMAT: Final = 1
_CONFIDENCES: Final = f"""
SELECT ?s ?p ?o ?c ?g {{ GRAPH <{GRAPH_PROVENANCE}> {{
  ?st <{KGF}inGraph> ?g ; <{RDF}subject> ?s ; <{RDF}predicate> ?p ; <{RDF}object> ?o ; <{KGF}confidence> ?c }} }}"""


def synchronised(raw: ox.Store, columns: Columns, touched: set[str], holding: set[str]) -> Columns:
    """Columns that say what the store says, those graphs read again that were touched, are new or are gone.

    Args:
        raw: the store.
        columns: as they were.
        touched: graphs that may have changed; ``*`` for all.
        holding: the named graphs that hold, as the store has them now.
    """
    known = set(columns.graphs)
    stale = holding | known if ALL in touched else (touched & (holding | known)) | (holding ^ known)
    if not stale:
        return columns
    draft = Draft(columns)
    for graph in sorted(stale):
        draft.put(graph, read_graph(raw, draft, graph) if graph in holding else draft.rows("").clear())
    return draft.finish()


def read_graph(raw: ox.Store, draft: Draft, graph: str) -> pl.DataFrame:
    """A named graph as rows, with the confidences of its statement nodes."""
    name = ox.NamedNode(graph)
    data = raw.dump(format=ox.RdfFormat.N_TRIPLES, from_graph=name) or b""
    rows = draft.encode(data)
    said = raw.query(_CONFIDENCES, substitutions={ox.Variable("g"): name})
    assert isinstance(said, ox.QuerySolutions)
    found = [(f"{row['s']} {row['p']} {row['o']} .\n", float(text(row["c"]))) for row in said]
    if not found:
        return rows
    known = draft.encode("".join(line for line, _ in found).encode(), [c for _, c in found])
    joined = rows.drop("c").join(known, on=SPO, how="left", maintain_order="left")
    return joined.with_columns(pl.col("c").fill_null(1.0)).select(*ROWS)


def save(columns: Columns, folder: Path) -> None:
    """Write columns; a process that is killed meanwhile leaves the former ones."""
    folder.mkdir(parents=True, exist_ok=True)
    name = str(1 + max((int(p.name) for p in folder.iterdir() if p.name.isdigit()), default=0))
    new = folder / name
    new.mkdir()
    columns.terms.to_frame("term").write_ipc(new / "terms.arrow", compression="uncompressed")
    parts = [pl.DataFrame(schema=ROWS), *columns.graphs.values()]
    pl.concat(parts, rechunk=True).write_ipc(new / "rows.arrow", compression="uncompressed")
    record = {"format": _FORMAT, "graphs": [[graph, len(rows)] for graph, rows in columns.graphs.items()]}
    (new / "graphs.json").write_text(json.dumps(record), encoding="utf-8")
    partial = folder / f".{CURRENT}"
    partial.write_text(name, encoding="utf-8")
    partial.replace(folder / CURRENT)
    for old in folder.iterdir():
        if old.name.isdigit() and old.name != name:
            shutil.rmtree(old, ignore_errors=True)


def load(folder: Path, journal: Journal) -> Columns:
    """The columns last written; none, and every graph marked as touched, where they are missing or damaged."""
    try:
        current = folder / (folder / CURRENT).read_text(encoding="utf-8").strip()
        record = json.loads((current / "graphs.json").read_text(encoding="utf-8"))
        if record["format"] != _FORMAT:
            raise ValueError("another format")
        terms = pl.read_ipc(current / "terms.arrow")["term"].set_sorted()
        rows = pl.read_ipc(current / "rows.arrow")
        if sum(n for _, n in record["graphs"]) != len(rows):
            raise ValueError("cut short")
    except (OSError, ValueError, KeyError, TypeError, pl.exceptions.PolarsError):
        journal.touch(ALL)
        return Columns.empty()
    graphs, start = {}, 0
    for graph, n in record["graphs"]:
        graphs[graph] = rows.slice(start, n)
        start += n
    return Columns(terms, graphs)
