"""The notebook runs from top to bottom, offline, and is stored without outputs."""

from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

TOUR = Path(__file__).parents[2] / "examples" / "tour.ipynb"


def read() -> Any:
    return nbformat.reads(TOUR.read_text(encoding="utf-8"), as_version=4)  # type: ignore[no-untyped-call]


def test_the_notebook_is_stored_without_outputs() -> None:
    notebook = read()
    assert all(not cell.outputs and cell.execution_count is None for cell in notebook.cells if cell.cell_type == "code")


def test_the_notebook_runs() -> None:
    notebook = read()
    root = str(TOUR.parents[1])
    NotebookClient(notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": root}}).execute()
    text = "".join(o.get("text", "") for cell in notebook.cells if cell.cell_type == "code" for o in cell.outputs)
    assert "Owls live in forests, parks and old barns." in text
    assert "triples went" in text
