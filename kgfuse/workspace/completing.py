"""``complete``: likely ends of statements that the graph does not state, with a probability, never written as facts."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch

from kgfuse.encode.device import resolve
from kgfuse.encode.fit_links import LinkEpoch
from kgfuse.errors import ModelError, TrainingError, UsageError
from kgfuse.fuse import links_file
from kgfuse.fuse.links import MEMBERS, LinkPredictor, LinkReport, fit_predictor
from kgfuse.graph import KnowledgeGraph
from kgfuse.graph.paths import Path as GraphPath
from kgfuse.ontology import Vocabulary
from kgfuse.terms.namespaces import KGF, RDF, digest
from kgfuse.workspace.encoderview import Key, asserted_keys, copies
from kgfuse.workspace.fitting_ends import Ends
from kgfuse.workspace.hierarchy import Hierarchy, class_items, target_spec
from kgfuse.workspace.parts import OnEvent, Parts
from kgfuse.workspace.resolving import Resolved
from kgfuse.workspace.training import mask_of

FOLDER: Final = "links"
_HOPS: Final = 3


@dataclass(frozen=True)
class Proposal:
    """A possible end of the statement.

    Args:
        iri: of it.
        label: of it.
        types: IRIs of its classes.
        probability: that it is the one, given that there is one more that the graph does not state.
        paths: ways through what the graph states, from the subject to the object.
    """

    iri: str
    label: str
    types: tuple[str, ...]
    probability: float
    paths: tuple[GraphPath, ...]


@dataclass(frozen=True)
class Completion:
    """Proposals, most likely first, and how far they can be trusted.

    Args:
        subject: IRI, or ``None`` where subjects are proposed.
        predicate: IRI.
        object: IRI, or ``None`` where objects are proposed.
        proposals: none of them holds in the graph, none contradicts the ontology.
        report: how the predictor does on held-out statements, beside the frequency of the object with the property.
        judgement: the same in a sentence.
    """

    subject: str | None
    predicate: str
    object: str | None
    proposals: tuple[Proposal, ...]
    report: LinkReport
    judgement: str

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "subject": self.subject,
            "predicate": self.predicate,
            "object": self.object,
            "proposals": [
                {
                    "iri": p.iri,
                    "label": p.label,
                    "types": list(p.types),
                    "probability": p.probability,
                    "paths": [[[s.subject, s.predicate, s.object] for s in path.steps] for path in p.paths],
                }
                for p in self.proposals
            ],
            "judged": {name: value for name, value in self.report.to_dict().items() if name != "relations"},
            "judgement": self.judgement,
        }


class Completer:
    """Answers questions by a link predictor.

    Args:
        graph: what holds.
        vocabulary: the packs.
        predictor: trained.
        ends: entities and relations, and which fit each other.
    """

    def __init__(self, graph: KnowledgeGraph, vocabulary: Vocabulary, predictor: LinkPredictor, ends: Ends) -> None:
        self.graph, self.vocabulary, self.predictor, self.ends = graph, vocabulary, predictor, ends

    def complete(self, subject: str | None, predicate: str, object: str | None, *, k: int, paths: int) -> Completion:
        """Propose ends; see :meth:`kgfuse.Workspace.complete`."""
        if (subject is None) == (object is None):
            raise UsageError("one end of the statement is asked for, the other given", remedy="give one of them")
        if k < 1:
            raise UsageError(f"k is {k}", remedy="ask for at least one answer")
        expand = self.vocabulary.expand
        prop = RDF + "type" if predicate == "a" else expand(predicate)
        given = expand(subject or object or "")
        number = self.ends.relation_at.get(prop)
        if number is None:
            known = ", ".join(self.vocabulary.shrink(r) for r in self.ends.relations[:20])
            raise UsageError(
                f"no statement between things has the property {predicate}, apart from labels and what reveals them",
                remedy=f"there are: {known}",
            )
        place = self.ends.entity_at.get(given)
        if place is None:
            raise UsageError(f"nothing is stated of {given}", remedy="name a thing that statements lead from or to")
        forward = subject is not None
        closed = self.ends.closed(place, number, forward, self._stated(given, prop, forward))
        relation = number if forward else number + len(self.ends.relations)
        shares = self.predictor.probabilities(place, relation, closed)
        order = torch.argsort(shares, descending=True, stable=True)[: min(k, int((~closed).sum()))].tolist()
        proposals = tuple(
            self._proposal(given, self.ends.entities[at], round(float(shares[at]), 6), forward, paths) for at in order
        )
        report = self.predictor.report
        assert report is not None
        ends = (given, None) if forward else (None, given)
        return Completion(ends[0], prop, ends[1], proposals, report, self._judgement(report, given, prop, forward))

    def _stated(self, given: str, prop: str, forward: bool) -> set[str]:
        """What already stands at the other end."""
        triples = self.graph.triples(given, prop) if forward else self.graph.triples(None, prop, given)
        return {str(o if forward else s) for s, _, o in triples}

    def _proposal(self, given: str, iri: str, share: float, forward: bool, paths: int) -> Proposal:
        ends = (given, iri) if forward else (iri, given)
        found = self.graph.paths(*ends, k=paths, max_hops=_HOPS) if paths else []
        return Proposal(iri, self.graph.label(iri), self.ends.types(iri), share, tuple(found))

    def _judgement(self, report: LinkReport, given: str, prop: str, forward: bool) -> str:
        known = self.vocabulary.properties.get(prop)
        if forward and known is not None and known.functional and self._stated(given, prop, forward):
            return f"{known.label!r} has one value only, and {self.graph.label(given)} has it: nothing is proposed"
        if report.too_small:
            return f"the graph is too small to judge: {report.judged} statements could be held out"
        figures = (
            f"on {report.judged} statements held out: MRR {report.ranking.mrr:.3f}, among the first ten "
            f"{report.ranking.hits[10]:.0%}; by the frequency of the end with the property alone "
            f"{report.baseline.mrr:.3f}, {report.baseline.hits[10]:.0%}"
        )
        if not report.better:
            return f"too small a graph, or too irregular: no better than frequencies ({figures})"
        own = report.relations.get(self.ends.relation_at[prop] + (0 if forward else len(self.ends.relations)))
        here = f"; this question {own[0]} times: MRR {own[1]:.3f} against {own[2]:.3f}" if own else ""
        return f"{figures}{here}; probabilities are {report.calibration_error:.2f} off on average"


def completer(parts: Parts, found: Resolved, on_event: OnEvent) -> Completer:
    """The link predictor of the graph as it is, from the workspace's folder or trained now.

    Raises:
        TrainingError: the graph states nothing between things.
    """
    keys = _keys(parts, found)
    if not keys:
        raise TrainingError("the graph states nothing between things", remedy="add sources and build")
    ends = Ends(parts.graph, parts.vocabulary, keys)
    folder = parts.folder / FOLDER / _fingerprint(parts, keys)
    try:
        predictor, entities, relations = links_file.load(folder)
    except ModelError:
        predictor = _train(ends, on_event)
        _keep(predictor, ends, folder)
    else:
        assert (entities, relations) == (ends.entities, ends.relations)
    return Completer(parts.graph, parts.vocabulary, predictor, ends)


def _keys(parts: Parts, found: Resolved) -> list[Key]:
    """Asserted triples between things, without labels of items and what reveals them; sorted.

    What says again what another one says is left out: that a text mentions a thing (all of kgfuse's own properties),
    and what is stated under a more special property, too.
    """
    items = list(parts.catalog.items())
    hierarchy = Hierarchy(parts.vocabulary, class_items(items))
    specs = []
    for target in sorted({p for item in items for p in item.labels}):
        try:
            specs.append(target_spec(target, hierarchy, items))
        except TrainingError:
            continue  # fewer than two classes: no question, so nothing that gives its answer away
    mask = mask_of(parts, found, hierarchy, specs)
    keys = asserted_keys(parts, found.resolution, mask, items)
    kept = {k for k in keys if not k[2].startswith('"') and not k[1].startswith(KGF)}
    return sorted(kept - copies(kept, parts.vocabulary))


def _fingerprint(parts: Parts, keys: list[Key]) -> str:
    said = (name for key in keys for name in key)
    return digest(str(links_file.FORMAT), repr(MEMBERS), parts.vocabulary.sha256, *said)


def _train(ends: Ends, on_event: OnEvent) -> LinkPredictor:
    def on_epoch(number: int, epoch: LinkEpoch) -> None:
        note = "" if epoch.ranking is None else f"MRR {epoch.ranking.mrr:.3f}"
        on_event(f"links {number + 1} of {2 * len(MEMBERS)}", epoch.epoch, epoch.epochs, note)

    sizes = len(ends.entities), len(ends.relations)
    device = resolve("auto")
    return fit_predictor(ends.triples, *sizes, device, allowed=ends.allowed, groups=ends.groups, on_epoch=on_epoch)


def _keep(predictor: LinkPredictor, ends: Ends, folder: Path) -> None:
    """Save it in place of those of earlier states; a folder that cannot be written is no reason to fail."""
    try:
        links_file.save(predictor, ends.entities, ends.relations, folder)
        for other in folder.parent.iterdir():
            if other != folder:
                shutil.rmtree(other, ignore_errors=True)
    except OSError:
        shutil.rmtree(folder, ignore_errors=True)
