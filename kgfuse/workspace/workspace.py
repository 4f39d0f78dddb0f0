"""The facade a user meets first: one object, one folder on disk."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kgfuse.catalog import ItemRow, ModelRow, ProblemRow, SourceRow
from kgfuse.errors import UsageError, WorkspaceError
from kgfuse.graph import KnowledgeGraph, QueryResult
from kgfuse.ontology import Vocabulary, available, load_all
from kgfuse.workspace import removal
from kgfuse.workspace import settings as settings_file
from kgfuse.workspace.intake import AddReport, Intake
from kgfuse.workspace.opening import Opened, open_reader, open_writer
from kgfuse.workspace.parts import OnEvent, silent
from kgfuse.workspace.settings import Settings

if TYPE_CHECKING:
    from types import TracebackType

    import pyoxigraph as ox

    from kgfuse.explain.chain import Explanation
    from kgfuse.extract.identity.linking import Unclear
    from kgfuse.extract.identity.same import Merge, Wish
    from kgfuse.fuse.config import TrainConfig
    from kgfuse.graph.search import Kind
    from kgfuse.workspace.build import BuildReport, Resolved
    from kgfuse.workspace.checking import CheckReport
    from kgfuse.workspace.prediction import Prediction, Predictor
    from kgfuse.workspace.review.candidates import Candidate
    from kgfuse.workspace.review.cards import Card
    from kgfuse.workspace.review.decisions import Decision
    from kgfuse.workspace.searching import Found, Similar
    from kgfuse.workspace.training import Trained

_FOLDERS = ("blobs", "features", "models", "logs")


class Workspace:
    """Documents, pictures and RDF, the knowledge graph made of them, and the models trained on it.

    Use :meth:`create` or :meth:`open`; close it, or use it in a ``with`` statement.

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
        self.path = parts.folder
        self.settings = parts.settings

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

    def close(self) -> None:
        """Let go of all files."""
        self._predictors.clear()
        self._opened.release()

    def __enter__(self) -> Workspace:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # knowledge in

    def add(self, *paths: str | Path, encoding: str | None = None, on_event: OnEvent = silent) -> AddReport:
        """Add files, folders and manifests; :meth:`build` extracts from them.

        In a folder, a text and pictures of the same name are one item. A manifest (JSON Lines or CSV with an ``id``)
        says so itself. What was added before and has not changed is left alone; what changed is replaced.

        Args:
            paths: files or folders.
            encoding: of texts that are not UTF-8 and have no byte order mark.
            on_event: told about progress.
        """
        parts, count = self._parts, 0

        def on_file(name: str) -> None:
            nonlocal count
            count += 1
            on_event("add", count, 0, name)

        self._writing()
        return Intake(parts.catalog, parts.blobs, parts.vocabulary, encoding, on_file).add(paths)

    def remove(self, name: str) -> int:
        """Remove a source with exactly what it said; return how many sources went.

        Args:
            name: a source's name, the path it was added from, or a folder or manifest with all it brought.

        Raises:
            UsageError: nothing has this name; the message lists the nearest.
        """
        self._writing()
        removed = removal.remove(self._parts.catalog, name)
        if self._parts.catalog.get_state("built") is not None:
            from kgfuse.workspace.build import BuildReport, refresh

            refresh(self._parts, BuildReport())
        return removed

    def build(self, *, retry: bool = False, workers: int | None = 1, on_event: OnEvent = silent) -> BuildReport:
        """Extract, resolve, gate, reason and validate, as far as anything changed.

        An interrupted build goes on where it stopped.

        Args:
            retry: try again the sources that failed before.
            workers: processes that extract, ``None`` for as many as are worth it; the graph does not depend on it. A
                script that asks for other than 1 must guard its main part by ``if __name__ == "__main__":``, since
                workers import it.
            on_event: told about progress.
        """
        from kgfuse.workspace.build import build

        self._writing()
        return build(self._parts, on_event, retry=retry, workers=workers)

    def check(self, shapes: Sequence[str | Path] = (), *, on_event: OnEvent = silent) -> CheckReport:
        """Prove that nothing stands in the graph without provenance; validate it against shapes.

        Args:
            shapes: files of SHACL shapes, beside those of the packs.
            on_event: told about progress.

        Raises:
            PackError: a shapes file cannot be read; names file and line.
        """
        from kgfuse.workspace.checking import check

        return check(self._parts, shapes, on_event)

    def add_statements(self, name: str, triples: Iterable[ox.Triple]) -> AddReport:
        """Add statements made by a program, such as an algorithm's results, as a source of its own.

        They hold, are reasoned on after the next :meth:`build`, and go with ``remove(name)``.

        Args:
            name: of the source, such as ``computed/pagerank``; statements added under it before are replaced.
            triples: such as `kgfuse.graph.networkx_view.triples_of` makes of NetworkX results.

        Raises:
            UsageError: the name is that of a file that was added, or is no relative path.
        """
        self._writing()
        parts = self._parts
        return Intake(parts.catalog, parts.blobs, parts.vocabulary, None, None).add_statements(name, triples)

    def review(
        self,
        limit: int | None = 20,
        *,
        source: str | None = None,
        property: str | None = None,
        reviewer: str | None = None,
        decided: bool = False,
    ) -> list[Card]:
        """Extracted statements for a person to accept, reject or correct, the most informative first.

        Decisions are kept at once and override extractors and gate at the next :meth:`build`, for as long as the
        source's words are the same. They also become ``examples.jsonl``.

        Args:
            limit: how many at most; ``None`` for all.
            source: only from the source of this name.
            property: only of this property: label, CURIE or IRI.
            reviewer: who decides; else ``KGFUSE_REVIEWER``, else the login.
            decided: what was decided on, in place of what was not.

        Raises:
            UsageError: the workspace was never built, or nothing has such a name.
        """
        from kgfuse.workspace.review.cards import cards

        return cards(self, limit, source=source, property=property, reviewer=reviewer, settled=decided)

    def decisions(self) -> tuple[list[Decision], list[Decision]]:
        """What people decided: the decisions that hold, and those that lapsed since the words they are on changed."""
        from kgfuse.workspace.review.decisions import decisions

        return decisions(self._parts)

    def entities(self) -> tuple[list[Merge], list[Wish]]:
        """Names that the last build took for one thing, or told apart, with the reasons; and what people decided."""
        from kgfuse.workspace import identity

        return identity.kept(self._parts.catalog), identity.wishes(self._parts.catalog)

    def unclear(self) -> list[Unclear]:
        """Names that fit several identifiers of the gazetteers, and were linked to none; :meth:`merge` decides."""
        from kgfuse.workspace import identity

        return identity.unclear(self._parts.catalog)

    def split(self, name: str, *, reviewer: str | None = None) -> list[Merge]:
        """Keep a name apart from what it was merged with, at the next :meth:`build` and ever after.

        Args:
            name: an entity's name, CURIE or IRI: what was merged, or what it was merged into.
            reviewer: who decides; else ``KGFUSE_REVIEWER``, else the login.

        Returns:
            The merges that will be taken back.

        Raises:
            UsageError: it was not merged with anything.
        """
        from kgfuse.workspace import identity
        from kgfuse.workspace.review.cards import who

        self._writing()
        return identity.split(self._parts, name, who(reviewer))

    def merge(self, name: str, into: str, *, reviewer: str | None = None) -> None:
        """Take a name for another thing, at the next :meth:`build` and ever after.

        Args:
            name: an entity's name, CURIE or IRI.
            into: the same of the thing it means, which may be an item or have any other IRI.
            reviewer: who decides; else ``KGFUSE_REVIEWER``, else the login.

        Raises:
            UsageError: there is no such entity.
        """
        from kgfuse.workspace import identity
        from kgfuse.workspace.review.cards import who

        self._writing()
        identity.merge(self._parts, name, into, who(reviewer))

    def undo_merge(self, name: str, other: str) -> None:
        """Take a decision on two names back.

        Raises:
            UsageError: there is none.
        """
        from kgfuse.workspace import identity

        self._writing()
        identity.undo(self._parts, name, other)

    # knowledge out

    @property
    def graph(self) -> KnowledgeGraph:
        """Python views: neighbours, paths, NetworkX, PyTorch Geometric, rdflib."""
        return self._parts.graph

    @property
    def vocabulary(self) -> Vocabulary:
        """The ontology packs' merged view."""
        return self._parts.vocabulary

    def query(self, sparql: str) -> QueryResult:
        """Run a SPARQL 1.1 query; kgfuse's and the packs' prefixes are known.

        Raises:
            QueryError: it does not parse, or asks for another service.
        """
        return self._parts.store.query(sparql, self.vocabulary.prefixes)

    def search(self, query: str, limit: int = 20, *, kind: Kind | None = None) -> list[Found]:
        """Labels and texts by their words: ``"a phrase"``, ``beginning*``; each with its characters and mentions."""
        from kgfuse.workspace.searching import search

        return search(self._parts, query, limit, kind)

    def similar(self, name: str, k: int = 10, *, min_similarity: float = 0.0) -> list[Similar]:
        """Things of the graph whose names and definitions mean something similar to a thing or a text."""
        from kgfuse.workspace.searching import similar

        return similar(self._parts, name, k, min_similarity=min_similarity)

    def export(self, path: str | Path, format: str | None = None, *, rdf12: bool = False) -> Path:
        """Write the graph to a file: turtle, trig, nquads, ntriples, jsonld, rdfxml or graphml.

        The triple formats and GraphML hold what holds; the quad formats hold everything, provenance included.

        Args:
            path: where to; written whole or not at all.
            format: told by the suffix where not given.
            rdf12: statement nodes as RDF 1.2 triple terms, in TriG and N-Quads.
        """
        from kgfuse.graph.export import export

        self._parts.store.prefixes.update(self.vocabulary.prefixes)
        return export(self._parts.store, Path(path), format, rdf12=rdf12)

    def items(self) -> list[ItemRow]:
        """What gets classified, with splits and labels."""
        return self._parts.catalog.items()

    def sources(self) -> list[SourceRow]:
        """Texts, pictures, RDF files and manifests."""
        return self._parts.catalog.sources()

    def problems(self) -> list[ProblemRow]:
        """What could not be read or extracted, and why."""
        return self._parts.catalog.problems()

    # answers

    def train(
        self,
        target: str | Sequence[str] = "",
        *,
        config: TrainConfig | str | Path | None = None,
        overrides: Iterable[str] = (),
        runs: int = 1,
        resplit: bool = False,
        name: str | None = None,
        on_event: OnEvent = silent,
    ) -> Trained:
        """Train a classifier on the labelled items, with the ablation of text, picture and graph.

        Args:
            target: class whose subclasses are told apart, or a property; several are learned together; empty takes
                whatever the items' labels are.
            config: hyper-parameters, or a TOML file of them.
            overrides: ``key=value`` on top, such as ``epochs=20``.
            runs: seeds (or, with ``resplit``, random splits) of the ablation; 0 leaves it out.
            resplit: split anew in each run of the ablation.
            name: of the model.
            on_event: told about progress.

        Raises:
            TrainingError: too few labels, or classes.
            UsageError: an unknown setting.
        """
        from kgfuse.fuse.config import TrainConfig, load_config
        from kgfuse.workspace.training import train

        chosen = load_config(Path(config)) if isinstance(config, str | Path) else config or TrainConfig()
        targets = [target] if isinstance(target, str) else list(target)
        trained = train(
            self._parts,
            self._facts(),
            targets,
            chosen.with_overrides(overrides),
            runs=runs,
            resplit=resplit,
            name=name,
            on_event=on_event,
        )
        self._predictors.pop(trained.name, None)
        return trained

    def models(self) -> list[ModelRow]:
        """Trained models, oldest first."""
        return self._parts.catalog.models()

    def classify(
        self,
        inputs: Sequence[str | Path] | None = None,
        *,
        model: str | None = None,
        target: str | None = None,
        on_event: OnEvent = silent,
    ) -> list[Prediction]:
        """Predict with a trained model.

        Args:
            inputs: files to classify without adding them (a text and pictures of one name are one item), or
                identifiers of items; ``None`` takes the workspace's test items and those without a label, and writes
                the answers to ``kgf:predicted``.
            model: its name; the newest where not given.
            target: which of the model's targets; the first where not given.
            on_event: told about progress.
        """
        return self._predictor(model).classify(inputs, target=target, on_event=on_event)

    def explain(self, item: str, *, model: str | None = None, html: str | Path | None = None) -> Explanation:
        """Lead an item's classification back to sentences and pixels.

        Args:
            item: an item's identifier, IRI or CURIE, or a file's path. For a triple see :meth:`prove`.
            model: its name; the newest where not given.
            html: also write the explanation as a self-contained page.
        """
        found = self._predictor(model).classify([item], write=False)
        if not found:
            raise UsageError(f"nothing to explain in {item!r}", remedy="name an item or a file")
        explanation = found[0].explain()
        if html is not None:
            from kgfuse.workspace.report import write_explanations

            write_explanations(self, [explanation], Path(html), predictions=found)
        return explanation

    def prove(self, subject: str, predicate: str, object: str) -> Any:
        """Proof tree of a triple, down to what sources assert; ``None`` where it does not hold."""
        expand = self.vocabulary.expand
        p, o = (name if name == "a" or name.startswith('"') else expand(name) for name in (predicate, object))
        return self.graph.prove(expand(subject), p, o)

    # inside

    def _facts(self) -> Resolved:
        if self._resolved is None:
            from kgfuse.workspace.build import resolved

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
        self._predictors.clear()

    def _predictor(self, name: str | None) -> Predictor:
        from kgfuse.workspace.prediction import Predictor

        rows = self.models()
        if not rows:
            raise UsageError("no model is trained yet", where=self.path, remedy="run train first")
        row = rows[-1] if name is None else next((r for r in rows if r.name == name), None)
        if row is None:
            raise UsageError(f"no model is called {name!r}", remedy=f"there are: {', '.join(r.name for r in rows)}")
        if row.name not in self._predictors:
            self._predictors[row.name] = Predictor(self._parts, self._facts(), row)
        return self._predictors[row.name]
