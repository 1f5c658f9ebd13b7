#!/usr/bin/env bash
# `tailwater bench`: its JSON is whole and has the fields that others compare by, its table says the same, an older run stands beside it, and
# what cannot be done is refused with a sentence. Sizes are divided, so that the figures mean nothing here.
set -u
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
T=$TAILWATER
export TMPDIR=$dir
mkdir "$dir/data"
awk -v n=2000 -v seed=3 -f "$TW_SOURCE_DIR/tests/support/events.awk" | gzip >"$dir/data/few.csv.gz"
fail() { echo "$1"; exit 1; }

all=$(for name in machine memory decode dedup learn replay rank recovery growth bounded; do echo "--only $name"; done)
"$T" bench $all --data "$dir/data" --smaller 2000 --json >"$dir/json" 2>"$dir/log" || { cat "$dir/log"; fail "bench --json: exit $?"; }
# Each run of these joins a group, which takes the embedded broker some seconds.
"$T" bench --only pipeline --only freshness --runs 1 --smaller 2000 --json >"$dir/kafka" 2>"$dir/log" || { cat "$dir/log"; fail "bench of a stream: exit $?"; }
python3 - "$dir/json" "$dir/kafka" <<'END' || exit 1
import json
import sys

figures = json.load(open(sys.argv[1]))


def get(name):
    value = figures
    for part in name.split("."):
        value = value[part]
    return value


positive = ["machine.stream_gb_per_s", "machine.random_independent_ns", "machine.random_dependent_ns", "machine.gemm_gflops",
            "decode.speedup_avro_c", "dedup.vs_random_access", "dedup.bytes_per_id", "learn.mf.vs_random_rows",
            "replay.default.few.events_per_s", "replay.mf.few.events_per_s", "store.bytes_per_event", "rank.learned_us", "rank.worst_us",
            "recovery.vs_sequential_read", "growth.users_10k_to_10m", "memory.bytes_per_user", "memory.bytes_per_item",
            "memory.bytes_per_live_id", "memory.bounded.default.vs_unbounded", "memory.bounded.mf.vs_unbounded",
            "memory.bounded.index_bytes_per_user"]
for name in positive:
    assert get(name) > 0, name
for name in ("decode.ns", "dedup.ns", "rank.learned_us", "replay.mf.few.events_per_s"):
    assert get(f"{name}_runs") >= 5 and get(f"{name}_spread") >= 0, name
    assert (get(f"{name}_spread") > 0.2) == (name in figures["noisy"]), name
assert ("decode.speedup_avro_c" in figures["missed"]) == (get("decode.speedup_avro_c") < 10), figures["missed"]
kafka = json.load(open(sys.argv[2]))
assert kafka["pipeline"]["vs_bare_poll"] > 0 and 0 < kafka["pipeline"]["lists_per_event"] < 1, kafka
assert kafka["freshness"]["p50_vs_echo"] > 0 and kafka["freshness"]["p99_vs_echo"] > 0, kafka
assert "rank.speedup_flat" not in figures["missed"], "not measured without --peers"
END

"$T" bench --only decode --only machine --compare "$dir/json" --smaller 2000 >"$dir/table" 2>/dev/null || fail "bench --compare: exit $?"
grep -qE '^figure +median +spread +before +change +needed' "$dir/table" || { cat "$dir/table"; fail "no head of a comparison"; }
grep -qE '^decode.speedup_avro_c +[0-9.]+ .*%  at least 10 \(20\)' "$dir/table" || { cat "$dir/table"; fail "no line of decode"; }
grep -q '^dedup' "$dir/table" && fail "--only measured more"

refused() { # EXIT TEXT ARGUMENTS...
    "$T" bench "${@:3}" >/dev/null 2>"$dir/said"
    local code=$?
    [ "$code" = "$1" ] && grep -q -- "$2" "$dir/said" || { cat "$dir/said"; fail "bench ${*:3}: exit $code, not $1 with: $2"; }
}
echo '{"half":' >"$dir/broken.json"
refused 2 'one of machine, memory, decode' --only everything
refused 2 'not beside --json' --only decode --json --compare "$dir/json"
refused 65 'not what `tailwater bench --json` wrote' --only decode --compare "$dir/broken.json"
refused 1 'nothing.json' --only decode --compare "$dir/nothing.json"
refused 2 'no file' --only decode --data "$dir/nowhere"
[ -z "$(find "$dir" -name 'tailwater-bench*')" ] || fail "folders were left behind"
