"""What people decide in a workspace: on statements, and on names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kgfuse.workspace.state import State

if TYPE_CHECKING:
    from kgfuse.extract.identity.linking import Unclear
    from kgfuse.extract.identity.same import Merge, Wish
    from kgfuse.workspace.review.cards import Card
    from kgfuse.workspace.review.decisions import Decision


class Deciding(State):
    """Verbs that ask and hear people."""

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
