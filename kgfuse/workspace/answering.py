"""Classifiers of a workspace: train them, ask them, and ask them why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

from kgfuse.catalog import ModelRow
from kgfuse.errors import UsageError
from kgfuse.workspace.parts import OnEvent, silent
from kgfuse.workspace.state import State

if TYPE_CHECKING:
    from kgfuse.explain.chain import Explanation
    from kgfuse.fuse.config import TrainConfig
    from kgfuse.fuse.search.budget import Search
    from kgfuse.workspace.assessment import Assessment
    from kgfuse.workspace.completing import Completion
    from kgfuse.workspace.prediction import Prediction
    from kgfuse.workspace.predictor import Predictor
    from kgfuse.workspace.training import Trained
    from kgfuse.workspace.workspace import Workspace


class Answering(State):
    """Verbs that learn and predict."""

    def train(
        self,
        target: str | Sequence[str] = "",
        *,
        config: TrainConfig | str | Path | None = None,
        overrides: Iterable[str] = (),
        runs: int = 1,
        resplit: bool = False,
        name: str | None = None,
        search: Search | None = None,
        on_event: OnEvent = silent,
    ) -> Trained:
        """Train a classifier on the labelled items, with the ablation of text, picture and graph.

        Items to which their manifest gives one ``group`` (of one author, patient, shelf) stay together wherever kgfuse
        splits, and a part of the model must pay over groups, not over items (:mod:`kgfuse.fuse.groups`).

        Args:
            target: class whose subclasses are told apart, or a property; several are learned together; empty takes
                whatever the items' labels are.
            config: hyper-parameters, or a TOML file of them.
            overrides: ``key=value`` on top, such as ``epochs=20``. With ``risk=0.05`` the model abstains so that of the
                answers it gives at most 5 % are wrong (``promises`` of what is returned says whether that can be held,
                for each target alone; of several labels an answer is wrong if one of those given is).
            runs: seeds (or, with ``resplit``, random splits) of the ablation; 0 leaves it out.
            resplit: split anew in each run of the ablation.
            name: of the model.
            search: first look for better settings, on training and validation items, within a budget. What ``config``
                says is where it starts from, what ``overrides`` say stays (unless the search's own space names it).
            on_event: told about progress.

        Raises:
            TrainingError: too few labels, or classes.
            UsageError: an unknown setting.
        """
        from kgfuse.fuse.config import TrainConfig, load_config, overridden
        from kgfuse.workspace.training import train

        chosen = load_config(Path(config)) if isinstance(config, str | Path) else config or TrainConfig()
        targets = [target] if isinstance(target, str) else list(target)
        given = list(overrides)
        trained = train(
            self._parts,
            self._facts(),
            targets,
            chosen.with_overrides(given),
            runs=runs,
            resplit=resplit,
            name=name,
            asked=search,
            pinned=overridden(given) if search is not None else (),
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
        top: int = 10,
        on_event: OnEvent = silent,
    ) -> list[Prediction]:
        """Predict with a trained model.

        Args:
            inputs: files to classify without adding them (a text and pictures of one name are one item), or
                identifiers of items; ``None`` takes the workspace's test items and those without a label, and writes
                the answers to ``kgf:predicted``.
            model: its name; the newest where not given.
            target: which of the model's targets; the first where not given.
            top: possible answers in each prediction's ranking, at least one.
            on_event: told about progress.

        Raises:
            UsageError: an input is neither an item nor a file that can be read, or ``top`` is less than one.
        """
        if top < 1:
            raise UsageError(f"top is {top}", remedy="ask for at least one answer")
        return self._predictor(model).classify(inputs, target=target, top=top, on_event=on_event)

    def classify_stream(
        self,
        inputs: Iterable[str | Path],
        *,
        model: str | None = None,
        target: str | None = None,
        top: int = 10,
        batch: int = 64,
        on_event: OnEvent = silent,
    ) -> Iterator[Prediction]:
        """Predict for any number of files, one after the other, with memory that does not grow with their number.

        The files are read and answered for in batches, and answers come batch by batch. A text and pictures of one name
        in one folder are one item where they follow one another. What cannot be read is told (``on_event`` gets the
        stage ``problem``), and the rest goes on. Nothing is added and nothing written to the graph; features of
        pictures are kept in the workspace's cache. An answer holds its whole batch for :meth:`Prediction.explain`: of
        many keep ``answer.to_dict()``, not the answers.

        Args:
            inputs: files, folders and identifiers of items, in any number; read as they are needed.
            model: its name; the newest where not given.
            target: which of the model's targets; the first where not given.
            top: possible answers in each prediction's ranking, at least one.
            batch: how many sources are read and answered for together.
            on_event: told about progress and problems.

        Raises:
            UsageError: no such model or target, or ``top`` or ``batch`` is less than one.
        """
        if top < 1 or batch < 1:
            raise UsageError(f"top is {top}, batch is {batch}", remedy="give at least one")
        return self._predictor(model).stream(inputs, target=target, top=top, batch=batch, on_event=on_event)

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

            write_explanations(cast("Workspace", self), [explanation], Path(html), predictions=found)
        return explanation

    def complete(
        self,
        subject: str | None,
        predicate: str,
        object: str | None = None,
        *,
        k: int = 10,
        paths: int = 1,
        on_event: OnEvent = silent,
    ) -> Completion:
        """Likely ends of a statement that the graph does not state; nothing is written.

        The first call trains a link predictor on what sources assert (labels aside, as for all encoders); it is kept
        in the workspace until the graph changes. ``completion.judgement`` says how far it can be trusted.

        Args:
            subject: a thing, to be told objects; ``None`` asks for subjects.
            predicate: a property; ``a`` stands for ``rdf:type``.
            object: a thing, where subjects are asked for.
            k: how many.
            paths: at most so many ways through the graph from end to end beside each, as its reasons.
            on_event: told about progress.

        Raises:
            UsageError: not one end given, an end that nothing is stated of, or a property that no statement has.
            TrainingError: the graph states nothing between things.
        """
        if self._completer is None:
            from kgfuse.workspace.completing import completer

            self._completer = completer(self._parts, self._facts(), on_event)
        return self._completer.complete(subject, predicate, object, k=k, paths=paths)

    def assess(self, *, model: str | None = None) -> Assessment:
        """How a model does on the items that judge it: figures by class, calibration, confusions, learning curves.

        These are its test items, or, where it has none, its validation items.

        Args:
            model: its name; the newest where not given.
        """
        from kgfuse.workspace.assessment import assess

        return assess(self._predictor(model))

    def report(
        self, html: str | Path, *, model: str | None = None, answers: int = 5, on_event: OnEvent = silent
    ) -> Assessment:
        """Write a model's page: ablation, reliability diagram, confusions, map, classes, curves, surest answers.

        Args:
            html: path of the page, which is self-contained.
            model: its name; the newest where not given.
            answers: how many of the surest right and of the surest wrong answers to explain; 0 leaves them out.
            on_event: told about progress.

        Returns:
            the figures on the page.

        Raises:
            UsageError: no such model, or ``answers`` is negative.
            WorkspaceError: the page cannot be written.
        """
        from kgfuse.workspace.report import write_model
        from kgfuse.workspace.report.model import examine

        if answers < 0:
            raise UsageError(f"answers is {answers}", remedy="ask for none or more")
        examined = examine(self._predictor(model), answers=answers, on_event=on_event)
        write_model(cast("Workspace", self), examined, Path(html))
        return examined.assessment

    def model(self, name: str | None = None) -> ModelRow:
        """A trained model; the newest where no name is given.

        Raises:
            UsageError: there is none, or none of that name.
        """
        rows = self.models()
        if not rows:
            raise UsageError("no model is trained yet", where=self.path, remedy="run train first")
        row = rows[-1] if name is None else next((r for r in rows if r.name == name), None)
        if row is None:
            raise UsageError(f"no model is called {name!r}", remedy=f"there are: {', '.join(r.name for r in rows)}")
        return row

    def _predictor(self, name: str | None) -> Predictor:
        from kgfuse.workspace.predictor import Predictor

        row = self.model(name)
        if row.name not in self._predictors:
            self._predictors[row.name] = Predictor(self._parts, self._facts(), row)
        return self._predictors[row.name]
