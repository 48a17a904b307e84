"""memgit backup drill: restore the newest backup as if all else were lost, and compare every byte."""

from __future__ import annotations

import os
import tempfile

from memgit.core.setting_rows import Target
from memgit.git.repository import Repository
from memgit.host.folder import Folder
from memgit.host.place import Advance
from memgit.porcelain.backup import check, restore
from memgit.porcelain.backup.check import Verified


def run(repo: Repository, target: Target, advance: Advance = lambda count: None) -> Verified:
    """Restore the newest backup of a target into a scratch directory that goes away again, and compare."""
    place = check.reach(repo, target)
    held = check.choose(place, None)
    with tempfile.TemporaryDirectory(prefix="memgit-drill-") as scratch:
        to = os.path.join(scratch, "restored")
        restore.into(place, held, (), to, os.path.join(scratch, "fetched"), advance=advance)
        with Folder(to) as folder:
            return check.compare(target.name, held, folder, held.manifest.entries, whole=True, advance=advance)
