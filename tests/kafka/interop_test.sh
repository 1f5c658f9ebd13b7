#!/usr/bin/env bash
# Stock clients on both sides: events written by confluent-kafka's serializers with the registry and librdkafka's own partitioner come in;
# lists and dead letters are read by AvroDeserializer, fastavro and kcat, and say what `recommend` and the API say.
set -u
# shellcheck source=tests/support/stream.sh
. "$TW_SOURCE_DIR/tests/support/stream.sh"
topic() { bash "$KAFKA" tool org.apache.kafka.tools.TopicCommand --create --topic "$1" --partitions "$2" ${3:+--config cleanup.policy=$3} >/dev/null; }
clients() { "$PYTHON" "$TW_SOURCE_DIR/tests/support/kafka/clients.py" "$@"; }
failed=0 running=
trap '[ -z "$running" ] || kill "$running"' EXIT

for name in clicks purchases reviews; do topic interop-$name 3; done
for form in confluent single_object json; do topic interop-$form 2 compact; done
topic interop-items 1 compact
topic interop-dead 1
sent=0
for kind in item:97 click:3000 purchase:400 review:300; do
    count=${kind#*:} kind=${kind%:*}
    clients events "$kind" "$count" 0 | clients write "interop-${kind}s" "$TW_SOURCE_DIR/schemas/$kind.avsc" >"$dir/written" || complain "writing ${kind}s"
    [ "$(cat "$dir/written")" = "$count" ] || complain "$(cat "$dir/written") of $count ${kind}s were delivered"
    sent=$((sent + count))
done
clients spoil interop-clicks 5 >/dev/null
sent=$((sent + 5))

servers=$BOOTSTRAP
for form in confluent single_object json; do # lists at the end alone, so that they know all that `recommend` knows
    configure "$dir/$form.yaml" "application.id: interop-$form" 'input.clicks.topic: interop-clicks' 'input.purchases.topic: interop-purchases' \
        'input.reviews.topic: interop-reviews' 'input.items.topic: interop-items' "output.recommendations.topic: interop-$form" \
        'output.dead.letters.topic: interop-dead' 'input.format: confluent' "output.format: $form" "schema.registry.url: $REGISTRY" \
        'rank.min.interval.ms: 36000000' 'rank.max.delay.ms: 36000000' 'rank.list.size: 7'
    sed -i '/^rank.list.size: 3/d' "$dir/$form.yaml"
    timeout 120 "$T" run --config "$dir/$form.yaml" --state "$dir/$form" --to-the-end >"$dir/out" 2>"$dir/log" || complain "$form: $(tail -3 "$dir/log")"
    "$T" inspect --state "$dir/$form" --json >"$dir/state.json"
    [ "$(field consumed "$dir/state.json")" = $sent ] || complain "$form: consumed $(field consumed "$dir/state.json") of $sent"
    [ "$(field dead_lettered "$dir/state.json")" = 5 ] || complain "$form: dead letters $(field dead_lettered "$dir/state.json") of 5"
    for user in $(seq 0 52); do
        "$T" recommend --config "$dir/$form.yaml" --state "$dir/$form" --json "u$user"
    done >"$dir/$form.wanted"
    case $form in
    json) kcat -b "$BOOTSTRAP" -C -t interop-json -e -q >"$dir/$form.got" 2>/dev/null ;;
    *) clients lists interop-$form $form >"$dir/$form.got" || complain "reading $form" ;;
    esac
    echo "$form: $(clients compare "$dir/$form.got" "$dir/$form.wanted" 2>&1 | tail -5)"
    clients compare "$dir/$form.got" "$dir/$form.wanted" >/dev/null 2>&1 || complain "$form: lists differ from recommend's"
done
curl -fsS "$REGISTRY/subjects/interop-confluent-value/versions" | grep -q '\[1\]' || complain "the lists' schema is not under its subject"
grep -q 'event=schema subject=interop-confluent-value' "$dir/log" && complain "json asked the registry for an output schema"

# Dead letters as kcat shows them: as they came, and why.
kcat -b "$BOOTSTRAP" -C -t interop-dead -e -q -f '%k %s %h\n' 2>/dev/null >"$dir/dead"
grep -qE '^u3 no avro 3 trace=t3,tailwater.error.reason=malformed,tailwater.error.topic=interop-clicks,tailwater.error.partition=[0-2],tailwater.error.offset=[0-9]+$' "$dir/dead" ||
    complain "dead letters: $(cat "$dir/dead")"
[ "$(wc -l <"$dir/dead")" = 15 ] || complain "$(wc -l <"$dir/dead") dead letters of 3 times 5"

# The API beside the stream.
sed -i -e '/^serve.enabled/d' -e '1i serve.port: 0' "$dir/confluent.yaml"
"$T" run --config "$dir/confluent.yaml" --state "$dir/confluent" >"$dir/out" 2>"$dir/log" &
running=$!
wait_for 30 grep -q event=serving "$dir/log" || complain "not serving: $(tail -3 "$dir/log")"
url=$(sed -n 's/.*event=serving url=//p' "$dir/log")
for user in $(seq 0 52); do curl -fsS "${url%/}/api/v1/users/u$user/recommendations"; done >"$dir/api"
echo "API: $(clients compare "$dir/confluent.got" "$dir/api" 2>&1 | tail -5)"
clients compare "$dir/confluent.got" "$dir/api" >/dev/null 2>&1 || complain "lists differ from the API's"
exit $failed
