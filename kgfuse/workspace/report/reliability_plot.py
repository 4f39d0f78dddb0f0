"""The reliability diagram: what the model says of its certainty, beside how often it is right."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from kgfuse.fuse.reliability import Bin, Reliability
from kgfuse.workspace.report.figure import ACCENT, AGAINST, FAINT, FOR, INK, PAPER, drawing, inline_svg
from kgfuse.workspace.report.numbers import percent, wilson

_TICKS = ([0, 0.25, 0.5, 0.75, 1], ["0", "25 %", "50 %", "75 %", "100 %"])


def reliability_plot(after: Reliability, before: Reliability | None, name: str) -> Markup:
    """Two panels: the share right in each bin of stated probability, and how many answers are in it.

    Args:
        after: of the probabilities that the model gives.
        before: of the same answers without the temperature; ``None`` where there was none.
        name: of the figure, unique on the page.
    """
    with drawing(7.4, 3.75) as (figure, axes):
        axes.set_position((0.085, 0.15, 0.405, 0.8))
        axes.plot((0, 1), (0, 1), color=FAINT, linewidth=1, linestyle=(0, (2, 2)), zorder=1)
        if before is not None:
            filled = [b for b in before.bins if b.count]
            axes.plot(*_points(filled), color=AGAINST, linewidth=0, marker="o", markersize=5, mfc=PAPER, zorder=3)
        filled = [b for b in after.bins if b.count]
        for b in filled:
            axes.plot((b.confidence,) * 2, wilson(b.right, b.count), color=INK, linewidth=1.1, zorder=4)
        axes.plot(*_points(filled), color=ACCENT, linewidth=0, marker="o", markersize=6.5, zorder=5)
        axes.set_xlabel("probability of the answer")
        axes.set_ylabel("share that is right")
        _frame(axes)
        axes.set_yticks(*_TICKS)
        axes.set_ylim(-0.02, 1.02)
        axes.set_xlim(-0.02, 1.02)
        _counts(figure.add_axes((0.575, 0.15, 0.385, 0.8)), after)
        said = "; ".join(
            f"{percent(b.low, 0)} to {percent(b.high, 0)}: {b.count} answers, {percent(b.share, 0)} right"
            for b in filled
        )
        return inline_svg(figure, name, f"Reliability diagram. Of answers with a probability of {said}")


def _points(bins: list[Bin]) -> tuple[list[float], list[float]]:
    return [b.confidence for b in bins], [b.share for b in bins]


def _frame(axes: Any) -> None:
    axes.set_xticks(*_TICKS)
    axes.grid(linewidth=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _counts(axes: Any, found: Reliability) -> None:
    """Bars of how many answers each bin has, the wrong ones on top of the right ones."""
    for b in found.bins:
        middle, width = (b.low + b.high) / 2, 0.86 * (b.high - b.low)
        axes.bar(middle, b.right, width, color=FOR, linewidth=0)
        axes.bar(middle, b.count - b.right, width, bottom=b.right, color=AGAINST, linewidth=0)
        if b.count:
            axes.annotate(str(b.count), (middle, b.count), (0, 2), textcoords="offset points", ha="center", va="bottom",
                          fontsize=7.5, color=FAINT)  # fmt: skip
    axes.set_xlim(-0.02, 1.02)
    axes.set_ylim(0, 1.12 * max(1, *(b.count for b in found.bins)))
    axes.set_xlabel("probability of the answer")
    axes.set_ylabel("answers")
    _frame(axes)
    axes.yaxis.get_major_locator().set_params(integer=True)
    axes.grid(visible=False, axis="x")
