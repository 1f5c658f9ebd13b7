#!/usr/bin/env bash
# One program, several builds of the vector loops: every one that this processor has takes the same events to the same verdicts and, within
# what is stated here, to the same scores; one that it has not is refused. Under qemu-user the program also runs on processors that
# have less than this one.
set -u
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
failed=0
T=$TAILWATER
settings="--set learn.dim=32"
complain() { echo "FAILED: $*"; failed=1; }
with() { env TAILWATER_KERNELS="$1" "${@:2}"; }
# shellcheck disable=SC2086
replay() { with "$1" "${@:3}" "$T" replay "$dir/events.csv" --state "$2" --json $settings; }

best=$("$T" version --json | sed 's/.*"kernels":"\([a-z0-9]*\)".*/\1/')
here=$(with none "$T" version 2>&1 | sed -n 's/.*this processor runs //p')
[ -n "$here" ] && [ "${here%% *}" = "$best" ] || complain "chosen is $best of \"$here\""
with none "$T" version >/dev/null 2>&1
[ $? -eq 2 ] || complain "kernels that are not here are no usage error"

awk -v n=6000 -v seed=5 -f "$TW_SOURCE_DIR/tests/support/events.awk" >"$dir/events.csv"
for kernels in $here; do
    replay "$kernels" "$dir/$kernels" >"$dir/$kernels.totals" || complain "replay with $kernels"
    replay "$kernels" "$dir/again" >/dev/null || complain "replay with $kernels"
    [ "$("$T" inspect --state "$dir/again" --digest)" = "$("$T" inspect --state "$dir/$kernels" --digest)" ] ||
        complain "$kernels: the same input gives another state"
    rm -rf "$dir/again"
    for user in 1 2 3 5 8 13 21 34; do
        with "$kernels" "$T" recommend u$user --state "$dir/$kernels" --top 10 --json
    done >"$dir/$kernels.lists"
    # shellcheck disable=SC2086
    with "$kernels" "$T" evaluate "$dir/events.csv" --every 4 --json $settings >"$dir/$kernels.quality" || complain "evaluate with $kernels"
done
# shellcheck disable=SC2086
python3 - "$dir" $here <<'P' || failed=1
import json, sys
d, builds = sys.argv[1], sys.argv[2:]
read = lambda path: [json.loads(line) for line in open(d + "/" + path)]
plain = {x["user_id"]: {i["item_id"]: i["score"] for i in x["items"]} for x in read("plain.lists")}
bad = 0
for build in builds:
    totals, expected = read(build + ".totals")[0], read("plain.totals")[0]
    if any(totals[k] != expected[k] for k in ("consumed", "applied", "duplicate", "late", "dead_lettered")):
        print("FAILED: %s: other verdicts: %s and %s" % (build, totals, expected)); bad = 1
    lists = {x["user_id"]: {i["item_id"]: i["score"] for i in x["items"]} for x in read(build + ".lists")}
    both = [(lists[u][i], plain[u][i]) for u in plain for i in plain[u] if i in lists[u]]
    worst = max(abs(a - b) for a, b in both)
    shared = len(both) / sum(len(x) for x in plain.values())
    hr = [read(b + ".quality")[0]["hr10"] for b in (build, "plain")]
    print("%s: scores within %.2g of plain's, %.0f %% of the items the same, HR@10 %.4f and %.4f" % (build, worst, 100 * shared, *hr))
    if worst > 0.01 or shared < 0.95 or abs(hr[0] - hr[1]) > 0.005:
        print("FAILED: beyond what is stated"); bad = 1
sys.exit(bad)
P

# A state goes on under other loops, as when its directory moves to another machine.
awk -v n=500 -v seed=6 -f "$TW_SOURCE_DIR/tests/support/events.awk" >"$dir/events.csv"
replay plain "$dir/$best" >/dev/null || complain "a state of $best does not go on with plain"
replay "$best" "$dir/plain" >/dev/null || complain "a state of plain does not go on with $best"

# Processors without AVX and without AVX-512. Sanitizers do not run under qemu.
case ${TW_BUILD_DIR:-} in *asan* | *tsan*) exit $failed ;; esac
if command -v qemu-x86_64 >/dev/null && [ "$(uname -m)" = x86_64 ] && ! grep -q '^TW_SANITIZE:[A-Z]*=.' "$TW_BUILD_DIR/CMakeCache.txt"; then
    replay plain "$dir/native" >/dev/null
    for pair in Nehalem:plain Haswell:avx2; do
        emulate="qemu-x86_64 -cpu ${pair%:*}"
        $emulate "$T" version 2>/dev/null | grep -q "kernels ${pair#*:})" || complain "$pair: $($emulate "$T" version 2>&1 | tail -1)"
        # shellcheck disable=SC2086
        $emulate "$T" replay "$dir/events.csv" --state "$dir/${pair%:*}" $settings --set state.map.max.bytes=256m >"$dir/out" 2>&1 || complain "$pair: $(tail -1 "$dir/out")"
    done
    [ "$("$T" inspect --state "$dir/Nehalem" --digest)" = "$("$T" inspect --state "$dir/native" --digest)" ] ||
        complain "plain C on another processor gives another state"
else
    echo "no qemu-user here: older processors are not tried"
fi
exit $failed
