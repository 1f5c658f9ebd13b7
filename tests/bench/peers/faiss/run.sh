#!/usr/bin/env bash
# FAISS on given vectors, called by `tailwater bench --peers`:
#   run.sh DIR D TOP RUNS    DIR has learned.items, learned.users, worst.items, worst.users: rows of D floats
# Makes a Python environment with faiss-cpu from PyPI once (PEERS_DIR, default build/peers), then prints one JSON object.
set -eu
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
peers=${PEERS_DIR:-$(cd "$here/../../../.." && pwd)/build/peers}
python=$peers/python/bin/python
[ -x "$python" ] && "$python" -c 'import faiss' 2>/dev/null ||
    { mkdir -p "$peers" && python3 -m venv "$peers/python" && "$python" -m pip install -q faiss-cpu numpy >&2; }
exec env OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 "$python" "$here/search.py" "$@"
