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
head -1 "$dir/a.csv" >"$dir/none.csv"
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

# Profiles: trained, repeated, and what a state starts from.
expect 0 '^\{"inputs":[0-9]+,"categories":7,.*"before":.*"after":' "$T" train profile "$dir/a.csv" --model "$dir/profile" --epochs 4 --json
cp "$dir/out" "$dir/whole"
expect 0 'after training +[0-9.]+' "$T" train profile "$dir/a.csv" --model "$dir/again" --epochs 4
cmp -s "$dir/profile" "$dir/again" || { echo "FAILED: the same events and seed gave another profile network"; failed=1; }
expect 0 '"categories":7' "$T" train profile "$dir/a.csv" --every 3 --epochs 1 --json
python3 - "$dir" <<'P2' || failed=1
import json, sys
r = json.load(open(sys.argv[1] + "/whole"))
assert r["inputs"] == 5 + 3 * 7 and r["train"]["examples"] > r["validation"]["examples"] > 0 < r["test"]["examples"], r
losses = [e["validation_loss"] for e in r["network"]["epochs"]]
assert 1 <= len(losses) <= 4 and r["network"]["best_epoch"] == 1 + losses.index(min(losses)), r
assert 0 < r["after"]["cross_entropy"] < r["before"]["cross_entropy"] + 0.5 and 0 < r["after"]["top1"] < 1, r
P2
profiled="--set profile.enabled=true --set learn.dim=8 --set learn.negatives=16"
digest() { # state options...: the digest after both halves, the second with other options
    # shellcheck disable=SC2086
    "$T" replay "$dir/first.csv" --state "$1" --lists none $profiled $2 >/dev/null &&
        "$T" replay "$dir/second.csv" --state "$1" --lists none $profiled $3 >/dev/null && "$T" inspect --state "$1" --digest
}
from="--set profile.model.file=$dir/profile"
plain=$(digest "$dir/s1" "" "") started=$(digest "$dir/s2" "$from" "$from") alone=$(digest "$dir/s3" "$from" "")
checks=$((checks + 2))
[ -n "$plain" ] && [ "$plain" != "$started" ] || { echo "FAILED: a state that starts from a file is as one that does not"; failed=1; }
[ "$started" = "$alone" ] || { echo "FAILED: the file is looked at again once categories were met"; failed=1; }
transferred=$(digest "$dir/s4" "$from --set profile.model.transfer=true" "")
[ -n "$transferred" ] && [ "$transferred" != "$started" ] && [ "$transferred" != "$plain" ] || { echo "FAILED: a transfer is no other start"; failed=1; }
head -c 300 "$dir/profile" >"$dir/cut"
# shellcheck disable=SC2086
{
    expect 65 'cut: cut short' "$T" replay "$dir/a.csv" --state "$dir/s5" $profiled --set profile.model.file="$dir/cut"
    expect 65 'a model of propensity, where one of profiles' "$T" replay "$dir/a.csv" --state "$dir/s5" $profiled --set profile.model.file="$dir/model"
    expect 1 'gone' "$T" replay "$dir/a.csv" --state "$dir/s5" $profiled --set profile.model.file="$dir/gone"
    expect 1 'profile.hidden.first 32' "$T" replay "$dir/a.csv" --state "$dir/s5" $profiled --set profile.hidden.first=8 $from
}
expect 65 'no example is left' "$T" train profile "$dir/none.csv"
expect 2 'usage|argument' "$T" train profile

# Bad input.
grep -v purchase "$dir/a.csv" >"$dir/idle.csv"
head -5 "$dir/a.csv" >"$dir/five.csv"
expect 65 'no example is left for train' "$T" train propensity "$dir/none.csv"
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
