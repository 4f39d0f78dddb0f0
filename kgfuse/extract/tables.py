"""Tables: each mapped cell is a statement about its row's item, with the cell as evidence."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from kgfuse.extract.settings import ExtractSettings
from kgfuse.sources.columns import Cell, Columns, cells
from kgfuse.terms.mentions import Mention, Source, SourceKind, Statement, TextSpan, Value
from kgfuse.terms.namespaces import item_iri

if TYPE_CHECKING:
    from kgfuse.ontology.vocabulary import Vocabulary

_VERSION: Final = "1"
EXTRACTOR: Final = "table.cell"


class TableExtractor:
    """Says what the cells of a table say, by the mapping that came with it."""

    name = "table"
    kinds: frozenset[SourceKind] = frozenset(("table",))

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.parameters: dict[str, Any] = {"version": _VERSION, "vocabulary": vocabulary.sha256}
        self.fingerprint = hashlib.sha256(json.dumps(self.parameters, sort_keys=True).encode()).hexdigest()

    def extract(self, source: Source) -> Iterator[Mention | Statement]:
        """Yield a statement for each cell that says something; bad cells were told when the table was added."""
        if not source.text or not source.mapping:
            return
        columns = Columns.model_validate_json(source.mapping)
        for cell in cells(source.text, columns):
            if isinstance(cell, Cell):
                yield _statement(cell, source.iri)


def _statement(cell: Cell, source: str) -> Statement:
    span = TextSpan(cell.start, cell.start + len(cell.exact), cell.exact)
    place = Mention(source, span, cell.exact, EXTRACTOR, entity=cell.iri or None)
    thing: Mention | str | Value = place
    if cell.datatype:
        thing = Value(cell.lexical, cell.datatype, cell.language, cell.unit)
    elif cell.iri:
        thing = cell.iri
    return Statement(
        subject=item_iri(cell.item),
        predicate=cell.property,
        object=thing,
        evidence=(place,),
        extractor=EXTRACTOR,
        confidence=1.0,
        reason=f"column {cell.column!r} of the row of {cell.item}",
        source=source,
    )


def build(vocabulary: Vocabulary, settings: ExtractSettings) -> TableExtractor:
    """Return the extractor of tables."""
    return TableExtractor(vocabulary)
