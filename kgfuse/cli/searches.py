"""What a search for settings looks like on the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.console import Group
from rich.text import Text

from kgfuse.cli.tables import percent, plural, table

if TYPE_CHECKING:
    from rich.console import RenderableType

    from kgfuse.fuse.search.result import SearchResult


def search_view(found: SearchResult) -> RenderableType:
    """The best trials, what they changed, which settings mattered, and what is used."""
    states = [trial.state for trial in found.trials]
    parts = [
        f"{states.count(s)} {what}" for s, what in (("stopped", "stopped early"), ("failed", "failed")) if s in states
    ]
    made = table(
        f"{plural(len(states), 'trial')}{''.join(f', {part}' for part in parts)}; "
        f"log-loss of {found.items:,} items by {found.way}",
        "trial",
        "log-loss",
        "default − this",
        "settings that differ from the default",
        right=(1, 2),
    )
    default = found.trials[0].settings
    for trial in found.ranking():
        gap = "" if trial.number == 0 else f"{trial.gain:+.4f} ± {trial.error:.4f}"
        changed = ", ".join(f"{k}={_short(v)}" for k, v in trial.settings.items() if v != default[k])
        made.add_row(str(trial.number) if trial.number else "default", f"{trial.loss:.4f}", gap, Text(changed))
    made.caption = "± : standard error, paired over the items; the best of many trials flatters itself here"
    made.caption_justify = "left"
    lines: list[RenderableType] = [made]
    if found.importance:
        most = sorted(found.importance.items(), key=lambda pair: -pair[1])[:5]
        lines.append(Text("what mattered: " + ", ".join(f"{name} {percent(share)}" for name, share in most)))
    verdict = found.verdict()
    lines.append(Text(verdict[0].upper() + verdict[1:] + ".", style="bold"))
    if found.chosen:
        lines.append(Text(found.toml()))
    return Group(*lines)


def _short(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value).replace(" ", "")
