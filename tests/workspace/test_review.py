"""A person's decision overrides extractors and gate, leaves its trace, belongs to its words, and can be taken back."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kgfuse import Workspace
from kgfuse.errors import UsageError
from kgfuse.workspace.review.cards import Card, made, undo
from kgfuse.workspace.settings import load, save
from tests.workspace.samples import FG, graph_hash, texts, workspace

OWL = {"owl": "The owl has feathers. It eats mice and lives in the forest. Fish is eaten by the owl."}
BOTH = {**OWL, "saw": "The saw is made of steel. It is used for cutting wood."}
EATS_MICE = "ASK { GRAPH ?g { ?owl fg:eats ent:mouse } }"


def card(ws: Workspace, relation: str, value: str, *, by: str = "Ada") -> Card:
    """The undecided card about this property and object."""
    (found,) = [c for c in ws.review(limit=None, reviewer=by) if (c.relation, c.object) == (relation, value)]
    return found


def yes(ws: Workspace, ask: str) -> bool:
    return bool(ws.query(ask))


def said(ws: Workspace, relation: str, value: str) -> bool:
    """Whether a source's graph, not the closure, says it of anything."""
    return yes(ws, f"ASK {{ GRAPH ?g {{ ?s {relation} {value} }} FILTER(STRSTARTS(STR(?g), STR(src:))) }}")


def test_every_extracted_statement_has_a_card_with_what_one_needs_to_judge_it(tmp_path: Path) -> None:
    with workspace(tmp_path / "ws", texts(tmp_path / "docs", OWL)) as ws:
        cards = ws.review(limit=None)
        assert {(c.subject, c.relation, c.object) for c in cards} >= {
            ("owl", "eats", "mouse"), ("owl", "has part", "feather"), ("owl", "eats", "living")
        }  # fmt: skip
        mice = card(ws, "eats", "mouse")
        assert mice.words == "It eats mice and lives in the forest."
        assert mice.source == "docs/owl.txt"
        assert not mice.turned_away
        assert card(ws, "eats", "living").turned_away.startswith("confidence")
        assert not any("mentions" in c.candidate.statement.predicate for c in cards)


def test_what_was_rejected_is_gone_and_never_comes_back_from_the_same_words(tmp_path: Path) -> None:
    docs = texts(tmp_path / "docs", OWL)
    with workspace(tmp_path / "ws", docs) as ws:
        assert yes(ws, EATS_MICE)
        card(ws, "eats", "mouse").reject()
        report = ws.build()
        assert not yes(ws, EATS_MICE)  # nor does it follow from “mouse eaten by owl”, which says the same
        assert [(r.rule, r.reason) for r in report.rejected if r.rule == "review"] == 2 * [
            ("review", "rejected by Ada")
        ]
        assert not ws.check().findings
        assert ("eats", "mouse") not in {(c.relation, c.object) for c in ws.review(limit=None)}
        for row in ws.sources():
            ws._parts.catalog.remove_extractions(row.name)
        ws.build()  # extracted anew
        assert not yes(ws, EATS_MICE)
        assert said(ws, "fg:hasPart", "fg:feather") or said(ws, "fg:hasPart", "?o")
    changed = load(tmp_path / "ws").model_dump()
    changed["extract"]["text"]["noun_chunks"] = True
    save(type(load(tmp_path / "ws"))(**changed), tmp_path / "ws")
    with Workspace.open(tmp_path / "ws") as ws:  # another extractor, so to speak
        assert ws.build().extracted
        assert not yes(ws, EATS_MICE)


def test_what_was_accepted_enters_whatever_the_gate_says_and_stays_when_machines_no_longer_find_it(
    tmp_path: Path,
) -> None:
    with workspace(tmp_path / "ws", texts(tmp_path / "docs", OWL)) as ws:
        assert not said(ws, "fg:eats", "fg:living")
        card(ws, "eats", "living").accept()
        report = ws.build()
        assert said(ws, "fg:eats", "fg:living")
        assert "living" not in str([r.statement.object for r in report.rejected if r.rule == "confidence"])
        (node,) = ws.graph.provenance_of("item:docs/owl", "fg:eats", "fg:living")
        assert node.confidence == 1.0
        assert node.reason.startswith("accepted by Ada; found by text.trigger")
        assert {m.selector.exact for m in node.mentions} >= {"It", "lives", "It eats mice and lives in the forest."}
        assert not ws.check().findings
    changed = load(tmp_path / "ws").model_dump()
    changed["extract"]["text"]["triggers"] = False
    save(type(load(tmp_path / "ws"))(**changed), tmp_path / "ws")
    with Workspace.open(tmp_path / "ws") as ws:
        ws.build()
        assert not said(ws, "fg:hasPart", "?o")
        assert said(ws, "fg:eats", "fg:living")
        assert not ws.check().findings
        (decision,), _ = ws.decisions()
        undo(ws, made(ws, decision.id[:6]))
        ws.build()
        assert not said(ws, "fg:eats", "fg:living")


