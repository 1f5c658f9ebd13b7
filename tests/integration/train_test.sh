#!/usr/bin/env bash
# `tailwater train` from outside: what it prints and writes, that it repeats, and bad input.
set -u
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
# shellcheck source=tests/support/expect.sh
. "$TW_SOURCE_DIR/tests/support/expect.sh"
T=$TAILWATER
small="--set propensity.hidden=8 --set propensity.steps=6 --set propensity.horizon.ms=300000"

awk -v n=3000 -v seed=6 -f "$TW_SOURCE_DIR/tests/support/events.awk" >"$dir/a.csv"
# The same three parts in two files one after the other.
head -1500 "$dir/a.csv" >"$dir/first.csv"
{ head -1 "$dir/a.csv"; tail -n +1501 "$dir/a.csv"; } >"$dir/second.csv"

expect 2 'usage: tailwater train WHAT' "$T" train
expect 2 '"dance" cannot be trained' "$T" train dance
expect 0 'propensity .*buy soon' "$T" train --help
expect 0 '--epochs N' "$T" train propensity --help
expect 2 'unknown option --dance' "$T" train propensity --dance
expect 2 'epochs' "$T" train propensity --epochs 0
expect 2 'propensity.hidden' "$T" train propensity --set propensity.hidden=0

# shellcheck disable=SC2086
expect 0 '^\{"horizon_ms":300000,' "$T" train propensity "$dir/a.csv" --model "$dir/model" --epochs 3 --patience 3 --json $small
cp "$dir/out" "$dir/whole"
cp "$dir/model" "$dir/again"
# shellcheck disable=SC2086
expect 0 '^\{"horizon_ms":300000,' "$T" train propensity "$dir/a.csv" --model "$dir/again" --epochs 3 --patience 3 --json $small
cmp -s "$dir/model" "$dir/again" || { echo "FAILED: the same events and seed gave another model"; failed=1; }
# shellcheck disable=SC2086
expect 0 '^\{"horizon_ms":300000,' "$T" train propensity "$dir/first.csv" "$dir/second.csv" --model "$dir/again" --epochs 3 --patience 3 --json $small
cmp -s "$dir/model" "$dir/again" || { echo "FAILED: two files gave another model than the two in one"; failed=1; }
# shellcheck disable=SC2086
expect 0 '^\{"horizon_ms":300000,' "$T" train propensity "$dir/a.csv" --model "$dir/again" --epochs 3 --patience 3 --json --set seed=2 $small
cmp -s "$dir/model" "$dir/again" && { echo "FAILED: another seed gave the same model"; failed=1; }
# shellcheck disable=SC2086
expect 0 'Test part.*AUC' "$T" train propensity --events 3000 --users 300 --epochs 1 --set propensity.hidden=8 --set propensity.steps=6

python3 - "$dir" <<'P' || failed=1
import json, sys
r = json.load(open(sys.argv[1] + "/whole"))
assert r["steps"] == 6 and r["hidden"] == 8 and r["weights"] == 4 * 8 * (r["features"] + 9) + 4 * 8 * 17 + 9, r
parts = [r[p] for p in ("train", "validation", "test")]
assert all(0 < p["positives"] < p["examples"] for p in parts), parts
assert parts[0]["examples"] > parts[1]["examples"] and parts[0]["from_ms"] < parts[1]["from_ms"] < parts[2]["from_ms"], parts
for run in (r["regression"], r["network"]):
    losses = [e["validation_loss"] for e in run["epochs"]]
    assert 1 <= len(losses) <= 3 and run["best_epoch"] == 1 + losses.index(min(losses)), run
    t = run["test"]
    assert 0 < t["auc"] < 1 and 0 < t["log_loss"] < 1 and 0 <= t["calibration_error"] < 1, t
    assert sum(b["count"] for b in t["reliability"]) == r["test"]["examples"] and len(t["reliability"]) == 10
    for b, bin in enumerate(t["reliability"]):
        assert bin["count"] == 0 or b / 10 - 1e-6 <= bin["said"] <= (b + 1) / 10 + 1e-6, (b, bin)
P

# Bad input.
head -1 "$dir/a.csv" >"$dir/empty.csv"
grep -v purchase "$dir/a.csv" >"$dir/idle.csv"
head -5 "$dir/a.csv" >"$dir/five.csv"
expect 65 'no example is left for train' "$T" train propensity "$dir/empty.csv"
expect 65 'none of the [0-9]+ examples to train on buys' "$T" train propensity "$dir/idle.csv" --set propensity.horizon.ms=300000
expect 65 'no example is left' "$T" train propensity "$dir/five.csv" --set propensity.horizon.ms=1000
expect 65 'no example is left.*horizon' "$T" train propensity "$dir/a.csv" --set propensity.horizon.ms=86400000
expect 1 'gone.csv' "$T" train propensity "$dir/gone.csv"
rm -f "$dir/none"
expect 65 'no example' "$T" train propensity "$dir/five.csv" --model "$dir/none" --set propensity.horizon.ms=1000
[ -e "$dir/none" ] && { echo "FAILED: a failed training left a file"; failed=1; }
expect 1 'no/such' "$T" train propensity "$dir/a.csv" --model "$dir/no/such"

echo "$checks checks"
exit $failed
