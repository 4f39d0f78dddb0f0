"""Resolution names what texts mention: the same outcome whatever the order, one entity whatever the spelling."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from kgfuse.extract.protocol import run
from kgfuse.extract.resolve import Known, Resolution, resolve
from kgfuse.extract.settings import ExtractSettings
from kgfuse.extract.text import TextExtractor
from kgfuse.ontology.vocabulary import Vocabulary
from kgfuse.terms.mentions import Extraction, Mention
from kgfuse.terms.namespaces import ENTITY, ITEM, RDF, item_iri
from tests.extract.conftest import Z, text_source

TEXTS = {
    "Fox": "The fox eats small mice and voles. It lives in forests. The fox is native to France.",
    "Owl": "The owl eats foxes and voles. Owls do not eat seeds. The owl is native to Spain and France.",
    "Vole": "The vole eats seeds. It lives in rivers. Voles eat rivers.",
}
ITEMS = {label.casefold(): Known(item_iri(label.casefold()), (Z + "Animal",)) for label in TEXTS}


def extractions(extractor: TextExtractor) -> list[Extraction]:
    return list(run(extractor, [text_source(t, label, f"{label}.txt") for label, t in TEXTS.items()]))


def triples(resolution: Resolution) -> set[tuple[str, str, str]]:
    return {(f.subject, f.predicate, f.object) for f in resolution.facts if isinstance(f.object, str)}


def test_items_come_before_minted_entities(zoo: Vocabulary, extractor: TextExtractor) -> None:
    found = triples(resolve(extractions(extractor), zoo, ITEMS))
    assert (ITEM + "fox", Z + "eats", ITEM + "vole") in found
    assert (ITEM + "owl", Z + "eats", ITEM + "fox") in found
    assert (ITEM + "fox", Z + "eats", Z + "mouse") in found


def test_what_nobody_knows_is_minted_once_and_typed(zoo: Vocabulary, extractor: TextExtractor) -> None:
    resolution = resolve(extractions(extractor), zoo, ITEMS)
    entity = resolution.entities[ENTITY + "france"]
    assert (entity.label, entity.types) == ("France", (Z + "Place",))
    says_so = {f.source for f in resolution.facts if f.subject == entity.iri and f.predicate == RDF + "type"}
    assert {s.rsplit("/", 1)[-1] for s in says_so} == {"Fox.txt", "Owl.txt"}


def test_every_fact_rests_on_words_of_its_own_source(zoo: Vocabulary, extractor: TextExtractor) -> None:
    resolution = resolve(extractions(extractor), zoo, ITEMS)
    assert resolution.facts
    assert all(f.evidence and {m.source for m in f.evidence} == {f.source} for f in resolution.facts)
    keys = [(f.source, f.subject, f.predicate, repr(f.object)) for f in resolution.facts]
    assert len(keys) == len(set(keys))


def test_denied_and_contradictory_statements_are_kept_apart_with_their_reason(
    zoo: Vocabulary, extractor: TextExtractor
) -> None:
    resolution = resolve(extractions(extractor), zoo, ITEMS, ExtractSettings(min_confidence=0.0))
    assert (ITEM + "owl", Z + "eats", Z + "seed") not in triples(resolution)
    assert {"negated", "range"} <= {r.rule for r in resolution.rejected}
    assert all(r.reason for r in resolution.rejected)


@settings(max_examples=10, deadline=None)
@given(order=st.permutations(range(3)))
def test_the_order_of_sources_does_not_matter(zoo: Vocabulary, extractor: TextExtractor, order: list[int]) -> None:
    found = extractions(extractor)
    assert resolve([found[n] for n in order], zoo, ITEMS) == resolve(found, zoo, ITEMS)


def test_removing_a_source_leaves_what_the_others_say(zoo: Vocabulary, extractor: TextExtractor) -> None:
    found = extractions(extractor)
    without = resolve([e for e in found if not e.source.endswith("Owl.txt")], zoo, ITEMS)
    assert ENTITY + "spain" not in without.entities
    assert ENTITY + "france" in without.entities


def test_an_entity_keeps_no_two_disjoint_types(zoo: Vocabulary, extractor: TextExtractor) -> None:
    resolution = resolve(extractions(extractor), zoo, ITEMS, ExtractSettings(min_confidence=0.0))
    for entity in resolution.entities.values():
        assert not any(zoo.are_disjoint(a, b) for a in entity.types for b in entity.types)


def test_mentions_with_an_entity_keep_it(zoo: Vocabulary, extractor: TextExtractor) -> None:
    found = extractions(extractor)
    resolution = resolve(found, zoo, {**ITEMS, "mouse": Known(item_iri("mouse"))})
    assert (ITEM + "fox", Z + "eats", ITEM + "mouse") not in triples(resolution)
    assert any(isinstance(s.object, Mention) and s.object.entity == Z + "mouse" for e in found for s in e.statements)
