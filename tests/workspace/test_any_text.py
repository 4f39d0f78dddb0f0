"""Whatever a text is written in, every mention is found at its code points: from the file's bytes to the graph."""

from __future__ import annotations

import shutil
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pyoxigraph as ox
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kgfuse import Workspace
from kgfuse.graph import provenance_terms as prov
from kgfuse.graph.nodes import text as text_of
from kgfuse.graph.records import mention_record
from kgfuse.sources.normal import normalise
from kgfuse.terms.mentions import TextSpan
from kgfuse.terms.namespaces import GRAPH_PROVENANCE, source_iri
from tests.workspace.samples import TEXT_ONLY

PIECES = (
    *("The owl eats mice.", "It lives in the forest.", "The heron has a long beak.", "A saw is made of steel."),
    *(
        "Der Uhu frisst Ma\u0308use.",
        "Le re\u0301sume\u0301 du hibou.",
        "狐は森に住んでいる。",
        "الثعلب يأكل الفئران.",
        "הינשוף אוכל עכברים.",
    ),
    *(
        "लोमड़ी जंगल में रहती है।",
        "👩‍👩‍👧‍👦🏳️‍🌈",
        "\U0001f989 owl",
        "\u202eowl\u202c",
        "Ｏｗｌ",
        "ﬁnch",
        "\u200bowl\u00ad",
        "o\u0323\u0302wl",
    ),
    *("\r\n", "\r", "\n\n", "\u2028", "\t", "\u00a0", "\x0c"),
)
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-32")
FORMS = ("NFC", "NFD", "NFKC", "NFKD")


@st.composite
def written(draw: st.DrawFn) -> tuple[str, bytes]:
    """A text that says something, and its bytes in some encoding that tells itself."""
    pieces = draw(
        st.lists(
            st.sampled_from(PIECES)
            | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=9),
            max_size=7,
        )
    )
    text = draw(st.sampled_from([" ", "\r\n", ""])).join(["The owl eats mice.", *pieces])
    text = unicodedata.normalize(draw(st.sampled_from(FORMS)), text) if draw(st.booleans()) else text
    return text, text.encode(draw(st.sampled_from(ENCODINGS)))


@pytest.fixture(scope="module")
def ws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    with Workspace.create(tmp_path_factory.mktemp("any") / "ws", ["field-guide"], TEXT_ONLY) as ws:
        yield ws


@settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))
@given(files=st.lists(written(), min_size=4, max_size=8))
def test_every_mention_stands_where_it_says(ws: Workspace, tmp_path: Path, files: list[tuple[str, bytes]]) -> None:
    docs = tmp_path / "docs"
    shutil.rmtree(docs, ignore_errors=True)
    docs.mkdir()
    for n, (_, data) in enumerate(files):
        (docs / f"{n}.txt").write_bytes(data)
    if ws.sources():
        ws.remove("docs")
    assert ws.add(docs, language="en").problems == []
    ws.build()
    store, found = ws.graph.store, 0
    for n, (written_text, _) in enumerate(files):
        text = normalise(written_text).text
        source = source_iri(f"docs/{n}.txt")
        for quad in store.quads(None, prov.HAS_SOURCE, ox.NamedNode(source), GRAPH_PROVENANCE):
            record = mention_record(store, text_of(quad.subject))
            assert record is not None
            assert isinstance(record.selector, TextSpan)
            assert text[record.selector.start : record.selector.end] == record.selector.exact
            found += 1
    assert found >= len(files)
    assert ws.check().findings == ()
