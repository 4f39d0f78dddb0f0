"""The facade a user meets first: one object, one folder on disk."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from kgfuse.errors import WorkspaceError
from kgfuse.ontology import Vocabulary, available, load_all
from kgfuse.workspace import settings as settings_file
from kgfuse.workspace.answering import Answering
from kgfuse.workspace.consulting import Consulting
from kgfuse.workspace.deciding import Deciding
from kgfuse.workspace.filling import Filling
from kgfuse.workspace.opening import open_reader, open_writer
from kgfuse.workspace.settings import Settings

_FOLDERS = ("blobs", "features", "models", "logs")


class Workspace(Filling, Deciding, Consulting, Answering):
    """Documents, pictures and RDF, the knowledge graph made of them, and the models trained on it.

    Use :meth:`create` or :meth:`open`; close it, or use it in a ``with`` statement.

    Attributes:
        path: its folder.
        settings: what ``kgfuse.toml`` says.
    """

    @classmethod
    def create(
        cls, path: str | Path, ontologies: Sequence[str] = (), settings: Settings | Mapping[str, Any] | None = None
    ) -> Workspace:
        """Make a new workspace.

        Args:
            path: a folder that does not exist or is empty.
            ontologies: names of installed packs, or paths of packs or of OWL, RDFS or SKOS files.
            settings: how it extracts and encodes; ``None`` keeps the defaults.

        Raises:
            WorkspaceError: the folder holds something already.
            PackError: a pack is unknown or broken; nothing is made then.
        """
        folder = Path(path).resolve()
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            if (folder / settings_file.FILE).exists():
                raise WorkspaceError("is a workspace already", where=folder, remedy="open it, or name another folder")
            raise WorkspaceError("is not an empty folder", where=folder, remedy="name a new folder")
        given = settings if isinstance(settings, Settings) else settings_file.check(dict(settings or {}), "settings")
        names = (
            tuple(str(Path(o).resolve()) if Path(o).exists() and o not in available() else o for o in ontologies)
            or given.ontologies
        )
        chosen = given.model_copy(update={"ontologies": names})
        Vocabulary(load_all(chosen.ontologies))
        existed = folder.exists()
        try:
            for name in _FOLDERS:
                (folder / name).mkdir(parents=True, exist_ok=True)
            settings_file.save(chosen, folder)
        except OSError as e:
            if not existed:
                shutil.rmtree(folder, ignore_errors=True)
            raise WorkspaceError(f"cannot be made: {e.strerror}", where=folder, remedy="check space and rights") from e
        return cls.open(folder)

    @classmethod
    def open(cls, path: str | Path, *, read_only: bool = False) -> Workspace:
        """Open a workspace.

        One process at a time has it open for writing. Any number may read beside it: they see the graph as the last
        finished build, removal or classification left it.

        Args:
            path: its folder.
            read_only: leave everything as it is.

        Raises:
            WorkspaceError: there is none, it is damaged, or another process has it open for writing.
        """
        folder = Path(path).resolve()
        chosen = settings_file.load(folder)
        return cls(open_reader(folder, chosen) if read_only else open_writer(folder, chosen))
