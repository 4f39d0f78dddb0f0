"""Drawings by matplotlib as SVG inside the page, in the page's own letters and its colours in light and dark."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from markupsafe import Markup

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Stand-ins that become the page's CSS variables, so that one drawing serves light and dark.
INK: Final = "#010203"
FAINT: Final = "#040506"
GRID: Final = "#070809"
PAPER: Final = "#0a0b0c"
ACCENT: Final = "#0d0e0f"
FOR: Final = "#101112"
AGAINST: Final = "#131415"
_VARIABLES: Final = {
    **{INK: "--ink", FAINT: "--faint", GRID: "--grid", PAPER: "--card", ACCENT: "--accent"},
    **{FOR: "--for", AGAINST: "--against"},
}
_FORBIDDEN: Final = dict.fromkeys((*range(32), *range(127, 160), *range(0xD800, 0xE000), 0xFFFE, 0xFFFF))


def drawable(text: str, most: int = 28) -> str:
    r"""A label on one line, without what XML forbids, cut where it is long.

    >>> drawable("a\x00b   c")
    'ab c'
    """
    flat = " ".join(text.split()).translate(_FORBIDDEN)
    return flat if len(flat) <= most else flat[: most - 1].rstrip() + "…"


@contextmanager
def drawing(width: float, height: float) -> Iterator[tuple[Figure, Any]]:
    """A figure of this size in inches and its axes, drawn without a display."""
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    style: Any = {
        "svg.fonttype": "none",
        "svg.hashsalt": "kgfuse",
        "text.parse_math": False,
        "font.family": "sans-serif",
        "font.sans-serif": ["DejaVu Sans"],
        "font.size": 9.0,
        "text.color": INK,
        "axes.labelcolor": INK,
        "axes.edgecolor": GRID,
        "xtick.color": FAINT,
        "ytick.color": INK,
        "grid.color": GRID,
        "figure.facecolor": "none",
        "axes.facecolor": "none",
        "path.simplify": False,
    }
    with matplotlib.rc_context(style):
        figure = Figure(figsize=(width, height))
        FigureCanvasSVG(figure)
        yield figure, figure.add_axes((0.0, 0.0, 1.0, 1.0))


def inline_svg(figure: Figure, name: str, alt: str) -> Markup:
    """The figure as an ``<svg>`` element; must be called while it is being drawn.

    Args:
        figure: from :func:`drawing`.
        name: unique on the page, so that two figures share no ids.
        alt: what it shows, in words.
    """
    held = io.StringIO()
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    figure.savefig(held, format="svg", transparent=True, metadata=nothing)
    svg = held.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<(metadata|style)\b.*?</\1>\s*|<defs>\s*</defs>\s*", "", svg, flags=re.S)
    svg = re.sub(r'\sxmlns(:\w+)?="[^"]*"', "", svg)
    svg = re.sub(r"\sxlink:href=", " href=", svg)
    svg = re.sub(r'\bid="', f'id="{name}-', svg)
    svg = re.sub(r"url\(#", f"url(#{name}-", svg)
    svg = re.sub(r'href="#', f'href="#{name}-', svg)
    for stand_in, variable in _VARIABLES.items():
        svg = svg.replace(stand_in, f"var({variable})")
    head = Markup('<svg role="img" aria-label="{}" class="figure"').format(alt)
    return head + Markup(re.sub(r'^<svg(.*?)\s(?:width|height)="[^"]*"\s?', r"\1 ", svg, count=1, flags=re.S))
