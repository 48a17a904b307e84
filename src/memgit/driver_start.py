"""Starts the merge driver from its path alone, so that the interpreter can run isolated and without site.

Small on purpose: a script that is run is compiled each time, a module that is imported is not.
"""

import gc
import os
import sys

gc.disable()  # the process ends before collecting would pay
sys.path.append(__file__.rpartition("/memgit/")[0])

from memgit.merge_driver import main  # noqa: E402

status = main()
sys.stderr.flush()
os._exit(status)  # taking the interpreter down in order costs as much as a small merge
