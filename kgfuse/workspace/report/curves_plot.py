"""Learning curves: the losses of one part of the model, epoch by epoch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from kgfuse.fuse.loop import Curve
from kgfuse.workspace.report.figure import ACCENT, AGAINST, FAINT, FOR, INK, drawing, inline_svg


def curves_plot(curve: Curve, name: str) -> Markup:
    """Training loss beside validation loss, each on its own scale, since they are not the same loss.

    Args:
        curve: of one part.
        name: of the figure, unique on the page.
    """
    panels = [("training loss", curve.losses, FOR)]
    if curve.validation:
        panels.append(("validation loss", curve.validation, AGAINST))
    with drawing(7.4, 2.35) as (figure, axes):
        for n, (label, losses, colour) in enumerate(panels):
            panel = axes if n == 0 else figure.add_axes((0.585, 0.2, 0.405, 0.74))
            panel.set_position((0.085 if n == 0 else 0.585, 0.2, 0.405 if len(panels) > 1 else 0.905, 0.74))
            _panel(panel, losses, colour, curve.kept)
            panel.set_ylabel(label)
        said = "; ".join(f"{label} from {losses[0]:.3f} to {losses[-1]:.3f}" for label, losses, _ in panels if losses)
        alt = f"Learning curves of {curve.stage} over {len(curve.losses)} epochs: {said}; epoch {curve.kept} was kept"
        return inline_svg(figure, name, alt)


def _panel(axes: Any, losses: Sequence[float], colour: str, kept: int) -> None:
    epochs = range(1, len(losses) + 1)
    axes.plot(epochs, losses, color=colour, linewidth=1.6, marker="o" if len(losses) < 30 else None, markersize=3)
    if 0 < kept <= len(losses):
        axes.axvline(kept, color=FAINT, linewidth=1, linestyle=(0, (2, 2)), zorder=1)
        axes.plot(kept, losses[kept - 1], marker="o", markersize=7, color=ACCENT, markeredgecolor=INK, zorder=5)
    axes.set_xlabel("epoch")
    axes.set_xlim(0.5, len(losses) + 0.5)
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.margins(y=0.12)
    axes.grid(linewidth=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
