"""The terms in which ``kgf:provenance`` says why a triple is in the graph."""

from __future__ import annotations

from typing import Final

import pyoxigraph as ox

from kgfuse.terms.namespaces import DCTERMS, GRAPH_PROVENANCE, KGF, OA, PROV, RDF, XSD

GRAPH: Final = ox.NamedNode(GRAPH_PROVENANCE)
TYPE: Final = ox.NamedNode(RDF + "type")
SUBJECT: Final = ox.NamedNode(RDF + "subject")
PREDICATE: Final = ox.NamedNode(RDF + "predicate")
OBJECT: Final = ox.NamedNode(RDF + "object")
IN_GRAPH: Final = ox.NamedNode(KGF + "inGraph")
OF_SOURCE: Final = ox.NamedNode(KGF + "ofSource")
CONFIDENCE: Final = ox.NamedNode(KGF + "confidence")
EXTRACTOR: Final = ox.NamedNode(KGF + "extractor")
REASON: Final = ox.NamedNode(KGF + "reason")
ASSERTION: Final = ox.NamedNode(KGF + "assertion")
SAID_BY: Final = ox.NamedNode(KGF + "saidBy")
UNIT: Final = ox.NamedNode(KGF + "unit")
REFERS_TO: Final = ox.NamedNode(KGF + "refersTo")
FILE_NAME: Final = ox.NamedNode(KGF + "fileName")
SHA256: Final = ox.NamedNode(KGF + "sha256")
FORMAT: Final = ox.NamedNode(DCTERMS + "format")
LANGUAGE: Final = ox.NamedNode(DCTERMS + "language")
TRANSCRIPTION: Final = ox.NamedNode(KGF + "transcription")
DERIVED_FROM: Final = ox.NamedNode(PROV + "wasDerivedFrom")
GENERATED_BY: Final = ox.NamedNode(PROV + "wasGeneratedBy")
HAS_SOURCE: Final = ox.NamedNode(OA + "hasSource")
HAS_SELECTOR: Final = ox.NamedNode(OA + "hasSelector")
START: Final = ox.NamedNode(OA + "start")
END: Final = ox.NamedNode(OA + "end")
EXACT: Final = ox.NamedNode(OA + "exact")
VALUE: Final = ox.NamedNode(RDF + "value")
CONFORMS_TO: Final = ox.NamedNode(DCTERMS + "conformsTo")
MEDIA_FRAGMENTS: Final = ox.NamedNode("http://www.w3.org/TR/media-frags/")
CELL_FRAGMENTS: Final = ox.NamedNode("http://tools.ietf.org/rfc/rfc7111")
PDF_FRAGMENTS: Final = ox.NamedNode("http://tools.ietf.org/rfc/rfc3778")

DECISION: Final = ox.NamedNode(KGF + "decision")
REVIEWER: Final = ox.NamedNode(KGF + "reviewer")
ON_SUBJECT: Final = ox.NamedNode(KGF + "onSubject")
ON_PREDICATE: Final = ox.NamedNode(KGF + "onPredicate")
ON_OBJECT: Final = ox.NamedNode(KGF + "onObject")
ON_WORDS: Final = ox.NamedNode(KGF + "onWords")
REPLACED_BY: Final = ox.NamedNode(KGF + "replacedBy")

REVIEW_TYPE: Final = ox.NamedNode(KGF + "Review")
STATEMENT_TYPE: Final = ox.NamedNode(RDF + "Statement")
MENTION_TYPE: Final = ox.NamedNode(KGF + "Mention")
SOURCE_TYPE: Final = ox.NamedNode(KGF + "Source")
RUN_TYPE: Final = ox.NamedNode(KGF + "Run")
ACTIVITY_TYPE: Final = ox.NamedNode(PROV + "Activity")
VERSION: Final = ox.NamedNode(KGF + "version")
MODEL_HASH: Final = ox.NamedNode(KGF + "modelHash")
PARAMETERS: Final = ox.NamedNode(KGF + "parameters")
STEP: Final = ox.NamedNode(KGF + "preprocessing")
STEP_TYPE: Final = ox.NamedNode(KGF + "PreprocessingStep")
STEP_NAME: Final = ox.NamedNode(KGF + "stepName")
STEP_NUMBER: Final = ox.NamedNode(KGF + "stepNumber")
STEP_VERSION: Final = ox.NamedNode(KGF + "stepVersion")
STEP_PARAMETERS: Final = ox.NamedNode(KGF + "stepParameters")
POSITION_TYPE: Final = ox.NamedNode(OA + "TextPositionSelector")
QUOTE_TYPE: Final = ox.NamedNode(OA + "TextQuoteSelector")
FRAGMENT_TYPE: Final = ox.NamedNode(OA + "FragmentSelector")
XPATH_TYPE: Final = ox.NamedNode(OA + "XPathSelector")
JSON: Final = ox.NamedNode(RDF + "JSON")
INTEGER: Final = ox.NamedNode(XSD + "integer")
DECIMAL: Final = ox.NamedNode(XSD + "decimal")
FORM: Final[dict[ox.NamedNode | str, str]] = {
    value: str(value) for value in tuple(globals().values()) if isinstance(value, ox.NamedNode)
}
"""N-Triples forms of the terms above."""
