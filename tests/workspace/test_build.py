"""``build`` and ``remove``: what the graph holds, what is done again and what is not, and that order plays no part."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pyoxigraph as ox
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kgfuse import Workspace
from kgfuse.errors import UsageError
from kgfuse.extract import registry
from kgfuse.graph.store import holds
from kgfuse.terms.mentions import Mention, Statement, TextSpan
from kgfuse.terms.namespaces import GRAPH_PROVENANCE, KGF, OA, PROV, RDF, source_iri
from kgfuse.workspace.extraction import extractions
from tests.workspace.samples import FG, ITEM, TEXTS, graph_hash, manifest, shape, texts, workspace

ALL = {"extract": {"extractors": ["text", "image"], "image": {"ocr": "off"}}}
RDF_FILE = "@prefix e: <urn:e/> . e:a e:near [ e:of <https://w3id.org/kgfuse/item/docs/owl> ] . e:b e:n 1 , 01 ."


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Texts, pictures, one that cannot be decoded, RDF good and bad, a manifest."""
    folder = texts(tmp_path_factory.mktemp("files") / "docs")
    for name, colour in (("owl", "brown"), ("saw", "grey"), ("pear", "green")):
        shape(folder / f"{name}.png", colour)
    (folder / "cut.png").write_bytes((folder / "owl.png").read_bytes()[:60])
    (folder / "facts.ttl").write_text(RDF_FILE)
    (folder / "broken.ttl").write_text("<urn:a> <urn:b>\n<urn:c> nonsense")
    elm = {
        "id": "elm",
        "name": "elm",
        "type": "fg:Thing",
        "text": "The elm is tall. It has leaves.",
        "label": "fg:Plant",
    }
    manifest(folder, [elm | {"split": "train"}, elm | {"id": "oak", "name": "oak", "split": "test"}])
    return folder


