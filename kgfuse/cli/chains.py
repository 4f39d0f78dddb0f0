"""An explanation and a proof as trees for the terminal: sentences quoted with the cited characters marked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING
from urllib.parse import unquote

from rich.text import Text
from rich.tree import Tree

from kgfuse.cli.tables import bar, percent
from kgfuse.explain.chain import Evidence

if TYPE_CHECKING:
    from kgfuse.explain.chain import Check, Explanation, Neighbour, Passage, Place
    from kgfuse.graph import KnowledgeGraph
    from kgfuse.graph.records import MentionRecord
    from kgfuse.reason.proofs import Proof

_STATEMENTS = 8
_PASSAGES = 5
_AGAINST = 3
_EDGE = 300
_MARK = "bold yellow"
Span = tuple[int, int]


def explanation_view(explanation: Explanation) -> Tree:
    """Shares, statements and passages by effect, and the counterfactual check."""
    heading = Text.assemble((explanation.name, "bold"), " → ", (explanation.label, "bold green"))
    heading.append(f"  {percent(explanation.probability)}")
    tree = Tree(heading)
    shares = tree.add(Text("what each modality adds to the probability", "bold"))
    for modality, share in sorted(explanation.shares.items(), key=lambda pair: -pair[1]):
        shares.add(Text(f"{modality:<6} {bar(share)} {share:+.3f}"))
    _add_statements(tree, explanation.statements)
    _add_passages(tree, explanation.passages)
    _add_against(tree, explanation.against)
    _add_check(tree, explanation.check)
    _add_change(tree, explanation)
    _add_nearest(tree, explanation.nearest)
    return tree


def proof_view(proof: Proof, graph: KnowledgeGraph) -> Tree:
    """A proof down to what sources assert, with the words it stands in."""
    tree = Tree(_step(proof, graph))
    _grow(tree, proof, graph)
    return tree


def marked(text: str, spans: Iterable[Span], edge: int = _EDGE) -> Text:
    """A quoted text with some characters marked; a very long one is cut around them.

    >>> str(marked("eats mice", [(5, 9)]))
    '“eats mice”'
    """
    found = sorted(s for s in spans if 0 <= s[0] < s[1] <= len(text))
    start = max(0, found[0][0] - edge) if found else 0
    end = min(len(text), (found[-1][1] if found else 0) + edge)
    quoted = Text(text[start:end])
    for a, b in found:
        quoted.stylize(_MARK, a - start, b - start)
    flat = Text(" ").join(quoted.split("\n"))
    return Text.assemble("“" if start == 0 else "“…", flat, "”" if end == len(text) else "…”")


def _add_statements(tree: Tree, statements: Sequence[Evidence]) -> None:
    branch = tree.add(Text("statements, by what they do to the answer's probability", "bold"))
    if not statements:
        branch.add(Text("none", "dim"))
    for evidence in statements[:_STATEMENTS]:
        leaf = branch.add(Text.assemble(f"{evidence.effect:+.3f}  ", (evidence.text, "cyan")))
        leaf.add(Text(f"{evidence.extractor}, confidence {evidence.confidence:.2f}{_reason(evidence.reason)}", "dim"))
        for line in _places(evidence.places):
            leaf.add(line)
        for inferred in evidence.follows:
            leaf.add(Text(f"so also: {inferred}", "dim"))
    _more(branch, len(statements) - _STATEMENTS)


def _add_passages(tree: Tree, passages: Sequence[Passage]) -> None:
    if not passages:
        return
    branch = tree.add(Text("sentences and picture regions, by what they do to it", "bold"))
    for passage in passages[:_PASSAGES]:
        for line in _places([passage.place], mark=False):
            branch.add(Text.assemble(f"{passage.effect:+.3f}  ", line))
    _more(branch, len(passages) - _PASSAGES)


def _add_against(tree: Tree, against: Sequence[Evidence | Passage]) -> None:
    if not against:
        return
    branch = tree.add(Text("what speaks against the answer", "bold"))
    for part in against[:_AGAINST]:
        said = [Text(part.text, "cyan")] if isinstance(part, Evidence) else _places([part.place], mark=False)
        for line in said:
            branch.add(Text.assemble(f"{part.effect:+.3f}  ", line))
    _more(branch, len(against) - _AGAINST)


def _add_change(tree: Tree, explanation: Explanation) -> None:
    change = explanation.change
    if change is None:
        tree.add(Text("what would change the answer: nothing of the evidence", "bold"))
        return
    note = "" if change.smallest else "; fewer may do, not all were tried"
    branch = tree.add(
        Text.assemble(("without all of this, the answer is ", "bold"), (change.label, "bold green"), note)
    )
    for part in change.parts:
        branch.add(Text(part, "cyan"))


def _add_nearest(tree: Tree, nearest: Sequence[Neighbour]) -> None:
    if not nearest:
        return
    branch = tree.add(Text("most like it, of what the model learned from", "bold"))
    for one in nearest:
        by = ", ".join(f"{modality} {value:.2f}" for modality, value in one.by.items())
        branch.add(
            Text.assemble(
                f"{one.likeness:.2f}  ", (one.name, "cyan"), f" → {', '.join(one.labels)}", (f"  ({by})", "dim")
            )
        )


def _add_check(tree: Tree, check: Check) -> None:
    verdict = ("what is cited matters", "green") if check.holds else ("what is cited does not stand out", "yellow")
    branch = tree.add(Text.assemble(("counterfactual check: ", "bold"), verdict))
    mean, sd = check.without_random
    branch.add(Text(f"with everything            {check.before:.3f}"))
    branch.add(Text(f"without what is cited      {check.without_cited:.3f}  → {check.label_without_cited}"))
    branch.add(Text(f"without as much at random  {mean:.3f} ± {sd:.3f}"))
    branch.add(Text(f"with only what is cited    {check.only_cited:.3f}"))


def _places(places: Sequence[Place], *, mark: bool = True) -> list[Text]:
    """One line a sentence, all its cited characters marked; one line a picture box."""
    sentences: defaultdict[tuple[str, int, str], list[Span]] = defaultdict(list)
    lines: list[Text] = []
    for place in places:
        if place.kind == "text":
            sentences[place.source, place.context_start, place.context].append((place.start, place.end))
        elif place.box is not None:
            x, y, w, h = place.box
            lines.append(Text.assemble((f"{place.source}", "dim"), f" box {x},{y} {w}×{h} px"))
    for (source, start, context), spans in sentences.items():
        inside = [(a - start, b - start) for a, b in spans if b - a < len(context)] if mark else []
        offsets = ", ".join(f"{a}–{b}" for a, b in sorted(set(spans)))
        where = next(
            (f" ({p.where})" for p in places if p.where and (p.source, p.context_start) == (source, start)), ""
        )
        lines.append(Text.assemble(marked(context, inside), (f"  {source}:{offsets}{where}", "dim")))
    return lines


def _grow(tree: Tree, proof: Proof, graph: KnowledgeGraph) -> None:
    for premise in proof.premises:
        _grow(tree.add(_step(premise, graph)), premise, graph)
    if proof.graphs:
        for line in _said(proof, graph):
            tree.add(line)


def _step(proof: Proof, graph: KnowledgeGraph) -> Text:
    words = " ".join(graph.short(t.value) if hasattr(t, "value") else str(t) for t in proof.triple)
    why = f"  by {proof.rule}" if not proof.graphs else ""
    return Text.assemble((words, "cyan"), (why, "magenta"))


def _said(proof: Proof, graph: KnowledgeGraph) -> list[Text]:
    """Who asserts a triple, and in which words or pixels."""
    from kgfuse.graph.nodes import plain
    from kgfuse.terms.namespaces import ONTOLOGY, SOURCE

    subject, predicate, object_ = (plain(t) for t in proof.triple)
    lines: list[Text] = []
    for record in graph.provenance_of(str(subject), str(predicate), object_):
        if record.source not in proof.graphs:
            continue
        is_pack = record.source.startswith(ONTOLOGY)
        name = unquote(record.source.removeprefix(ONTOLOGY if is_pack else SOURCE))
        line = Text.assemble("stated by ", ("ontology " if is_pack else ""), (name, "bold"))
        line.append(_reason(record.reason), "dim")
        lines.append(line)
        lines += [_mention(m) for m in record.mentions]
    return lines


def _mention(mention: MentionRecord) -> Text:
    from kgfuse.terms.mentions import Region, TextSpan

    selector = mention.selector
    if isinstance(selector, TextSpan):
        where = f" ({mention.where.words})" if mention.where is not None else ""
        spot = f"  {mention.file_name}:{selector.start}–{selector.end}{where}"
        return Text.assemble("“", (selector.exact, _MARK), "”", (spot, "dim"))
    if isinstance(selector, Region):
        return Text(f"{mention.file_name} box {selector.x},{selector.y} {selector.w}×{selector.h} px")
    return Text(f"{mention.file_name} {selector.start:.2f}–{selector.end:.2f} s")


def _reason(reason: str) -> str:
    return f": {reason}" if reason else ""


def _more(branch: Tree, count: int) -> None:
    if count > 0:
        branch.add(Text(f"… and {count} more (--json lists all)", "dim"))
