"""The ablation as a plot: a bar for each way of reading the items, single runs as dots."""

from __future__ import annotations

from typing import Final

from markupsafe import Markup

from kgfuse.fuse.ablation import FUSED, LATE, Row
from kgfuse.workspace.report.figure import ACCENT, FAINT, INK, PAPER, drawable, drawing, inline_svg

COLOURS: Final = {"text": "#4c78a8", "image": "#e08a3c", "graph": "#59a14f", LATE: "#9a8fb8", FUSED: ACCENT}
_DOT_SPREAD: Final = 0.22


def ablation_plot(rows: tuple[Row, ...], chance: float | None, name: str) -> Markup:
    """Bars of mean accuracy with the standard deviation over the runs.

    Args:
        rows: of one target.
        chance: accuracy of always naming the most frequent class; drawn as a line where known.
        name: of the figure, unique on the page.
    """
    with drawing(7.2, 0.46 * len(rows) + 0.75) as (figure, axes):
        below = 0.5 / figure.get_figheight()
        axes.set_position((0.2, below, 0.77, 1 - below - 0.04))
        runs = max(len(row.scores) for row in rows)
        for n, row in enumerate(rows):
            axes.barh(n, row.mean, height=0.62, color=COLOURS.get(row.name, FAINT), alpha=0.85, linewidth=0)
            if len(row.scores) > 1:
                axes.errorbar(row.mean, n, xerr=row.sd, color=INK, capsize=3.5, linewidth=1.3, zorder=4)
            step = _DOT_SPREAD * 2 / max(1, len(row.scores) - 1)
            heights = [n - _DOT_SPREAD + step * i if len(row.scores) > 1 else n for i in range(len(row.scores))]
            axes.scatter(row.scores, heights, s=15, color=PAPER, edgecolor=INK, linewidth=0.8, zorder=5)
        if chance is not None:
            axes.axvline(chance, color=INK, linestyle=(0, (2, 2)), linewidth=1)
            axes.text(chance, -0.62, " most frequent class", fontsize=7.5, color=FAINT, va="bottom")
        axes.set_yticks(range(len(rows)), [drawable(row.name) for row in rows])
        axes.set_ylim(len(rows) - 0.45, -0.65)
        axes.set_xlim(0, 1)
        axes.set_xticks([0, 0.2, 0.4, 0.6, 0.8, 1], ["0", "20 %", "40 %", "60 %", "80 %", "100 %"])
        axes.set_xlabel("accuracy on held-out items")
        axes.grid(axis="x", linewidth=0.6)
        axes.set_axisbelow(True)
        axes.tick_params(length=0)
        for side in ("top", "right", "left", "bottom"):
            axes.spines[side].set_visible(False)
        spread = f"mean and standard deviation over {runs} runs" if runs > 1 else "one run"
        said = ", ".join(f"{row.name} {row.mean:.1%}" for row in rows)
        return inline_svg(figure, name, f"Bar chart of accuracy, {spread}: {said}")
