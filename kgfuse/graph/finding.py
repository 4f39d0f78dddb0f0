"""Statements by pattern, source, confidence and time, each with its provenance."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Final, TypeAlias

from kgfuse.errors import UsageError
from kgfuse.graph.decoded import literal_parts, literal_values, number_of, texts_of
from kgfuse.graph.nodes import node
from kgfuse.graph.records import StatementRecord, provenance_of
from kgfuse.graph.store import GraphStore
from kgfuse.terms.mentions import Value
from kgfuse.terms.namespaces import XSD

if TYPE_CHECKING:
    import polars as pl

    from kgfuse.graph.columns import Columns

Moment: TypeAlias = date | datetime | str
_DAY: Final = timedelta(days=1)
_FIRST, _LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


def find(
    store: GraphStore,
    subject: str | None = None,
    predicate: str | None = None,
    object: str | Value | None = None,
    *,
    min_confidence: float = 0.0,
    source: str | None = None,
    since: Moment | None = None,
    until: Moment | None = None,
    time_property: str | None = None,
    limit: int | None = None,
) -> list[StatementRecord]:
    """Statements that hold and match; see ``KnowledgeGraph.statements``."""
    import polars as pl

    columns = store.columns
    rows = columns.edges if source is None else columns.graphs.get(source)
    if rows is None:
        return []
    for name, form in (
        ("s", subject and str(node(subject))),
        ("p", predicate and str(node(predicate))),
        ("o", None if object is None else str(node(object))),
    ):
        if form is not None:
            rows = rows.filter(pl.col(name) == number_of(columns, form))
    rows = rows.filter(pl.col("c") >= min_confidence - 1e-6)
    if since is not None or until is not None:
        rows = rows.filter(pl.col("s").is_in(_dated(columns, since, until, time_property).implode()))
    named = [columns.terms.gather(rows[name]) for name in "so"]
    addressable = ~(named[0].str.starts_with("_:") | named[0].str.starts_with("<<"))
    addressable &= ~(named[1].str.starts_with("_:") | named[1].str.starts_with("<<"))
    return _records(store, rows.filter(addressable), min_confidence, source, limit)


def _records(
    store: GraphStore, rows: pl.DataFrame, min_confidence: float, source: str | None, limit: int | None
) -> list[StatementRecord]:
    columns, found = store.columns, list[StatementRecord]()
    literals = columns.literals
    for s, p, o in rows.select("s", "p", "o").iter_rows():
        if limit is not None and len(found) >= limit:
            break
        subject, predicate = texts_of(columns, [s, p])
        value = texts_of(columns, [o])[0] if o >= literals else literal_values(columns.terms.gather([o]))[0]
        found += [
            r
            for r in provenance_of(store, subject, predicate, value)
            if r.status != "predicted" and r.confidence >= min_confidence and source in (None, r.source)
        ]
    return found[:limit]


def _dated(columns: Columns, since: Moment | None, until: Moment | None, time_property: str | None) -> pl.Series:
    """Subjects of which a date or time is stated that lies within."""
    import polars as pl

    first = _FIRST if since is None else span(since)[0]
    last = _LAST if until is None else span(until)[1]
    dated = columns.terms.slice(0, columns.literals).str.contains(rf"\^\^<{XSD}(date|dateTime|dateTimeStamp)>$")
    numbers = dated.arg_true()
    lexical = literal_parts(columns.terms.gather(numbers))["lexical"].to_list()
    within = []
    for number, text in zip(numbers.to_list(), lexical, strict=True):
        try:
            begins, ends = span(text)
        except UsageError:  # not every xsd:date is one of Python's: years before 1 and beyond 9999
            continue
        if begins <= last and ends >= first:
            within.append(number)
    rows = columns.edges.filter(pl.col("o").is_in(pl.Series(within, dtype=pl.UInt32).implode()))
    if time_property is not None:
        rows = rows.filter(pl.col("p") == number_of(columns, str(node(time_property))))
    return rows["s"].unique()


def span(moment: Moment) -> tuple[datetime, datetime]:
    """First and last instant of a day, or a time twice; what names no zone is taken as UTC.

    Raises:
        UsageError: the text is neither an ISO 8601 date nor time.

    >>> span("2024-05-01")[1].isoformat()
    '2024-05-01T23:59:59.999999+00:00'
    """
    if isinstance(moment, str):
        text = moment
        try:
            moment = date.fromisoformat(text) if len(text) <= len("2024-05-01") else datetime.fromisoformat(text)
        except ValueError:
            try:  # a day with a zone, as xsd:date may have
                start = datetime.fromisoformat(text[:10] + "T00:00:00" + text[10:])
            except ValueError:
                raise UsageError(f"{text!r} is neither a date nor a time", remedy="write it as 2024-05-01") from None
            return _whole_day(start)
    if isinstance(moment, datetime):
        at = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return at, at
    return _whole_day(datetime(moment.year, moment.month, moment.day, tzinfo=UTC))


def _whole_day(start: datetime) -> tuple[datetime, datetime]:
    return start, start + (_DAY - timedelta(microseconds=1))
