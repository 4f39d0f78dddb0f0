"""``report.html``: a run, a model, or answers or statements with their evidence, as one page that loads nothing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kgfuse.explain.chain import Explanation
    from kgfuse.graph.records import StatementRecord
    from kgfuse.workspace.demo import DemoResult
    from kgfuse.workspace.prediction import Prediction
    from kgfuse.workspace.report.model import Examined
    from kgfuse.workspace.workspace import Workspace

__all__ = ["write_explanations", "write_model", "write_report", "write_statements"]


def write_report(ws: Workspace, result: DemoResult, path: Path, *, date: str = "") -> None:
    """Write a demo run's page: what the graph holds, what the model is worth, three answers with their evidence.

    Args:
        ws: the workspace of the run.
        result: what the run found.
        path: of the page; written whole or not at all.
        date: shown where given; nothing else on the page knows the time.

    Raises:
        WorkspaceError: it cannot be written.
    """
    import kgfuse
    from kgfuse.workspace.report import summary
    from kgfuse.workspace.report.chains import chain
    from kgfuse.workspace.report.item_map import HEIGHT, WIDTH
    from kgfuse.workspace.report.model import model_view
    from kgfuse.workspace.report.numbers import wilson
    from kgfuse.workspace.report.page import render, write

    by_item = {p.item: p for p in result.predictions}
    ablation = result.trained.ablation
    chains = [chain(ws, e, by_item.get(e.item), n) for n, e in enumerate(result.explanations, 1)]
    share = summary.frequent_share(ws)
    frequent = {result.trained.targets[0]: share} if share is not None else {}
    html = render(
        "report.html",
        version=kgfuse.__version__,
        date=date,
        packs=ws.vocabulary.packs,
        result=result,
        build=result.build,
        counts=summary.counts(result.build),
        turned_away=summary.turned_away(ws, result.build),
        tags_away=summary.tags_turned_away(ws, result.build),
        violations=summary.violations(ws, result.build),
        problems=ws.problems(),
        compared=summary.compared(ws, ablation.to_dict(), frequent, "test", True) if ablation else [],
        interval=wilson(result.correct, len(result.predictions)),
        chains=chains,
        model=model_view(ws, result.examined, chains) if result.examined else None,
        map_size=(WIDTH, HEIGHT),
        answers=summary.answers(ws, result),
    )
    write(path, html)


def write_model(ws: Workspace, examined: Examined, path: Path) -> None:
    """Write a model's page: what its answers are worth, how they are distributed, how it learned, and why it answers.

    Args:
        ws: the workspace.
        examined: what :func:`kgfuse.workspace.report.model.examine` found.
        path: of the page; written whole or not at all.

    Raises:
        WorkspaceError: it cannot be written.
    """
    import kgfuse
    from kgfuse.workspace.report import summary
    from kgfuse.workspace.report.item_map import HEIGHT, WIDTH
    from kgfuse.workspace.report.model import frequent, model_view
    from kgfuse.workspace.report.page import render, write

    found = examined.assessment
    resplit = found.card.get("resplit")
    on = "test" if resplit or found.split == "test" else "validation"
    ablation = found.ablation
    html = render(
        "model_page.html",
        version=kgfuse.__version__,
        model=model_view(ws, examined),
        compared=summary.compared(ws, ablation, frequent(found), on, resplit) if ablation else [],
        settings=summary.flat(found.card["config"]),
        map_size=(WIDTH, HEIGHT),
    )
    write(path, html)


def write_explanations(
    ws: Workspace, explanations: Sequence[Explanation], path: Path, *, predictions: Sequence[Prediction] = ()
) -> None:
    """Write answers with their evidence as a page.

    Args:
        ws: the workspace.
        explanations: what :meth:`kgfuse.workspace.prediction.Prediction.explain` gave.
        path: of the page; written whole or not at all.
        predictions: what was explained; they add the ranking, and the pictures of files that are not in the workspace.

    Raises:
        WorkspaceError: it cannot be written.
    """
    import kgfuse
    from kgfuse.workspace.report.chains import chain
    from kgfuse.workspace.report.page import render, write

    by_item = {p.item: p for p in predictions}
    chains = [chain(ws, e, by_item.get(e.item), n) for n, e in enumerate(explanations, 1)]
    write(path, render("explanations.html", version=kgfuse.__version__, chains=chains))


def write_statements(ws: Workspace, statements: Sequence[StatementRecord], path: Path, *, title: str = "") -> None:
    """Write statements of the graph as a page: each beside the page, text, cell or picture that it was read from.

    Args:
        ws: the workspace.
        statements: such as :meth:`kgfuse.graph.views.GraphView.statements` gives.
        path: of the page; written whole or not at all.
        title: of the page.

    Raises:
        WorkspaceError: it cannot be written.
    """
    import kgfuse
    from kgfuse.workspace.report.page import render, write
    from kgfuse.workspace.report.stated import by_source

    groups = by_source(ws, statements)
    write(path, render("statements.html", version=kgfuse.__version__, title=title or "Statements", groups=groups))
