"""The name of this machine, as it stands in trailers and in refs on remotes."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping


def name(environ: Mapping[str, str]) -> str:
    """MEMGIT_MACHINE, else the host name up to its first dot; always one component that a ref may have.

    Source: git-check-ref-format(1).
    """
    given = environ.get("MEMGIT_MACHINE") or os.uname().nodename.partition(".")[0]
    plain = re.sub(r"[^A-Za-z0-9_-]+", "-", given).strip("-")
    return plain[:64] or "machine"
