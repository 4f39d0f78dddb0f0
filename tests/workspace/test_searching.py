"""Search in a workspace: hits lead to characters and to what was extracted there; meaning finds what words do not."""

import numpy as np
import pytest

from kgfuse.errors import UsageError
from kgfuse.terms.namespaces import ENTITY
from kgfuse.workspace.searching import _cosines, refresh_index, search, similar
from tests.workspace.samples import FG, ITEM, TEXTS, texts, workspace


@pytest.fixture(scope="module")
def ws(tmp_path_factory):
    folder = tmp_path_factory.mktemp("searching")
    with workspace(folder / "ws", texts(folder / "docs")) as ws:
        refresh_index(ws._parts)
        yield ws


def test_a_word_leads_to_the_text_and_to_what_was_extracted_there(ws):
    (found,) = search(ws._parts, "feathers", kind="text")
    hit = found.hit
    assert (hit.iri, hit.name) == (ITEM + "docs/owl", "docs/owl.txt")
    assert TEXTS["owl"][hit.start : hit.end] == hit.exact
    assert found.label == "owl"
    assert found.mentions
    assert all(TEXTS["owl"][m.selector.start : m.selector.end] == m.selector.exact for m in found.mentions)


def test_a_label_leads_to_the_thing_and_where_it_is_spoken_of(ws):
    (found,) = [f for f in search(ws._parts, "owl", kind="label") if f.hit.iri == ITEM + "docs/owl"]
    assert found.hit.exact == "owl"
    assert {m.file_name for m in found.mentions} <= {"docs/owl.txt"}


def test_only_what_changed_is_written(ws, tmp_path):
    again = refresh_index(ws._parts)
    assert (again.added, again.removed) == (0, 0)
    with workspace(tmp_path / "ws", texts(tmp_path / "docs")) as other:
        assert search(other._parts, "cutting", kind="text")
        other.remove("docs/saw.txt")
        assert search(other._parts, "cutting", kind="text") == []


def test_meaning_finds_what_words_do_not(ws):
    found = similar(ws._parts, "an avian creature", k=3)
    assert FG + "Bird" in {f.iri for f in found}
    assert [f.similarity for f in found] == sorted((f.similarity for f in found), reverse=True)


def test_a_thing_is_not_similar_to_itself(ws):
    iri = ITEM + "docs/owl"
    found = similar(ws._parts, iri, k=1000, min_similarity=0.2)
    assert iri not in {f.iri for f in found}
    assert found
    assert min(f.similarity for f in found) >= 0.2
    assert similar(ws._parts, iri, k=5) == found[:5]


def test_what_has_no_name_is_told(ws):
    with pytest.raises(UsageError, match="no name for"):
        similar(ws._parts, ENTITY + "nobody")
    with pytest.raises(UsageError, match="nothing to look for"):
        similar(ws._parts, "  ")


def test_cosines_are_those_of_the_definition():
    rng = np.random.default_rng(0)
    vectors, query = rng.normal(size=(50, 8)).astype(np.float32), rng.normal(size=8).astype(np.float32)
    vectors[3] = 0
    wanted = [v @ query / (np.linalg.norm(v) * np.linalg.norm(query)) if v.any() else 0 for v in vectors]
    assert _cosines(vectors, query) == pytest.approx(np.array(wanted), abs=1e-5)
