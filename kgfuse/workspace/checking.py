"""``check``: proves that nothing stands in the graph without provenance, and that all that is cited is there.

Everything is read from the store itself, never from the columns that are kept beside it, which are checked too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from kgfuse.graph import provenance_terms as prov
from kgfuse.reason.shapes import Violation, validate
from kgfuse.terms.namespaces import GRAPH_PROVENANCE
from kgfuse.workspace.checking_findings import Checked, Finding
from kgfuse.workspace.checking_graph import default_graph, predictions, triples
from kgfuse.workspace.checking_leakage import across_splits
from kgfuse.workspace.checking_shapes import provenance_violations, read_shapes
from kgfuse.workspace.checking_sources import graphs, mentions, sources
from kgfuse.workspace.parts import OnEvent, Parts, silent

_STEPS: Final = (
    ("sources", sources),
    ("graphs", graphs),
    ("triples", triples),
    ("default graph", default_graph),
    ("mentions", mentions),
    ("predictions", predictions),
)


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What was checked, and what was found.

    Args:
        checked: how many of each were looked at.
        findings: broken provenance; none in a healthy workspace.
        violations: of the packs' and the user's shapes: about the knowledge, not about its provenance.
    """

    checked: dict[str, int]
    findings: tuple[Finding, ...]
    violations: tuple[Violation, ...]

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "checked": self.checked,
            "findings": [asdict(f) for f in self.findings],
            "violations": [v.to_dict() for v in self.violations],
        }


def check(
    parts: Parts, shapes: Sequence[str | Path] = (), on_event: OnEvent = silent, *, leakage: bool = False
) -> CheckReport:
    """Check the whole workspace; only reads.

    Args:
        parts: the workspace.
        shapes: files of SHACL shapes, beside those of the packs.
        on_event: told about progress.
        leakage: also name duplicates and groups across splits.

    Raises:
        PackError: a shapes file cannot be read; names file and line.
    """
    own = [read_shapes(Path(path)) for path in shapes]
    checked = Checked()
    findings: list[Finding] = []
    total = len(_STEPS) + 2
    for n, (name, step) in enumerate(_STEPS):
        on_event("check", n, total, name)
        findings += step(parts, checked)
    if leakage:
        findings += across_splits(parts, checked)
    on_event("check", len(_STEPS), total, "provenance shapes")
    for kind, property_ in (("statements", prov.IN_GRAPH), ("runs", prov.PARAMETERS)):
        checked[kind] = parts.store.nodes_with(property_.value, GRAPH_PROVENANCE)
    findings += [Finding("provenance shape", node, what) for node, what in provenance_violations(parts.store)]
    on_event("check", len(_STEPS) + 1, total, "shapes")
    packs = [pack.shapes for pack in parts.packs if pack.shapes is not None]
    violations = validate(parts.store, [*packs, *own])
    on_event("check", total, total, "")
    return CheckReport(dict(checked), tuple(findings), tuple(violations))
