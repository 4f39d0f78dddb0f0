from __future__ import annotations

import numpy as np
import pytest

from kgfuse.encode.text import TextEncoder
from kgfuse.errors import ModelError


def test_vectors_have_length_one_and_blank_texts_are_zero(text_encoder: TextEncoder) -> None:
    vectors = text_encoder.encode(["An apple is a fruit.", "", " \n"])
    assert vectors.shape == (3, text_encoder.dim)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), [1, 0, 0], atol=1e-6)
    assert text_encoder.encode([]).shape == (0, text_encoder.dim)


def test_what_means_alike_lies_close(text_encoder: TextEncoder) -> None:
    apple, pear, tractor = text_encoder.encode(["a ripe apple", "a juicy pear", "a diesel tractor"])
    assert apple @ pear > apple @ tractor + 0.2


def test_one_call_repeated_gives_the_same_bits(text_encoder: TextEncoder) -> None:
    texts = [f"sentence {n} about " + "fruit " * (n % 7) for n in range(70)]
    assert np.array_equal(text_encoder.encode(texts), text_encoder.encode(texts))


def test_order_and_company_change_a_vector_by_rounding_only(text_encoder: TextEncoder) -> None:
    texts = ["A fox lives in the forest.", "Wheat.", "The tram is powered by electricity and runs on rails. " * 5]
    together = text_encoder.encode(texts)
    assert np.array_equal(text_encoder.encode(texts[::-1])[::-1], together)
    alone = np.concatenate([text_encoder.encode([text]) for text in texts])
    assert np.abs(alone - together).max() < 1e-6


def test_the_end_of_a_long_text_counts(text_encoder: TextEncoder) -> None:
    beginning = "The apple is sweet. " * 80
    plain, turned = text_encoder.encode([beginning + "The apple is sweet. " * 80, beginning + "Volcanoes erupt. " * 80])
    assert plain @ turned < 0.95


def test_a_model_that_cannot_be_had_names_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(ModelError, match="local cache"):
        TextEncoder("nobody/no-such-model")
