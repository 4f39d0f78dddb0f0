from __future__ import annotations

import pytest

from kgfuse.encode.image import ImageEncoder
from kgfuse.encode.text import TextEncoder


@pytest.fixture(scope="session")
def text_encoder() -> TextEncoder:
    return TextEncoder(device="cpu")


@pytest.fixture(scope="session")
def image_encoder() -> ImageEncoder:
    return ImageEncoder(device="cpu")
