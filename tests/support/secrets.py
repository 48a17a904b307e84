"""Fake secrets, assembled at run time so that none ever stands in the repository."""

from __future__ import annotations

import random
import string


def token(seed: int = 1) -> str:
    """What looks like a personal access token of a forge, and opens nothing."""
    rnd = random.Random(seed)
    return "gh" + "p_" + "".join(rnd.choice(string.ascii_letters + string.digits) for _ in range(36))
