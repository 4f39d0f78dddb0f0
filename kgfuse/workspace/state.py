"""An open workspace: its parts, and what was computed of them so far."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kgfuse.errors import UsageError
from kgfuse.graph import KnowledgeGraph
from kgfuse.ontology import Vocabulary
from kgfuse.workspace.opening import Opened

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from kgfuse.workspace.aligning import Aligned
    from kgfuse.workspace.completing import Completer
    from kgfuse.workspace.predictor import Predictor
    from kgfuse.workspace.resolving import Resolved
    from kgfuse.workspace.review.candidates import Candidate


class State:
    """What the verbs of :class:`kgfuse.Workspace` share.

    Attributes:
        path: its folder.
        settings: what ``kgfuse.toml`` says.
    """

    def __init__(self, opened: Opened) -> None:
        self._opened = opened
        self._parts = parts = opened.parts
        self._resolved: Resolved | None = None
        self._candidates: list[Candidate] | None = None
        self._predictors: dict[str, Predictor] = {}
        self._aligned: Aligned | None = None
        self._completer: Completer | None = None
        self.path = parts.folder
        self.settings = parts.settings

    def close(self) -> None:
        """Let go of all files."""
        self._predictors.clear()
        self._completer = None
        self._opened.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def graph(self) -> KnowledgeGraph:
        """Python views: neighbours, paths, NetworkX, PyTorch Geometric, rdflib."""
        return self._parts.graph

    @property
    def vocabulary(self) -> Vocabulary:
        """The ontology packs' merged view."""
        return self._parts.vocabulary

    def _facts(self) -> Resolved:
        if self._resolved is None:
            from kgfuse.workspace.resolving import resolved

            if not self._parts.catalog.get_state("built"):
                raise UsageError("the graph is not built", where=self.path, remedy="run build first")
            self._resolved = resolved(self._parts)
        return self._resolved

    def _writing(self) -> None:
        """What was computed of the graph is stale from here on.

        Raises:
            UsageError: the workspace is open for reading only.
        """
        if self._opened.lock is None:
            raise UsageError("is open for reading only", where=self.path, remedy="open it without read_only")
        self._forget()

    def _deciding(self) -> None:
        """The same, but what there is to review stays: a person does not wait between two cards."""
        candidates = self._candidates
        self._writing()
        self._candidates = candidates

    def _forget(self) -> None:
        self._resolved = None
        self._candidates = None
        self._aligned = None
        self._completer = None
        self._predictors.clear()
