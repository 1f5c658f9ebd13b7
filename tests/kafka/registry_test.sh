#!/usr/bin/env bash
# The schema registry while the stream runs: schemas that evolve, ids that nobody knows, a registry that is down, frozen, down while the group is
# rebalanced, and down while the process is killed; what starts must and must not do with the schema of its lists. Nothing is lost and nothing counts twice.
set -u
# shellcheck source=tests/support/stream.sh
. "$TW_SOURCE_DIR/tests/support/stream.sh"
topic() { bash "$KAFKA" tool org.apache.kafka.tools.TopicCommand --create --topic "$1" --partitions "$2" >/dev/null; }
clients() { "$PYTHON" "$TW_SOURCE_DIR/tests/support/kafka/clients.py" "$@"; }
api() { curl -fsS -X "$1" -H 'Content-Type: application/vnd.schemaregistry.v1+json' "$REGISTRY/$2" ${3:+-d "$3"}; }
failed=0 running= faults=0
trap '[ -z "$running" ] || kill -9 "$running" 2>/dev/null; bash "$KAFKA" registry-cont 2>/dev/null; bash "$KAFKA" registry-up' EXIT

topic reg-clicks 2
topic reg-lists 1
topic reg-dead 1
topic reg-other 1
servers=$BOOTSTRAP
configure "$dir/config.yaml" 'application.id: reg' 'input.clicks.topic: reg-clicks' 'input.purchases.topic: ""' 'input.reviews.topic: ""' \
    'input.items.topic: ""' 'output.recommendations.topic: reg-lists' 'output.dead.letters.topic: reg-dead' 'input.format: confluent' \
    'output.format: confluent' "schema.registry.url: $REGISTRY" 'schema.registry.timeout.ms: 1000' 'serve.port: 0'
sed -i '/^serve.enabled/d' "$dir/config.yaml"
echo '  max.poll.interval.ms: 7000' >>"$dir/config.yaml"

start() { # more settings...: runs until it serves
    : >"$dir/log"
    "$T" run --config "$dir/config.yaml" --state "$dir/state" "$@" >"$dir/out" 2>>"$dir/log" &
    running=$!
    wait_for 30 grep -q event=serving "$dir/log" || complain "not serving: $(tail -3 "$dir/log")"
    url=$(sed -n 's/.*event=serving url=//p' "$dir/log")
}
end() { # SIGNAL
    local code
    kill "-$1" "$running"
    wait "$running" 2>/dev/null
    code=$?
    running=
    [ "$1" = KILL ] || [ $code = 0 ] || complain "ended with $code: $(tail -5 "$dir/log")"
}
metric() { curl -sS "${url%/}/metrics" | awk -v name="$1" '$1 == name {print $2 + 0}'; }
has() { [ "$(metric "$1")" = "$2" ]; }
consumed() { "$T" inspect --state "$dir/state" --json >"$dir/state.json" 2>/dev/null && field consumed "$dir/state.json"; }
has_consumed() { [ "$(consumed)" = "$1" ]; }
readyz() { curl -sS -w '%{http_code}' "${url%/}/readyz" | tr '\n' ' '; }
is_ready() { readyz | grep -q '200$'; }
expect_stop() { # PATTERN SETTINGS...
    local pattern=$1 code
    shift
    timeout 30 "$T" run --config "$dir/config.yaml" --state "$dir/none" "$@" >"$dir/stop" 2>&1
    code=$?
    [ $code = 2 ] && grep -qE -- "$pattern" "$dir/stop" || complain "stopped with $code (wanted 2, \"$pattern\"): $(tail -2 "$dir/stop")"
}
sent=0 first=0
send() { # N SCHEMA [ID]: N more clicks, by a serializer or, with an id, without the registry
    local how=write
    [ -z "${3:-}" ] || how=write-id
    clients events click "$1" $first | clients $how reg-clicks "$2" ${3:+"$3"} >"$dir/written" || complain "writing $2"
    [ "$(cat "$dir/written")" = "$1" ] || complain "$(cat "$dir/written") of $1 were delivered"
    sent=$((sent + $1)) first=$((first + $1))
}

