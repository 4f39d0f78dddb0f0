"""The report: every statement has its page and box, or its figure and box, and the page shows them."""

from pathlib import Path

import pytest

from examples.report_pdf import TITLE, main, run
from kgfuse.terms.mentions import Region, TextSpan
from kgfuse.terms.namespaces import local_name


def test_statements_have_page_and_box_and_the_report_shows_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = {(local_name(s.subject), local_name(s.predicate), local_name(str(s.object))): s for s in run(tmp_path)}
    for said, page in (
        (("mill-bridge", "crosses", "arle"), 1),
        (("mill-bridge", "madeOf", "sandstone"), 1),
        (("mill-bridge", "shows", "cracks"), 1),
        (("harbour-bridge", "crosses", "arle"), 2),
        (("harbour-bridge", "shows", "rust"), 2),
    ):
        words = [m for m in found[said].mentions if isinstance(m.selector, TextSpan)]
        assert {m.where.page for m in words if m.where} == {page}
        assert all(m.where and m.where.box and 50 < m.where.box[0] < 600 for m in words)
    coloured = {said[2]: s for said, s in found.items() if said[1] == "showsColour"}
    (figure,) = coloured["Red"].mentions
    assert figure.file_name == "inspection.pdf#page-2-picture-1.png"
    assert isinstance(figure.selector, Region)
    assert 200 < figure.selector.w <= 320
    html = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert f"<title>{TITLE}</title>" in html
    for name in ("inspection.pdf, page 1", "inspection.pdf, page 2", "inspection.pdf#page-2-picture-1.png"):
        shown = html.split(f"<bdi>{name}</bdi><br>")[0].rpartition("<figure")[2]
        assert 'src="data:image/' in shown
        assert '<rect class="stated cited"' in shown
    told = capsys.readouterr().out
    assert "Mill Bridge · shows · cracks" in told
    assert "“cracks” on page 1, box " in told


def test_errors_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "bridges.kg").mkdir()
    assert main(["--out", str(tmp_path)]) == 1
    assert "error: " in capsys.readouterr().err