@pytest.fixture(scope="module")
def built(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """A workspace of all that, built; tests only read it."""
    with workspace(tmp_path_factory.mktemp("kept") / "ws", folder, settings=ALL) as ws:
        yield ws


@pytest.fixture
def ws(tmp_path: Path) -> Iterator[Workspace]:
    """A workspace of three texts, built."""
    with workspace(tmp_path / "ws", texts(tmp_path / "docs")) as ws:
        yield ws


# what the graph holds


def test_nothing_that_was_extracted_stands_without_a_statement_node_of_run_confidence_and_mention(
    built: Workspace,
) -> None:
    provenance = {g: set() for g in ("run", "confidence", "mention")}
    told: dict[str, set[str]] = {}
    names = {PROV + "wasGeneratedBy": "run", KGF + "confidence": "confidence", PROV + "wasDerivedFrom": "mention"}
    for q in built.graph.store.quads(graph=GRAPH_PROVENANCE):
        if q.predicate.value in names:
            provenance[names[q.predicate.value]].add(str(q.subject))
        if q.predicate.value in (RDF + "subject", RDF + "predicate", RDF + "object", KGF + "inGraph"):
            told.setdefault(str(q.subject), set()).add(str(q.object))
    assert len(told) > 20
    assert told.keys() == provenance["run"] == provenance["confidence"] == provenance["mention"]
    stated = {frozenset(terms) for terms in told.values()}
    extracted = [r for r in built.sources() if r.kind in ("text", "image") and r.parent is not None]
    assert extracted
    for row in extracted:
        graph = source_iri(row.name)
        for q in built.graph.store.quads(graph=graph):
            terms = {str(q.subject), str(q.predicate), str(q.object), f"<{graph}>"}
            assert frozenset(terms) in stated, f"{row.name} says {q.triple} without a statement node"


def test_every_mention_is_the_very_characters_it_names(built: Workspace) -> None:
    store, count = built.graph.store, 0
    stored = {source_iri(r.name): r for r in built.sources()}
    for q in store.quads(None, ox.NamedNode(OA + "hasSource"), None, GRAPH_PROVENANCE):
        found: dict[str, Any] = {}
        for s in store.quads(q.subject, ox.NamedNode(OA + "hasSelector"), None, GRAPH_PROVENANCE):
            for p in store.quads(s.object, None, None, GRAPH_PROVENANCE):  # type: ignore[arg-type]
                found[p.predicate.value.removeprefix(OA)] = getattr(p.object, "value", "")
        row = stored[q.object.value]  # type: ignore[union-attr]
        if row.text_sha256 and "start" in found:
            text = built._parts.blobs.read_text(row.text_sha256)
            assert text[int(found["start"]) : int(found["end"])] == found["exact"]
            count += 1
    assert count > 10


ODD = st.text(
    st.one_of(
        st.sampled_from("The owl eats mice. It lives in forests.\r\n\t\u2028\u00ad\u200d\u0301🦉👩‍🌾٣\u202e\ufeff"),
        st.characters(exclude_categories=("Cs",), exclude_characters="\0"),
    ),
    max_size=60,
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=ODD, between=ODD, after=ODD)
def test_mentions_are_exact_on_any_text(built: Workspace, before: str, between: str, after: str) -> None:
    from kgfuse.extract.running import extract_one
    from kgfuse.terms.mentions import Source

    text = f"{before} The owl eats mice. {between}\r\nE\u0301tienne met the o\u0308wl in 1984. {after}"
    extractor = next(e for e in built._parts.extractors if e.name == "text")
    source = Source(source_iri("a"), "a", "text", "text/plain", "0" * 64, ITEM + "a", "owl", (), text)
    found = extract_one(extractor, source)  # checks each place as it comes in
    for mention in (*found.mentions, *(m for s in found.statements for m in s.evidence)):
        assert isinstance(mention.selector, TextSpan)
        assert text[mention.selector.start : mention.selector.end] == mention.selector.exact


def test_thousands_of_extractions_hold_their_run_s_parameters_once(built: Workspace) -> None:
    by_run: dict[str, set[int]] = {}
    found = list(extractions(built._parts))
    for one in found:
        by_run.setdefault(one.run, set()).add(id(one.parameters))
    assert len(found) > len(by_run)
    assert {len(held) for held in by_run.values()} == {1}


def test_the_default_graph_is_exactly_what_holds(built: Workspace) -> None:
    store = built.graph.store
    said = {q.triple for g in store.graphs() if holds(g) for q in store.quads(graph=g)}
    assert {q.triple for q in store.quads()} == said
    assert not any(q.predicate.value.startswith(OA) for q in store.quads())


def test_labels_of_training_items_are_in_the_graph_and_those_of_test_items_are_not(built: Workspace) -> None:
    ask = "ASK { { item:%s a fg:Plant } UNION { GRAPH ?g { item:%s a fg:Plant } } }"
    assert bool(built.query(ask % ("elm", "elm")))
    assert not bool(built.query(ask % ("oak", "oak")))


def test_imported_triples_are_in_the_graph_of_their_source_without_blank_nodes(built: Workspace) -> None:
    quads = list(built.graph.store.quads(graph=source_iri("docs/facts.ttl")))
    assert len(quads) == 3
    assert not any(isinstance(t, ox.BlankNode) for q in quads for t in (q.subject, q.object))


def test_what_cannot_be_decoded_or_parsed_is_a_problem_and_the_rest_goes_on(built: Workspace) -> None:
    problems = {p.place: p for p in built.problems()}
    assert problems.keys() == {"docs/cut.png", "docs/broken.ttl"}
    assert problems["docs/cut.png"].stage == "extract:image"
    assert "2" in problems["docs/broken.ttl"].message
    assert len(built._parts.catalog.extraction_keys()) == 3 + 3 + 2
    assert built.build().unchanged


# incremental


def test_a_second_build_does_nothing(ws: Workspace) -> None:
    before = graph_hash(ws)
    report = ws.build()
    assert (report.unchanged, report.extracted, report.graphs_written) == (True, 0, 0)
    assert graph_hash(ws) == before


def test_a_changed_file_is_read_again_and_no_other(ws: Workspace, tmp_path: Path) -> None:
    (tmp_path / "docs" / "saw.txt").write_text("The saw is made of bronze.")
    ws.add(tmp_path / "docs")
    report = ws.build()
    assert (report.extracted, report.graphs_written, report.unchanged) == (1, 1, False)
    assert "bronze" in str([str(q) for q in ws.graph.store.quads(graph=source_iri("docs/saw.txt"))]).lower()
    assert "steel" not in str([str(q) for q in ws.graph.store.quads(graph=source_iri("docs/saw.txt"))]).lower()


def test_any_order_of_adding_gives_the_same_graph(ws: Workspace, tmp_path: Path) -> None:
    docs = tmp_path / "docs"
    moved = {name: (docs / f"{name}.txt").rename(tmp_path / name) for name in TEXTS}
    with workspace(tmp_path / "other") as other:
        for name in reversed(TEXTS):
            moved[name].rename(docs / f"{name}.txt")
            other.add(docs)
            other.build()
        assert graph_hash(other) == graph_hash(ws)


def test_adding_and_removing_gives_back_the_same_graph(ws: Workspace, tmp_path: Path) -> None:
    before = graph_hash(ws)
    more = texts(tmp_path / "more", {"owl": "The owl eats voles.", "bat": "The bat eats moths. It lives in caves."})
    (more / "facts.ttl").write_text(RDF_FILE)
    shape(more / "owl.png", "brown")
    manifest(more, [{"id": "elm", "text": "The elm has leaves.", "label": "fg:Plant"}])
    ws.add(more)
    ws.build()
    changed = graph_hash(ws)
    assert ws.remove("more") == 6
    assert graph_hash(ws) == before != changed
    assert {r.name for r in ws.sources()} == {f"docs/{n}.txt" for n in TEXTS}
    assert {i.label for i in ws.items()} == set(TEXTS)


def test_removing_a_source_removes_exactly_what_only_it_says(tmp_path: Path) -> None:
    both = "The owl eats mice."
    folder = texts(tmp_path / "docs", {"owl": f"{both} It lives in the forest."})
    path = manifest(tmp_path / "m", [{"id": "docs/owl", "name": "owl", "text": both}])
    with workspace(tmp_path / "ws", folder, path) as ws:
        eats = f"ASK {{ item:docs%2Fowl <{FG}eats> ?x }}".replace("item:docs%2Fowl", f"<{ITEM}docs/owl>")
        lives = f"ASK {{ <{ITEM}docs/owl> <{FG}livesIn> ?x }}"
        assert bool(ws.query(eats))
        assert bool(ws.query(lives))
        ws.remove("docs/owl.txt")
        assert bool(ws.query(eats))
        assert not bool(ws.query(lives))
        assert source_iri("docs/owl.txt") not in ws.graph.store.graphs()
        assert not list(ws.graph.store.quads(None, None, ox.NamedNode(source_iri("docs/owl.txt")), None))


def test_remove_takes_a_name_a_path_or_a_folder_and_nothing_else(ws: Workspace, tmp_path: Path) -> None:
    for wrong in ("", "/", "docs/ow.txt", "docs/ow"):
        with pytest.raises(UsageError, match="no source is called"):
            ws.remove(wrong)
    assert ws.remove("docs/owl.txt") == 1
    assert ws.remove(str(tmp_path / "docs" / "saw.txt")) == 1
    assert ws.remove("docs/") == 1
    assert ws.sources() == []


# failures of extraction


class Moody:
    """An extractor from outside that fails on whatever text asks for it."""

    name = "moody"
    kinds = frozenset({"text"})
    fingerprint = "1"
    mended = False

    def extract(self, source: Any) -> Iterator[Any]:
        """Yield one mention, or fail."""
        if Moody.mended or "bad" not in source.text:
            yield Mention(source.iri, TextSpan(0, 1, source.text[0]), "x", "moody")
        elif "bad offsets" in source.text:
            yield Mention(source.iri, TextSpan(1, 3, "??"), "x", "moody")
        elif "bad evidence" in source.text:
            place = Mention(source.iri, TextSpan(0, 10**6, "x"), "x", "moody")
            yield Statement(source.item, KGF + "mentions", place, (place,), "moody", 1.0, "because", source.iri)
        elif "bad yield" in source.text:
            yield {"not": "a mention"}
        else:
            raise ZeroDivisionError("it was in a mood")


def moody(vocabulary: object, settings: object) -> Moody:
    """The factory that the entry point names."""
    return Moody()


@pytest.fixture
def with_moody(monkeypatch: pytest.MonkeyPatch) -> None:
    point = EntryPoint("moody", "tests.workspace.test_build:moody", registry.GROUP)
    monkeypatch.setattr(registry, "entry_points", lambda group: (point,))
    monkeypatch.setattr(Moody, "mended", False)


@pytest.mark.usefixtures("with_moody")
def test_an_extractor_that_fails_on_one_text_stops_nothing(tmp_path: Path) -> None:
    from tests.workspace import test_build as here

    here.Moody.mended = False
    odd = {n: f"A {n}." for n in ("bad mood", "bad offsets", "bad evidence", "bad yield")}
    folder = texts(tmp_path / "docs", {**odd, "good": "A good text."})
    settings = {"extract": {"extractors": ["moody"]}, "validate_shapes": False}
    with workspace(tmp_path / "ws", folder, settings=settings, build=False) as ws:
        report = ws.build()
        assert report.extracted == 1
        said = {p.place: p.message for p in ws.problems()}
        assert said.keys() == {f"docs/{n}.txt" for n in odd}
        assert "ZeroDivisionError: it was in a mood" in said["docs/bad mood.txt"]
        assert "characters 1 to 3 are not '??'" in said["docs/bad offsets.txt"]
        assert "gave a dict" in said["docs/bad yield.txt"]
        assert ws.build().extracted == 0, "what failed is not tried again by itself"
        assert len(ws.problems()) == 4
        ws.remove("docs/bad mood.txt")
        ws.add(folder)
        ws.build()
        assert len(ws.problems()) == 4, "added anew, it is tried anew"
        here.Moody.mended = True
        assert ws.build(retry=True).extracted == 4
        assert ws.problems() == []


def test_a_picture_that_could_not_be_decoded_is_read_once_it_is_mended(tmp_path: Path) -> None:
    path = shape(tmp_path / "docs" / "owl.png", "brown")
    whole = path.read_bytes()
    path.write_bytes(whole[:60])
    settings = {"extract": {"extractors": ["image"], "image": {"ocr": "off"}}, "validate_shapes": False}
    with workspace(tmp_path / "ws", tmp_path / "docs", settings=settings) as ws:
        assert len(ws.problems()) == 1
        path.write_bytes(whole)
        ws.add(tmp_path / "docs")
        assert ws.build().extracted == 1
        assert ws.problems() == []


def test_a_text_that_was_misread_is_extracted_again_under_the_right_encoding(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes("Käuzchen é. The owl eats mice.".encode("cp1252"))
    with workspace(tmp_path / "ws") as ws:
        assert "not valid UTF-8" in ws.add(tmp_path / "a.txt").problems[0]
        for encoding in ("cp437", "cp1252"):
            assert ws.add(tmp_path / "a.txt", encoding=encoding).problems == []
            assert ws.build().extracted == 1
        assert ws.build().unchanged
