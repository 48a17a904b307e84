"""A second opinion on what is stored: libgit2, which shares no code with the git program, reads it.

What a program wrote and read itself proves less than what another implementation reads. Only for checks: importing
pygit2 costs 40 ms, more than most commands take in all.
"""

from __future__ import annotations

import pygit2

from memgit.core.objects import Oid


class SecondReader:
    """A repository as libgit2 sees it. Raises OSError if it can't open it."""

    def __init__(self, common_dir: str) -> None:
        pygit2.option(pygit2.enums.Option.SET_OWNER_VALIDATION, 0)  # git has opened it, so its owner is trusted
        try:
            self._repo = pygit2.Repository(common_dir)
        except pygit2.GitError as error:
            raise OSError(str(error)) from None

    def tree_of(self, commit: Oid) -> Oid | None:
        """The tree of a commit; None if either is not there, or damaged."""
        try:
            found = self._repo[commit.decode()]
            tree = found.tree.id if isinstance(found, pygit2.Commit) else None
        except (KeyError, ValueError, pygit2.GitError):
            return None
        return str(tree).encode() if tree is not None else None

    def first_gap(self, tip: Oid, known: Oid) -> Oid | None:
        """A commit that is missing or lacks its tree, of those reachable from `tip` and not from `known`; None if none.

        Where a missing one can't be named, it is the commit that was read before it.
        """
        last = tip
        try:
            walker = self._repo.walk(tip.decode())
            walker.hide(known.decode())
            for commit in walker:
                last = str(commit.id).encode()
                if commit.tree_id not in self._repo:
                    return last
        except (KeyError, ValueError, pygit2.GitError):
            return last
        return None
