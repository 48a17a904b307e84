import sys
from pathlib import Path

from memgit.core.secrets.scan import scan

d = Path(sys.argv[2])
for p in sorted(d.rglob("*")):
    if p.is_file():
        for f in scan(p.read_bytes(), str(p.relative_to(d)).encode()):
            print(f"{f.path}:{f.line}:{f.rule}")
