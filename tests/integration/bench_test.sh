#!/usr/bin/env bash
# `tailwater bench`: its JSON is whole, has the fields that others compare by, and its table says the same.
set -u
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
T=$TAILWATER
mkdir "$dir/data"
awk -v n=3000 -v seed=3 -f "$TW_SOURCE_DIR/tests/support/events.awk" | gzip >"$dir/data/few.csv.gz"

"$T" bench --data "$dir/data" --runs 1 --json >"$dir/json" || { echo "bench --json: exit $?"; exit 1; }
python3 - "$dir/json" <<'END' || exit 1
import json
import sys

figures = json.load(open(sys.argv[1]))
decode = figures["decode"]
assert decode["runs"] >= 5 and decode["ns"] > 0 and decode["datum_bytes"] > 50, decode
assert abs(decode["speedup_avro_c"] - decode["avro_c_ns"] / decode["ns"]) < 0.05 * decode["speedup_avro_c"], decode
for model in ("default", "mf"):
    assert figures["replay"][model]["few"]["events_per_s"] > 0, figures
assert figures["machine"]["stream_gb_per_s"] > 0, figures
END

"$T" bench --data "$dir/data" --runs 1 >"$dir/table" || { echo "bench: exit $?"; exit 1; }
for line in '^machine: ' '^decode a click of [0-9]+ bytes: .* by plan .* by avro-c .* times$' '^replay default +few ' '^replay mf +few '; do
    grep -qE "$line" "$dir/table" || { echo "no line like $line:"; cat "$dir/table"; exit 1; }
done
