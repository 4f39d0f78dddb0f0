"""One card after another on a terminal, one key each."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.text import Text

from kgfuse.errors import UsageError

if TYPE_CHECKING:
    from kgfuse.workspace import Workspace
    from kgfuse.workspace.review.cards import Card

_HELP = (
    "[bold]y[/] right  [bold]n[/] wrong  [bold]e[/] edit  [bold]s[/] skip  [bold]u[/] undo the last  [bold]q[/] quit"
)
_AHEAD = 10  # cards chosen at once: answers change what is worth asking next


def ask(ws: Workspace, by: str, *, source: str | None = None, property: str | None = None) -> list[dict[str, Any]]:
    """Ask until nothing is left or the person leaves; return the decisions that stand.

    Each is kept as soon as its key is pressed: nothing is lost when the terminal goes away.
    """
    console = Console()
    made: list[tuple[Card, str]] = []
    skipped: set[str] = set()
    console.print(_HELP, f"[dim]as {by.replace('[', chr(92) + '[')}[/]")
    while True:
        limit = _AHEAD + len(skipped)
        cards = [c for c in ws.review(limit, source=source, property=property, reviewer=by) if c.id not in skipped]
        if not cards:
            console.print("nothing is left to review")
            break
        for card in cards:
            answer = _one(console, card, len(made))
            if answer == "s":
                skipped.add(card.id)
                continue
            if answer == "q":
                return _told(made)
            if answer == "u":
                _undo(console, made, skipped)
                break  # the order is made anew
            made.append((card, {"y": "accepted", "n": "rejected", "e": "corrected"}[answer]))
    return _told(made)


def _told(made: list[tuple[Card, str]]) -> list[dict[str, Any]]:
    return [{"id": card.id, "decision": what} for card, what in made]


def _undo(console: Console, made: list[tuple[Card, str]], skipped: set[str]) -> None:
    if not made:
        console.print("nothing to undo", style="dim")
        return
    card, what = made.pop()
    card.undo()
    skipped.discard(card.id)
    console.print(Text(f"taken back: {card.subject} · {card.relation} · {card.object} ({what})", "yellow"))


def _one(console: Console, card: Card, count: int) -> str:
    """Show a card and act on the key that is pressed; returns it."""
    console.print()
    said = Text.assemble((card.subject, "bold"), " ", (card.relation, "bold cyan"), " ", (card.object, "bold"))
    console.print(said, Text(f"  {card.confidence:.2f}", "dim"), sep="")
    console.print(_marked(card))
    place = f"{card.source}, {card.where}" if card.where else card.source
    where = f"{place}, {', '.join(card.candidate.extractors)}: {card.reason}"
    console.print(Text(where, "dim"))
    if card.turned_away:
        console.print(Text(f"not in the graph: {card.turned_away}", "yellow"))
    if card.candidate.before is not None:
        from kgfuse.workspace.review.decisions import told

        console.print(Text(f"before its text changed: {told(card.candidate.before)}", "yellow"))
    while True:
        console.print(Text(f"{count + 1}> ", "dim"), end="")
        key = _key()
        console.print(key if key.isprintable() else "")
        if key == "y":
            card.accept()
        elif key == "n":
            card.reject()
        elif key == "e":
            if not _edit(console, card):
                continue
        elif key in ("q", "\x03", "\x04", "\x1b", ""):
            return "q"
        elif key not in ("s", "u"):
            console.print(_HELP)
            continue
        return key


def _edit(console: Console, card: Card) -> bool:
    """Ask for each part, Enter keeps it; false when the person thinks better of it or nothing fits."""
    try:
        parts = {
            "subject": console.input(Text(f"  subject [{card.subject}]: ")),
            "property": console.input(Text(f"  property [{card.relation}]: ")),
            "object": console.input(Text(f"  object [{card.object}]: ")),
        }
        card.correct(**{name: text.strip() for name, text in parts.items() if text.strip()})
    except UsageError as e:
        console.print(Text(f"  {e.message}", "red"))
        return False
    except (EOFError, KeyboardInterrupt):
        console.print("  left as it was", style="dim")
        return False
    return True


def _marked(card: Card) -> Text:
    """The sentence with subject and object marked."""
    from kgfuse.terms.mentions import Mention, TextSpan

    passage = card.candidate.passage
    if passage is None:
        return Text("(in the picture)", "dim")
    shown = Text(passage.exact)
    statement = card.candidate.statement
    for node, style in ((statement.subject, "black on bright_yellow"), (statement.object, "black on bright_green")):
        if isinstance(node, Mention) and isinstance(node.selector, TextSpan):
            shown.stylize(style, node.selector.start - passage.start, node.selector.end - passage.start)
    return shown


def _key() -> str:
    """One key, without Enter; a line's first letter where the terminal cannot do that."""
    try:
        import termios
        import tty

        handle = sys.stdin.fileno()
        before = termios.tcgetattr(handle)
    except (ImportError, OSError, ValueError):  # not a Unix terminal
        return sys.stdin.readline().strip()[:1].lower()
    try:
        tty.setcbreak(handle)
        return sys.stdin.read(1).lower()
    finally:
        termios.tcsetattr(handle, termios.TCSADRAIN, before)
