"""The command with which a person judges what was extracted: review."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kgfuse.cli.app import app
from kgfuse.cli.command import WorkspaceArgument, command, given
from kgfuse.cli.output import Output
from kgfuse.cli.tables import plural, table
from kgfuse.errors import SourceError, UsageError

if TYPE_CHECKING:
    from rich.console import RenderableType

    from kgfuse.workspace import Workspace
    from kgfuse.workspace.review.cards import Card

_WORDS = {"s": "subject", "p": "property", "o": "object"} | {w: w for w in ("subject", "property", "object")}


@command(
    app,
    "review",
    "kgfuse review shop.kg",
    "kgfuse review shop.kg --next 20 --json > questions.json",
    "kgfuse review shop.kg --accept 3645f1 --reject 2ea975 --by Ada",
    "kgfuse review shop.kg --correct 2ea975 'p=lives in o=forest'",
    "kgfuse review shop.kg --import decisions.jsonl",
)
def review(
    out: Output,
    workspace: WorkspaceArgument,
    changes: Annotated[
        list[str] | None,
        typer.Argument(metavar="CHANGE", help="'s=…', 'p=…', 'o=…' or 'p=… o=…', one for each --correct, in order."),
    ] = None,
    next: Annotated[
        int | None, typer.Option("--next", metavar="N", min=1, help="List what to look at first, and ask nothing.")
    ] = None,
    accept: Annotated[list[str], typer.Option(metavar="ID", help="It is right.")] = [],  # noqa: B006
    reject: Annotated[list[str], typer.Option(metavar="ID", help="It is wrong.")] = [],  # noqa: B006
    correct: Annotated[list[str], typer.Option(metavar="ID", help="The words say something else: CHANGE.")] = [],  # noqa: B006
    undo: Annotated[list[str], typer.Option(metavar="ID", help="Take a decision back.")] = [],  # noqa: B006
    imported: Annotated[
        Path | None,
        typer.Option("--import", metavar="FILE", help="JSON Lines: id, decision, and subject, property, object, by."),
    ] = None,
    listed: Annotated[bool, typer.Option("--list", help="What was decided, and what lapsed.")] = False,
    by: Annotated[
        str | None, typer.Option(metavar="NAME", envvar="KGFUSE_REVIEWER", help="Who decides; else the login.")
    ] = None,
    source: Annotated[str | None, typer.Option(help="Only statements of this source.")] = None,
    property: Annotated[str | None, typer.Option(help="Only statements with this property.")] = None,
) -> None:
    """Accept, reject or correct what was extracted, the most informative first.

    A decision overrides extractors and gate as long as its source has the same words; it also becomes a line of
    examples.jsonl in the workspace. Statements of RDF files and inferred ones are not reviewed.
    """
    from kgfuse.workspace import Workspace
    from kgfuse.workspace.review.cards import all_or_nothing, who

    workspace, told = given(workspace, changes or [], "")
    corrections = _paired(correct, told)
    acts = bool(accept or reject or correct or undo or imported)
    if next is not None or (listed and not acts):
        with Workspace.open(workspace, read_only=True) as ws:
            if listed:
                _list(out, ws)
            else:
                _next(out, ws, ws.review(next, source=source, property=property))
        return
    if not acts and (out.json or not sys.stdin.isatty()):
        raise UsageError(
            "asking needs a terminal", remedy="--next N lists what to look at; --accept, --reject and --correct decide"
        )
    with Workspace.open(workspace) as ws:
        if acts:
            with all_or_nothing(ws):
                made = _decide(ws, who(by), accept, reject, corrections, undo)
                made += _import(ws, who(by), imported) if imported else []
        else:
            from kgfuse.cli.asking_people import ask

            made = ask(ws, who(by), source=source, property=property)
        if made:
            with out.progress() as on_event:
                ws.build(on_event=on_event)
        held, lapsed = ws.decisions()
        data = {"made": made, "decisions": len(held), "lapsed": len(lapsed)}
        out.result(data, f"{plural(len(made), 'decision')} made; {len(held):,} hold in all")
        if held:
            out.note(f"examples: {ws.path / 'examples.jsonl'}")


def _paired(correct: list[str], changes: list[str]) -> dict[str, dict[str, str]]:
    """Changes by id."""
    if len(correct) == 1 and changes:
        changes = [" ".join(changes)]
    if len(correct) != len(changes):
        what = f"{plural(len(correct), 'correction')}, but {plural(len(changes), 'change')}"
        raise UsageError(
            what, remedy="write a change for each --correct, such as --correct 3645f1 'p=lives in o=forest'"
        )
    return {name: read_changes(change) for name, change in zip(correct, changes, strict=True)}


def _decide(
    ws: Workspace, by: str, accept: list[str], reject: list[str], changes: dict[str, dict[str, str]], undo: list[str]
) -> list[dict[str, Any]]:
    """Decide by id; every id is looked up before anything is decided."""
    from kgfuse.workspace.review.cards import card
    from kgfuse.workspace.review.cards import made as made_before
    from kgfuse.workspace.review.cards import undo as take_back

    named = [*accept, *reject, *changes, *undo]
    twice = next((n for n in named if named.count(n) > 1), None)
    if twice is not None:
        raise UsageError(f"{twice!r} is decided twice", remedy="name each id once")
    cards = {name: card(ws, name, by) for name in named if name not in undo}
    back = [made_before(ws, name) for name in undo]
    for decision in back:
        take_back(ws, decision)
    made = [{"id": decision.id, "decision": "undone"} for decision in back]
    for name, one in cards.items():
        what = "accepted" if name in accept else "rejected" if name in reject else ""
        if what == "accepted":
            one.accept()
        elif what == "rejected":
            one.reject()
        else:
            one.correct(**changes[name])
        made.append({"id": one.id, "decision": what or "corrected"})
    return made


def read_changes(text: str) -> dict[str, str]:
    """``p='lives in' o=forest`` as a mapping; the names may be written out.

    Raises:
        UsageError: it is not of that form.

    >>> read_changes("p='lives in' o=forest"), read_changes("p=lives in")
    ({'property': 'lives in', 'object': 'forest'}, {'property': 'lives in'})
    """
    try:
        parts = shlex.split(text)
    except ValueError:
        parts = text.split()
    found: dict[str, str] = {}
    last = ""
    for part in parts:
        name, equals, value = part.partition("=")
        if equals and name.lower() in _WORDS:
            last = _WORDS[name.lower()]
            found[last] = value
        elif last:  # words after the first belong to it, quoted or not
            found[last] += f" {part}"
        else:
            raise UsageError(f"{text!r} is no change", remedy="write s=…, p=… or o=…, such as 'p=lives in'")
    if not found:
        raise UsageError("a correction needs a change", remedy="write s=…, p=… or o=…, such as 'p=lives in'")
    return found


def _import(ws: Workspace, by: str, path: Path) -> list[dict[str, Any]]:
    """Decisions from JSON Lines; all are read and looked up before any is kept."""
    from kgfuse.workspace.review.cards import card

    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as e:
        raise SourceError(f"cannot be read: {e}", where=path, remedy="JSON Lines in UTF-8") from e
    read: list[tuple[Card, str, dict[str, str], str]] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        where = f"{path}:{number}"
        try:
            record = json.loads(line)
            name, decision = str(record["id"]), str(record["decision"])
        except (ValueError, KeyError, TypeError) as e:
            raise SourceError(
                "is no object with id and decision", where=where, remedy='{"id": "3645f1", "decision": "accept"}'
            ) from e
        if not decision:
            continue  # a line of --next that nobody filled in
        known = {"accept": "accepted", "reject": "rejected", "correct": "corrected"}
        decision = known.get(decision, decision)
        if decision not in known.values():
            raise SourceError(f"{decision!r} is no decision", where=where, remedy="accept, reject or correct")
        given = record.get("correction") or {k: record[k] for k in _WORDS.values() if k in record}
        changes = {_WORDS[k]: str(v) for k, v in given.items() if k in _WORDS} if decision == "corrected" else {}
        try:
            read.append((card(ws, name, str(record.get("by") or by)), decision, changes, where))
        except UsageError as e:
            raise UsageError(e.what, where=where, remedy=e.remedy) from e
    made = []
    for one, decision, changes, where in read:
        try:
            if decision == "accepted":
                one.accept()
            elif decision == "rejected":
                one.reject()
            else:
                same = {k: v for k, v in changes.items() if v == getattr(one, "relation" if k == "property" else k)}
                one.correct(**{k: v for k, v in changes.items() if k not in same})
        except UsageError as e:
            raise UsageError(e.what, where=where, remedy=e.remedy) from e
        made.append({"id": one.id, "decision": decision})
    return made


def _next(out: Output, ws: Workspace, cards: list[Card]) -> None:
    from rich.text import Text

    places = [one.where for one in cards]
    last = ("where",) if any(places) else ()
    made = table("", "id", "subject", "property", "object", "conf", "in graph", "words", *last, right=(4,))
    for one, place in zip(cards, places, strict=True):
        state = "yes" if not one.turned_away else one.candidate.rule
        row = (one.id, one.subject, one.relation, one.object, f"{one.confidence:.2f}", state, _short(one.words))
        made.add_row(*map(Text, (*row, place) if last else row))
    out.result({"cards": [one.to_dict() for one in cards]}, made if cards else "nothing is left to review")
    if cards:
        out.note("decide with --accept ID, --reject ID, --correct ID 'o=…', or one by one: kgfuse review WORKSPACE")


def _list(out: Output, ws: Workspace) -> None:
    from rich.text import Text

    from kgfuse.workspace.review.decisions import Decision, end_text, words

    held, lapsed = ws.decisions()

    def record(d: Decision, state: str) -> dict[str, Any]:
        s, r = d.statement, d.replacement
        said = {"subject": end_text(s.subject), "property": s.predicate, "object": end_text(s.object)}
        to = {"subject": end_text(r.subject), "property": r.predicate, "object": end_text(r.object)} if r else None
        about = {"source": d.row.source, "words": words(s), "by": d.row.reviewer, "at": d.row.decided_at}
        return {"id": d.id, "decision": d.row.decision, **said, "correction": to, **about, "state": state}

    records = [*(record(d, "holds") for d in held), *(record(d, "lapsed") for d in lapsed)]
    shown: list[RenderableType] = []
    if records:
        made = table("", "id", "decision", "statement", "by", "when", "source", "state")
        label = ws.vocabulary.label
        for r in records:
            said = f"{r['subject']} · {label(r['property'])} · {r['object']}"
            if (to := r["correction"]) is not None:
                said += f" → {to['subject']} · {label(to['property'])} · {to['object']}"
            row = (r["id"], r["decision"], said, r["by"], r["at"][:16].replace("T", " "), r["source"], r["state"])
            made.add_row(*map(Text, map(str, row)))
        shown.append(made)
    else:
        shown.append("nothing was decided yet")
    out.result({"decisions": records}, *shown)
    if lapsed:
        out.note(f"{plural(len(lapsed), 'decision')} lapsed: the words they are on changed; they are asked again")


def _short(text: str, most: int = 90) -> str:
    text = " ".join(text.split())
    return text if len(text) <= most else text[: most - 1] + "…"