def test_a_correction_takes_the_place_of_what_it_corrects(tmp_path: Path) -> None:
    with workspace(tmp_path / "ws", texts(tmp_path / "docs", OWL)) as ws:
        wrong = card(ws, "eats", "living")
        with pytest.raises(UsageError, match=r"'a moon' does not stand in the text"):
            wrong.correct(object="a moon")
        with pytest.raises(UsageError, match=r"no property is called 'lifes in'.*did you mean lives in"):
            wrong.correct(property="lifes in")
        with pytest.raises(UsageError, match="changes nothing"):
            wrong.correct(property="eats")
        wrong.correct(property="lives in", object="forest")
        ws.build()
        assert said(ws, "fg:livesIn", "fg:forest")
        assert not said(ws, "fg:eats", "fg:living")
        left = {(c.relation, c.object) for c in ws.review(limit=None)}
        assert not left & {("lives in", "forest"), ("eats", "living")}  # nobody is asked about an own correction
        (row,) = ws.query(
            "SELECT ?who ?s ?o { GRAPH kgf:provenance { ?r a kgf:Review ; kgf:decision 'corrected' ; kgf:reviewer"
            " ?who ; kgf:onPredicate fg:eats ; kgf:onObject ?o ; kgf:replacedBy ?node . ?node rdf:subject ?s ;"
            " rdf:predicate fg:livesIn ; rdf:object fg:forest } }"
        ).to_pandas().to_dict("records")  # fmt: skip
        assert row["who"] == "Ada"
        assert row["o"].endswith("living")
        assert not ws.check().findings


def test_rejecting_what_a_correction_led_to_leaves_neither(tmp_path: Path) -> None:
    with workspace(tmp_path / "ws", texts(tmp_path / "docs", OWL)) as ws:
        card(ws, "eats", "living").correct(object="mice")
        ws.build()
        assert yes(ws, EATS_MICE)
        card(ws, "eats", "mouse").reject()
        ws.build()
        assert not yes(ws, EATS_MICE)
        assert {d.row.decision for d in ws.decisions()[0]} == {"rejected"}


def test_decisions_are_provenance_without_a_clock(tmp_path: Path) -> None:
    hashes = []
    for n, order in enumerate((("eats", "has part"), ("has part", "eats"))):
        with workspace(tmp_path / f"ws{n}", texts(tmp_path / "docs", OWL)) as ws:
            for relation in order:
                if relation == "eats":
                    card(ws, "eats", "mouse").reject()
                else:
                    card(ws, "has part", "feather", by="Bo").accept()
                if n:
                    ws.build()
            ws.build()
            hashes.append(graph_hash(ws))
            rows = ws.query(
                "SELECT ?who ?what { GRAPH kgf:provenance { ?r kgf:reviewer ?who ; kgf:decision ?what } } ORDER BY ?who"
            ).to_pandas().values.tolist()  # fmt: skip
            assert rows == [["Ada", "rejected"], ["Bo", "accepted"]]
            assert all(d.row.decided_at for d in ws.decisions()[0])
    assert hashes[0] == hashes[1]


def test_a_rejection_is_not_found_among_what_is_said(tmp_path: Path) -> None:
    with workspace(tmp_path / "ws", texts(tmp_path / "docs", OWL)) as ws:
        card(ws, "eats", "mouse").reject()
        ws.build()
        assert not yes(ws, "ASK { GRAPH kgf:provenance { ?s rdf:predicate fg:eats ; rdf:object ent:mouse } }")
        assert ws.graph.provenance_of("item:docs/owl", "fg:eats", "ent:mouse") == []


def test_a_decision_lapses_visibly_with_its_words_and_holds_again_with_them(tmp_path: Path) -> None:
    docs = texts(tmp_path / "docs", OWL)
    with workspace(tmp_path / "ws", docs) as ws:
        card(ws, "eats", "mouse").reject()
        ws.build()
        texts(docs, {"owl": OWL["owl"] + " It flies."})
        ws.add(docs)
        report = ws.build()
        assert (report.decisions, report.lapsed) == (0, 1)
        assert yes(ws, EATS_MICE)
        again = card(ws, "eats", "mouse")
        assert again.candidate.before is not None
        assert again.to_dict()["before"] == "rejected by Ada"
        assert (tmp_path / "ws" / "examples.jsonl").read_text(encoding="utf-8") == ""
        texts(docs, OWL)
        ws.add(docs)
        report = ws.build()
        assert (report.decisions, report.lapsed) == (1, 0)
        assert not yes(ws, EATS_MICE)