# Evolution while it runs: each version has another id, all of them are read.
send 500 "$TW_SOURCE_DIR/schemas/click.avsc"
api PUT config/reg-clicks-value '{"compatibility":"BACKWARD"}' >/dev/null
start
wait_for 60 has_consumed $sent || complain "consumed $(consumed) of $sent"
for version in 1 2; do
    send 500 click+$version
    wait_for 30 has_consumed $sent || complain "version $version: consumed $(consumed) of $sent"
done
[ "$(grep -c 'event=schema id=' "$dir/log")" = 3 ] || complain "asked for other than three ids: $(grep event=schema "$dir/log")"
is_ready || complain "not ready: $(readyz)"
clients register reg-clicks-value click-bad >"$dir/out" 2>&1 && complain "the registry took an incompatible schema"
grep -q 409 "$dir/out" || complain "an incompatible schema is not 409: $(tail -1 "$dir/out")"

# An id that the registry does not know, and schemas that are no events.
string=$(api POST subjects/string-value/versions '{"schema":"{\"type\":\"string\"}"}' | grep -o '[0-9]*')
api POST subjects/part-value/versions '{"schema":"{\"type\":\"record\",\"name\":\"Part\",\"fields\":[{\"name\":\"a\",\"type\":\"int\"}]}"}' >/dev/null
whole=$(api POST subjects/whole-value/versions '{"schema":"{\"type\":\"record\",\"name\":\"Whole\",\"fields\":[{\"name\":\"p\",\"type\":\"Part\"}]}","references":[{"name":"Part","subject":"part-value","version":1}]}' | grep -o '[0-9]*')
send 10 click+2 999999
send 5 click+2 "$string"
send 5 click+2 "$whole"
late=$((whole + 1)) # the registry counts them: this one is registered only after its first records
send 7 click+6 $late
send 100 click+2
wait_for 30 has_consumed $sent || complain "unknown ids: consumed $(consumed) of $sent"
dead=$(kcat -b "$BOOTSTRAP" -C -t reg-dead -e -q -f '%h\n' 2>/dev/null | grep -c 'tailwater.error.reason=unknown_schema')
[ "$dead" = 27 ] || complain "$dead of 27 dead letters"
[ "$(field dead_lettered "$dir/state.json")" = 27 ] || complain "counted $(field dead_lettered "$dir/state.json") of 27 dead letters"
[ "$(clients register reg-clicks-value click+6)" = $late ] || complain "the registry counts otherwise: $late was to be next"
late_s=$SECONDS
grep -qE 'event=schema id=999999 text=.the registry does not know it' "$dir/log" || complain "an unknown id is not logged"
grep -qE "event=schema id=$whole text=.it refers to other schemas" "$dir/log" || complain "references are not logged: $(grep event=schema "$dir/log")"

