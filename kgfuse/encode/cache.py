"""Feature vectors on disk, by model hash and content hash: append-only, memory-mapped, safe against a crash."""

from __future__ import annotations

import hashlib
import json
import os
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

from kgfuse.errors import ModelError

_KEY: Final = np.dtype([("key", "S32"), ("crc", "<u4")])


class FeatureCache:
    """A folder of append-only arrays, one per model.

    Per model three files: ``.json`` (model hash, width, type), ``.rows`` (the vectors) and ``.keys`` (32 bytes of
    content hash and the CRC-32 of the vector). A vector is written and synced before its key, so a tail that a crash
    cut off has no key and is overwritten; a vector whose CRC does not match counts as absent.

    Args:
        folder: created on the first write.
        dtype: of the vectors on disk; ``get`` returns the same.
    """

    def __init__(self, folder: Path, dtype: type[np.floating[Any]] = np.float32) -> None:
        self.folder = Path(folder)
        self.dtype = np.dtype(dtype).newbyteorder("<")
        self._index: dict[str, dict[bytes, int]] = {}

    def get(self, model_hash: str, content_hashes: Sequence[str]) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        """Look vectors up.

        Returns:
            array of shape (n, dim), zero where unknown (dim 0 where the model has none yet), and a mask (n,).
        """
        rows, index = self.rows(model_hash, content_hashes)
        out = np.zeros((len(index), rows.shape[1]), dtype=self.dtype)
        mask = index >= 0
        if mask.any():
            out[mask] = rows[index[mask]]
        return out, mask

    def rows(self, model_hash: str, content_hashes: Sequence[str]) -> tuple[NDArray[Any], NDArray[np.int64]]:
        """Return the model's memory-mapped matrix and each content's row in it, -1 where unknown or damaged.

        For data too wide to be copied whole: index the matrix batch by batch.
        """
        matrix, checksums = self._open(model_hash)
        known = self._index[model_hash]
        index = np.array([known.get(_key(name), -1) for name in content_hashes], dtype=np.int64)
        for row in np.unique(index[index >= 0]).tolist():
            if zlib.crc32(matrix[row].tobytes()) != checksums[row]:
                index[index == row] = -1
        return matrix, index

    def put(self, model_hash: str, content_hashes: Sequence[str], features: NDArray[Any]) -> None:
        """Append vectors (n, dim); what is already there is left alone.

        Raises:
            ModelError: the width differs from that of the vectors already kept for this model.
        """
        data = np.ascontiguousarray(features, dtype=self.dtype)
        if data.ndim != 2 or len(data) != len(content_hashes):
            raise ValueError(f"features of shape {data.shape} for {len(content_hashes)} hashes")
        if not len(data):
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        with FileLock(str(self._path(model_hash, ".lock"))):
            self._describe(model_hash, data.shape[1])
            _, index = self.rows(model_hash, content_hashes)
            fresh: dict[bytes, int] = {}
            for at, name in enumerate(content_hashes):
                if index[at] < 0:
                    fresh.setdefault(_key(name), at)
            self._append(model_hash, fresh, data)

    def _append(self, model_hash: str, fresh: dict[bytes, int], data: NDArray[Any]) -> None:
        count = self._count(model_hash, data.shape[1])
        keys = np.zeros(len(fresh), dtype=_KEY)
        keys["key"] = list(fresh)
        picked = data[list(fresh.values())]
        keys["crc"] = [zlib.crc32(row.tobytes()) for row in picked]
        for suffix, width, payload in (
            (".rows", data.shape[1] * self.dtype.itemsize, picked.tobytes()),
            (".keys", _KEY.itemsize, keys.tobytes()),
        ):
            with self._path(model_hash, suffix).open("ab") as file:
                _write_at(file, count * width, payload)

    def _open(self, model_hash: str) -> tuple[NDArray[Any], NDArray[np.uint32]]:
        width = self._width(model_hash)
        count = self._count(model_hash, width)
        if not count:
            self._index[model_hash] = {}
            return np.zeros((0, width), dtype=self.dtype), np.zeros(0, dtype=np.uint32)
        keys = np.fromfile(self._path(model_hash, ".keys"), dtype=_KEY, count=count)
        known = self._index.get(model_hash, {})
        if len(known) != count:
            # NumPy strips trailing zero bytes from "S" fields, so they are put back; later rows win.
            known = {bytes(key).ljust(32, b"\0"): row for row, key in enumerate(keys["key"])}
            self._index[model_hash] = known
        rows = np.memmap(self._path(model_hash, ".rows"), dtype=self.dtype, mode="r", shape=(count, width))
        return rows, keys["crc"]

    def _count(self, model_hash: str, width: int) -> int:
        keys, rows = self._path(model_hash, ".keys"), self._path(model_hash, ".rows")
        if not width or not keys.exists() or not rows.exists():
            return 0
        return min(keys.stat().st_size // _KEY.itemsize, rows.stat().st_size // (width * self.dtype.itemsize))

    def _width(self, model_hash: str) -> int:
        path = self._path(model_hash, ".json")
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            return int(found["dim"]) if found["model"] == model_hash else 0
        except FileNotFoundError:
            return 0
        except (ValueError, KeyError, TypeError) as error:
            raise ModelError(
                "the feature cache's description is damaged", where=path, remedy="delete the folder; it is made again"
            ) from error

    def _describe(self, model_hash: str, width: int) -> None:
        path, known = self._path(model_hash, ".json"), self._width(model_hash)
        if known and known != width:
            raise ModelError(
                f"vectors of width {width} for a model whose vectors have width {known}",
                where=path,
                remedy="the model changed without its hash; delete the folder",
            )
        if not known:
            part = path.with_suffix(".part")
            text = json.dumps({"model": model_hash, "dim": width, "dtype": self.dtype.str})
            with part.open("w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)

    def _path(self, model_hash: str, suffix: str) -> Path:
        name = hashlib.sha256(f"{model_hash}|{self.dtype.str}".encode()).hexdigest()[:24]
        return self.folder / (name + suffix)


def _key(content_hash: str) -> bytes:
    return hashlib.sha256(content_hash.encode("utf-8", "surrogatepass")).digest()


def _write_at(file: BinaryIO, offset: int, payload: bytes) -> None:
    file.truncate(offset)
    file.seek(offset)
    file.write(payload)
    file.flush()
    os.fsync(file.fileno())
