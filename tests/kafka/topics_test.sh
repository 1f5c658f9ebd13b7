#!/usr/bin/env bash
# `tailwater topics` against the real broker: the plan, what it makes and how, what it finds unfit and leaves as it is; `run` names it.
set -u
# shellcheck source=tests/support/stream.sh
. "$TW_SOURCE_DIR/tests/support/stream.sh"
failed=0 checks=0
tool() { bash "$KAFKA" tool org.apache.kafka.tools.TopicCommand "$@"; }

# expect EXIT PATTERN COMMAND...: the exit code, and an extended pattern in stdout or stderr
expect() {
    local want=$1 pattern=$2 got
    shift 2
    timeout 60 "$@" >"$dir/out" 2>"$dir/err"
    got=$?
    checks=$((checks + 1))
    [ $got -eq "$want" ] && cat "$dir/out" "$dir/err" | grep -qE -- "$pattern" ||
        complain "$*: exit $got (wanted $want), pattern \"$pattern\": $(cat "$dir/out" "$dir/err" | tail -12)"
}
# is PYTHON-EXPRESSION over p (the JSON) and t (topics by name)
is() {
    checks=$((checks + 1))
    python3 -c 'import json, sys
p = json.load(open(sys.argv[1])); t = {x["topic"]: x for x in p["topics"]}
sys.exit(not eval(sys.argv[2]))' "$dir/out" "$1" || complain "not so: $1: $(cat "$dir/out")"
}

servers=$BOOTSTRAP
configure "$dir/config.yaml" 'application.id: plan' 'input.clicks.topic: plan-clicks' 'input.purchases.topic: plan-purchases' \
    'input.reviews.topic: plan-reviews' 'input.items.topic: plan-items' 'output.recommendations.topic: plan-recommendations' \
    'output.dead.letters.topic: plan-dead' 'state.changelog: true' 'topics.partitions: 3'
plan=("$T" topics --config "$dir/config.yaml")

# Nothing is there: said, nothing made; run says what to do.
expect 1 '8 of 8 topics are missing; `tailwater topics --create` makes them' "${plan[@]}"
expect 1 '' "${plan[@]}" --json
is 'not p["ok"] and len(t) == 8 and all(x["verdict"] == "missing" and x["partitions"] == 0 for x in t.values())'
expect 2 '"plan-clicks" does not exist: `tailwater topics --create`' "$T" run --config "$dir/config.yaml" --state "$dir/state"

# One input is there: the others follow its partitions.
tool --create --topic plan-purchases --partitions 5 >/dev/null
expect 0 'plan-model-changelog +state.changelog +1 compact +1 compact +made' "${plan[@]}" --create
expect 0 '' "${plan[@]}" --create --json
is 'p["ok"] and not any(x["created"] for x in t.values()) and all(x["verdict"] == "ok" for x in t.values())'
is '[t["plan-" + n]["partitions"] for n in ("clicks", "purchases", "reviews", "items", "recommendations", "dead", "state-changelog", "model-changelog")] == [5, 5, 5, 3, 3, 3, 5, 1]'
is '{x["topic"]: x["cleanup_policy"] for x in t.values() if x["cleanup_policy"] != "delete"} == {"plan-" + n: "compact" for n in ("items", "recommendations", "state-changelog", "model-changelog")}'

# What is unfit is named and left as it is.
tool --create --topic plan-late --partitions 2 >/dev/null
expect 1 '"plan-late" is unfit \(5 partitions, as "plan-purchases" has' "${plan[@]}" --create --set input.clicks.topic= --set input.reviews.topic=plan-late --set application.id=other
expect 1 '"plan-late" is unfit' "${plan[@]}" --json --set input.clicks.topic= --set input.reviews.topic=plan-late
is 't["plan-late"]["partitions"] == 2 and t["plan-late"]["verdict"] == "unfit"'
tool --create --topic plan-plain --partitions 1 >/dev/null
expect 0 'plan-plain .*warning: not compacted' "${plan[@]}" --set output.recommendations.topic=plan-plain
tool --create --topic third-state-changelog --partitions 5 >/dev/null
expect 1 '"third-state-changelog" is unfit \(not compacted' "${plan[@]}" --set application.id=third
expect 1 '"plan-clicks" is unfit \(input.clicks.topic names it as well' "${plan[@]}" --set output.dead.letters.topic=plan-clicks

# What the broker refuses, and no broker at all.
expect 1 'cannot be made: .*[Rr]eplication' "${plan[@]}" --create --set input.reviews.topic=plan-three --set topics.replication.factor=3
expect 1 'no broker answers' "${plan[@]}" --set kafka.bootstrap.servers=127.0.0.1:1
echo "$checks checks"
exit $failed