def test_decisions_go_with_their_source_and_leave_no_trace(tmp_path: Path) -> None:
    saw = texts(tmp_path / "saw" / "docs", {"saw": BOTH["saw"]})
    with workspace(tmp_path / "plain", saw) as ws:
        plain = graph_hash(ws)
    with workspace(tmp_path / "ws", saw, texts(tmp_path / "owl" / "docs", OWL)) as ws:
        card(ws, "eats", "living").accept()
        card(ws, "eats", "mouse").reject()
        ws.build()
        assert len((tmp_path / "ws" / "examples.jsonl").read_text(encoding="utf-8").splitlines()) == 1
        ws.remove("docs/owl.txt")
        assert graph_hash(ws) == plain
        assert ws.decisions() == ([], [])
        assert (tmp_path / "ws" / "examples.jsonl").read_text(encoding="utf-8") == ""
        ws.add(tmp_path / "owl" / "docs")
        ws.build()
        assert yes(ws, EATS_MICE)


def test_decisions_become_examples_with_exact_offsets_and_foreign_lines_stay(tmp_path: Path) -> None:
    with workspace(tmp_path / "ws", texts(tmp_path / "docs", OWL)) as ws:
        file = tmp_path / "ws" / "examples.jsonl"
        mine = '{"text": "A fox.", "triples": []}'
        file.write_text(mine + "\n", encoding="utf-8")
        card(ws, "eats", "mouse").accept()
        card(ws, "eats", "living").correct(property="lives in", object="forest")
        card(ws, "has part", "feather").accept()
        first, *lines = file.read_text(encoding="utf-8").splitlines()
        assert first == mine
        examples = [json.loads(line) for line in lines]
        assert [e["text"] for e in examples] == ["The owl has feathers.", "It eats mice and lives in the forest."]
        _, second = examples
        assert [(t["rel"], t["sub"], t["obj"]) for t in second["rejected"]] == [(FG + "eats", "owl", "living")]
        assert {t["rel"] for t in second["triples"]} == {FG + "eats", FG + "livesIn"}
        for e in examples:
            for t in (*e["triples"], *e["rejected"]):
                surface = {e["text"][t[f"{end}_start"] : t[f"{end}_end"]] for end in ("sub", "obj")}
                assert surface <= {"It", "owl", "The owl", "mice", "lives", "forest", "feathers"}
        text = OWL["owl"]
        assert all(text[e["from"]["start"] :].startswith(e["text"]) for e in examples)


def test_a_reader_may_look_but_not_decide(tmp_path: Path) -> None:
    workspace(tmp_path / "ws", texts(tmp_path / "docs", OWL)).close()
    with Workspace.open(tmp_path / "ws", read_only=True) as ws:
        mice = card(ws, "eats", "mouse")
        with pytest.raises(UsageError, match="open for reading only"):
            mice.reject()


def test_an_unbuilt_workspace_has_nothing_to_review(tmp_path: Path) -> None:
    with (
        workspace(tmp_path / "ws", texts(tmp_path / "docs", OWL), build=False) as ws,
        pytest.raises(UsageError, match="not built"),
    ):
        ws.review()


ACTS = ("accept", "reject", "undo", "build", "correct")


@pytest.fixture(scope="module")
def undecided(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace that is built, and copied by whoever decides."""
    folder = tmp_path_factory.mktemp("undecided")
    workspace(folder / "ws", texts(folder / "docs", BOTH)).close()
    return folder / "ws"


@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
@given(plan=st.lists(st.tuples(st.sampled_from(ACTS), st.integers(0, 30)), min_size=2, max_size=8))
def test_the_way_to_a_set_of_decisions_plays_no_part(undecided: Path, plan: list[tuple[str, int]]) -> None:
    with tempfile.TemporaryDirectory() as name:
        with Workspace.open(shutil.copytree(undecided, Path(name) / "winding")) as ws:
            ids = sorted(c.id for c in ws.review(limit=None))
            for act, n in plan:
                _act(ws, act, ids[n % len(ids)])
            ws.build()
            assert not ws.check().findings
            winding, left = graph_hash(ws), {d.id: d for d in ws.decisions()[0]}
        with Workspace.open(shutil.copytree(undecided, Path(name) / "straight")) as ws:
            for row in sorted((d.row for d in left.values()), key=lambda row: row.key, reverse=True):
                ws._parts.catalog.decisions.put(row)
            ws.build()
            assert graph_hash(ws) == winding


def _act(ws: Workspace, act: str, name: str) -> None:
    from kgfuse.workspace.review.cards import card as by_id

    if act == "build":
        ws.build()
        return
    one = by_id(ws, name, "Ada")
    if act == "correct":
        one.correct(property="has part", object="fg:wing")
    else:
        {"accept": one.accept, "reject": one.reject, "undo": one.undo}[act]()