# Away, each time with an id that is new, for longer than max.poll.interval.ms or while the group is rebalanced.
outage() { # NAME GO COME VERSION MEANWHILE...
    local id before
    id=$(clients register reg-clicks-value "click+$4") || complain "$1: registering"
    before=$sent
    faults=$((faults + 1))
    bash "$KAFKA" "$2"
    send 300 "click+$4" "$id"
    wait_for 20 has tailwater_registry_waiting 1 || complain "$1: nothing waits for the registry"
    "${@:5}" || complain "$1: ${*:5}"
    readyz | grep -q 'schema registry does not answer.*503$' || complain "$1: ready without the registry: $(readyz)"
    [ "$(metric tailwater_registry_errors_total)" -gt 0 ] || complain "$1: no errors counted"
    [ "$(consumed)" -le $sent ] && [ "$(consumed)" -ge "$before" ] || complain "$1: consumed $(consumed) of $before to $sent"
    bash "$KAFKA" "$3"
    wait_for 30 has_consumed $sent || complain "$1: consumed $(consumed) of $sent after it came back"
    wait_for 5 is_ready || complain "$1: not ready after it came back: $(readyz)"
    echo "$1: $(metric tailwater_registry_errors_total) attempts failed until now"
}
outage down registry-down registry-up 3 sleep 9
outage frozen registry-stop registry-cont 4 sleep 9
[ "$(grep -c event=revoked "$dir/log")" = 0 ] || complain "partitions were lost meanwhile: $(grep event=revoked "$dir/log")"
outage rebalanced registry-down registry-up 5 clients join reg reg-clicks 3
[ "$(grep -c event=revoked "$dir/log")" = 2 ] || complain "another member came and went, and: $(grep event=revoked "$dir/log")"

# An id that was unknown is asked for again half a minute later.
while [ $((SECONDS - late_s)) -lt 31 ]; do sleep 1; done
send 50 click+6 $late
wait_for 30 has_consumed $sent || complain "late: consumed $(consumed) of $sent"
[ "$(field dead_lettered "$dir/state.json")" = 27 ] || complain "a schema that was registered late is still unknown"

# Killed while the registry is down, and started without it: the lists' schema waits as well, the page is there, and it ends when it is told to.
faults=$((faults + 1))
bash "$KAFKA" registry-down
send 200 click+6 "$(sed -n 's/.*event=schema id=\([0-9]*\)$/\1/p' "$dir/log" | tail -1)"
end KILL
start
wait_for 10 has tailwater_registry_waiting 1 || complain "a start without the registry does not say that it waits"
readyz | grep -q 'schema registry does not answer.*503$' || complain "started without the registry: $(readyz)"
end TERM
grep -q 'stopped by a signal before the schema registry answered' "$dir/log" && complain "a stop is told as a failure"
start
bash "$KAFKA" registry-up
wait_for 60 has_consumed $sent || complain "restarted: consumed $(consumed) of $sent"
end TERM

# What becomes of the lists' schema.
"$PYTHON" "$TW_SOURCE_DIR/tests/support/kafka/clients.py" lists reg-lists confluent >"$dir/lists" || complain "lists cannot be read"
[ "$(wc -l <"$dir/lists")" = "$(field users "$dir/state.json")" ] || complain "$(wc -l <"$dir/lists") lists of $(field users "$dir/state.json") users"
expect_stop 'subject "reg-other-value" does not hold schemas/recommendation.avsc, and auto.register.schemas is false' \
    --set output.recommendations.topic=reg-other --set auto.register.schemas=false
api POST subjects/reg-other-value/versions '{"schema":"{\"type\":\"record\",\"name\":\"Recommendation\",\"namespace\":\"io.tailwater\",\"fields\":[{\"name\":\"user_id\",\"type\":\"long\"}]}"}' >/dev/null
api PUT config/reg-other-value '{"compatibility":"BACKWARD"}' >/dev/null
expect_stop 'is not compatible with what subject "reg-other-value" holds' --set output.recommendations.topic=reg-other
expect_stop 'schema.registry.url' --set schema.registry.url=
start --set auto.register.schemas=false
wait_for 20 grep -q 'event=schema subject=reg-lists-value' "$dir/log" || complain "a schema that is registered is not found: $(tail -3 "$dir/log")"
wait_for 20 is_ready || complain "not ready: $(readyz)"
end TERM

consumed >/dev/null
lost=$((sent - $(field consumed "$dir/state.json")))
twice=$(($(field applied "$dir/state.json") - (sent - 27)))
[ $lost = 0 ] && [ $twice = 0 ] || complain "sent $sent: $(cat "$dir/state.json")"
echo "faults $faults tries $faults lost $lost applied_twice $twice"
exit $failed
