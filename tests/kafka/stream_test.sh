#!/usr/bin/env bash
# The whole stream against the real broker: everything that was sent is consumed once, lists come out, and a restart goes on.
set -u
# shellcheck source=tests/support/stream.sh
. "$TW_SOURCE_DIR/tests/support/stream.sh"
topic() { bash "$KAFKA" tool org.apache.kafka.tools.TopicCommand --create --topic "$1" --partitions "$2" ${3:+--config cleanup.policy=$3} >/dev/null; }
failed=0
for name in clicks purchases reviews recommendations; do topic "stream-$name" 2; done
topic stream-items 1 compact
topic stream-dead 1
servers=$BOOTSTRAP
configure "$dir/config.yaml" 'application.id: stream' 'input.clicks.topic: stream-clicks' 'input.purchases.topic: stream-purchases' \
    'input.reviews.topic: stream-reviews' 'input.items.topic: stream-items' 'output.recommendations.topic: stream-recommendations' \
    'output.dead.letters.topic: stream-dead'
"$T" feed --config "$dir/config.yaml" --events 20000 >"$dir/fed" || complain "the feeder"
for round in 1 2; do
    timeout 120 "$T" run --config "$dir/config.yaml" --state "$dir/state" --to-the-end >"$dir/out" 2>"$dir/log" || complain "run: $(tail -2 "$dir/log")"
    "$T" inspect --state "$dir/state" --json >"$dir/state.json"
    [ "$(field consumed "$dir/state.json")" = 22000 ] || complain "round $round: consumed $(field consumed "$dir/state.json") of 22000"
done
lists=$(kcat -b "$BOOTSTRAP" -C -t stream-recommendations -e -q -f '%k\n' 2>/dev/null | sort -u | wc -l)
dead=$(kcat -b "$BOOTSTRAP" -C -t stream-dead -e -q -f '%h\n' 2>/dev/null | grep -c 'tailwater.error.reason=')
[ "$lists" = "$(field users "$dir/state.json")" ] || complain "lists of $lists users, $(field users "$dir/state.json") in the state"
[ "$dead" = "$(field dead_lettered "$dir/state.json")" ] || complain "$dead dead letters, $(field dead_lettered "$dir/state.json") counted"
bash "$KAFKA" tool org.apache.kafka.tools.consumer.group.ConsumerGroupCommand --describe --group stream >"$dir/lag" 2>&1
awk '$2 ~ /^stream-/ {lag += $6} END {exit lag != 0}' "$dir/lag" || complain "lag tools see: $(cat "$dir/lag")"
echo "lists of $lists users, $dead dead letters"
exit $failed
