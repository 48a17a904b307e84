"""Starts the merge driver from its path alone, so that the interpreter can run isolated and without site.

Small on purpose: a script that is run is compiled each time, a module that is imported is not.
"""

import sys

sys.path.append(__file__.rpartition("/memgit/")[0])

from memgit.merge_driver import main

sys.exit(main())
