"""A stranger's extractor, installed by pip into a fresh environment, works like the built-in ones."""

from __future__ import annotations

import json
import re
import textwrap
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

import examples
from tests.packs.test_third_party import Environment, _hash, fresh

pytest.importorskip("pip")

__all__ = ["fresh"]
TEXT = "The bakery at 221 Baker Street, Springfield, IL 62704 opens at 7. Our museum is at 12 Main St, Boise, ID 83702."
USE_ADDRESS = """
from kgfuse import Workspace
from stranger.address_extractor import ONTOLOGY
from pathlib import Path
Path("address.ttl").write_text(ONTOLOGY, encoding="utf-8")
settings = {"extract": {"extractors": ["address"]}, "validate_shapes": False}
with Workspace.create("a.kg", ["address.ttl"], settings) as ws:
    ws.add("shops.csv")
    report = ws.build()
    assert not report.problems, report.problems
    assert not ws.check().findings
    rows = ws.query(
        "SELECT ?who ?p ?o ?words ?c { GRAPH kgf:provenance { ?s rdf:predicate ?p ; rdf:object ?o ; rdf:subject ?who ;"
        " kgf:confidence ?c ; kgf:extractor 'address.crf' ; prov:wasDerivedFrom/oa:hasSelector/oa:exact ?words }"
        " FILTER(STRSTARTS(STR(?p), 'https://example.org/address#')) } ORDER BY ?p ?words").to_pandas()
    print(rows.to_json(orient="records"))
"""
USE_LLM = """
import sys
from kgfuse import Workspace
plugins = {"llm": {"url": sys.argv[1], "model": "rules-1"}}
settings = {"extract": {"extractors": ["llm"], "plugins": plugins}, "validate_shapes": False}
with Workspace.create("l.kg", ["field-guide"], settings) as ws:
    ws.add("owl.txt", "odd.txt")
    report = ws.build()
    print(report.problems)
    for name in ("mouse", "cheese"):
        print(bool(ws.query("ASK { ?owl fg:eats ent:" + name + " }")))
    again = ws.build()
    print(again.extracted, [c.extractor for c in (card.candidate.statement for card in ws.review())])
    assert not ws.check().findings
"""


def wheel(folder: Path, *names: str) -> Path:
    """A wheel of the examples of these names, with an entry point for each."""
    info, files = "stranger-1.0.dist-info", {"stranger/__init__.py": ""}
    for name in names:
        files[f"stranger/{name}.py"] = (Path(examples.__file__).parent / f"{name}.py").read_text(encoding="utf-8")
    points = "".join(f"{name.removesuffix('_extractor')} = stranger.{name}:build\n" for name in names)
    files |= {
        f"{info}/METADATA": "Metadata-Version: 2.1\nName: stranger\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: by hand\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": f"[kgfuse.extractors]\n{points}",
    }
    record = [f"{name},sha256={_hash(content)},{len(content.encode())}" for name, content in files.items()]
    files[f"{info}/RECORD"] = "\n".join([*record, f"{info}/RECORD,,"]) + "\n"
    path = folder / "stranger-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def test_a_trained_model_from_outside_fits_by_an_entry_point(fresh: Environment, tmp_path: Path) -> None:
    fresh.install(wheel(tmp_path, "address_extractor"))
    (tmp_path / "shops.csv").write_text(f'id,name,type,text\nbakery,bakery,owl:Thing,"{TEXT}"\n', encoding="utf-8")
    done = fresh.run("-c", textwrap.dedent(USE_ADDRESS), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)
    street = [r for r in rows if r["p"].endswith("street") and "Baker" in r["o"]]
    assert {r["words"] for r in street} >= {"221 Baker Street"}
    assert {r["who"] for r in street} == {"https://w3id.org/kgfuse/item/bakery"}
    assert {r["o"] for r in rows if r["p"].endswith("postcode")} == {"62704", "83702"}
    assert all(0.5 < float(r["c"]) <= 1 for r in rows)


class Service(BaseHTTPRequestHandler):
    """An OpenAI-compatible service whose model are three rules, one of which makes things up."""

    def do_POST(self) -> None:
        asked: dict[str, Any] = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        system, user = (m["content"] for m in asked["messages"])
        self.server.asked.append((self.path, asked["model"], "- eats:" in system))  # type: ignore[attr-defined]
        triples = [
            {"subject": s, "property": "eats", "object": o} for s, o in re.findall(r"(?:The )?(\w+) eats (\w+)", user)
        ]
        made_up = [{"subject": "owl", "property": "eats", "object": "cheese"}, {"property": "is"}, "nonsense"]
        content = f"Here you are:\n```json\n{json.dumps({'triples': [*triples, *made_up]})}\n```"
        body = json.dumps({"choices": [{"message": {"role": "assistant", "content": content}}]}).encode()
        if "broken" in user:
            body = b'{"choices": []}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Quietly."""


@pytest.fixture
def service() -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Service)
    server.asked = []  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_service_is_asked_once_and_what_it_makes_up_is_dropped(
    fresh: Environment, service: ThreadingHTTPServer, tmp_path: Path
) -> None:
    fresh.install(wheel(tmp_path, "llm_extractor"))
    (tmp_path / "owl.txt").write_text("The owl eats mice.", encoding="utf-8")
    (tmp_path / "odd.txt").write_text("A broken answer.", encoding="utf-8")
    url = f"http://127.0.0.1:{service.server_address[1]}/v1/"
    done = fresh.run("-c", textwrap.dedent(USE_LLM), url, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    problems, mouse, cheese, again = done.stdout.splitlines()
    assert "extractor llm: IndexError" in problems  # the one source that it had no answer for
    assert (mouse, cheese) == ("True", "False")
    assert again == "0 ['llm']"
    asked = service.asked  # type: ignore[attr-defined]
    assert sorted(asked) == 2 * [("/v1/chat/completions", "rules-1", True)]
