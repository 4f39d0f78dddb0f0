"""What is done to a picture before it is looked at stands in the graph, and features are kept by it."""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageDraw

from kgfuse import Workspace
from kgfuse.encode.image import packaged_sha256

STEPS = """SELECT DISTINCT ?n ?name ?version ?parameters {
    GRAPH kgf:provenance {
        ?mention oa:hasSource ?picture . ?picture kgf:fileName "red.png" .
        ?statement prov:wasDerivedFrom ?mention ; prov:wasGeneratedBy/kgf:preprocessing ?step .
        ?step kgf:stepNumber ?n ; kgf:stepName ?name ; kgf:stepVersion ?version ; kgf:stepParameters ?parameters
    }
} ORDER BY ?n"""


def test_the_graph_says_what_was_done_to_a_picture_before_it_was_looked_at(tmp_path: Path) -> None:
    image = Image.new("RGB", (200, 200), "white")
    ImageDraw.Draw(image).rectangle((40, 40, 160, 160), fill="#d0202a")
    image.save(tmp_path / "red.png")
    steps = [{"step": "orient"}, {"step": "deskew", "most": 5.0}, {"step": "resize", "longest": 640}]
    chosen = {"extract": {"extractors": ["image"], "image": {"pipeline": {"steps": steps}, "device": "cpu"}}}
    with Workspace.create(tmp_path / "w.kg", ["field-guide"], chosen) as ws:
        ws.add(tmp_path / "red.png")
        ws.build()
        found = [(row["name"], row["version"], row["parameters"]) for row in ws.query(STEPS)]
        assert found[:3] == [("orient", "1", "{}"), ("deskew", "1", '{"most":5.0}'), ("resize", "1", '{"longest":640}')]
        assert found[3][2] == '{"below":96,"for":"ocr","method":"stretch"}'
        assert ws.check().findings == ()
        assert ws._parts.features.rows(ws._parts.picture_key, [ws.sources()[0].sha256])[1].tolist() == [0]
        assert ws._parts.picture_key != packaged_sha256()
        ws.remove("red.png")
        assert len(ws.query(STEPS)) == 0
    with Workspace.create(tmp_path / "usual.kg", ["field-guide"]) as ws:
        assert ws._parts.picture_key == packaged_sha256()
