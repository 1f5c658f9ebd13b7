#!/usr/bin/env bash
# What only a real broker shows of operating `run`: lag tools see the offsets of the last commit, a stop leaves the group at once, a broker that
# froze does not hold it up, a topic that was made anew stops with what to do, and every user's list goes out for a new consumer.
set -u
# shellcheck source=tests/support/stream.sh
. "$TW_SOURCE_DIR/tests/support/stream.sh"
running=
trap '[ -z "$running" ] || kill -9 $running 2>/dev/null; bash "$KAFKA" cont 2>/dev/null' EXIT
topics() { bash "$KAFKA" tool org.apache.kafka.tools.TopicCommand "$@" >/dev/null; }
case ${KAFKA_VERSION:-4.1.1} in
3.*) group_class=kafka.admin.ConsumerGroupCommand ;;
*) group_class=org.apache.kafka.tools.consumer.group.ConsumerGroupCommand ;;
esac
bash "$KAFKA" tool "$group_class" --list >/dev/null 2>&1 || group_class=org.apache.kafka.tools.consumer.group.ConsumerGroupCommand
groups() { bash "$KAFKA" tool "$group_class" --describe --group ops "$@" 2>&1; }

start() {
    "$T" run --config "$dir/config.yaml" --state "$dir/state" "$@" >"$dir/run" 2>"$dir/log" &
    running=$!
}
stop() { # sets $took and $code
    local from=$(date +%s%N)
    kill "$running"
    wait "$running"
    code=$?
    running=
    took=$((($(date +%s%N) - from) / 1000000))
}
consumed() { "$T" inspect --state "$dir/state" --json >"$dir/state.json" 2>/dev/null; field consumed "$dir/state.json"; }
has_consumed() { [ "$(consumed)" = "$1" ]; }

servers=$BOOTSTRAP
configure "$dir/config.yaml" 'application.id: ops' 'input.clicks.topic: ops-clicks' 'input.purchases.topic: ops-purchases' \
    'input.reviews.topic: ops-reviews' 'input.items.topic: ops-items' 'output.recommendations.topic: ops-lists' \
    'output.dead.letters.topic: ops-dead' 'topics.partitions: 2' 'shutdown.timeout.ms: 3000' 'rank.min.interval.ms: 0'
expect 0 'made' "$T" topics --create --config "$dir/config.yaml"
expect 0 'sent 5500 records' "$T" feed --config "$dir/config.yaml" --events 5000 --items 500 --users 100
start
check "does not consume everything" wait_for 60 has_consumed 5500
sleep 1
groups >"$dir/groups"
check "lag tools see: $(cat "$dir/groups")" awk '$2 ~ /^ops-/ {n++; lag += $6; done += $4} END {exit !(n == 6 && lag == 0 && done == 5000)}' "$dir/groups"
check "one member while it runs" grep -qE '^ops .*/127.0.0.1' <(groups --members)

# The stop: within its time, out of the group, offsets committed.
stop
check "stopped with $code after $took ms: $(tail -2 "$dir/log")" [ "$code" = 0 -a "$took" -lt 8000 ]
check "still a member" grep -q 'no active members' <(groups --members)
expect 0 'consumed 5500 = applied' "$T" run --config "$dir/config.yaml" --state "$dir/state" --to-the-end

# A broker that froze: unacknowledged lists, an answer that never comes. The process ends in the stated time.
start --set commit.interval.ms=600000
check "gets no partitions" wait_for 30 grep -q 'event=assigned topic=ops-clicks' "$dir/log"
"$T" feed --config "$dir/config.yaml" --events 500 --items 500 --users 100 --seed 2 >/dev/null 2>&1 || complain "the feeder"
sleep 0.5
bash "$KAFKA" stop
stop
bash "$KAFKA" cont
check "frozen broker: stopped with $code after $took ms" [ "$took" -lt 8500 ]
echo "frozen broker: stopped with $code after $took ms"
expect 0 'consumed 6500 = applied' "$T" run --config "$dir/config.yaml" --state "$dir/state" --to-the-end

# Everybody's list for a new consumer.
"$T" inspect --state "$dir/state" --json >"$dir/state.json"
users=$(field users "$dir/state.json")
topics --create --topic ops-new-lists --partitions 2 --config cleanup.policy=compact
expect 0 "event=publish_all users=$users" "$T" run --config "$dir/config.yaml" --state "$dir/state" --to-the-end --publish-all --set output.recommendations.topic=ops-new-lists
got=$(kcat -b "$BOOTSTRAP" -C -t ops-new-lists -e -q -f '%k\n' 2>/dev/null | sort | uniq -c | awk '{n += $1; u++} END {print n + 0, u + 0}')
check "lists and users in the new topic: $got, $users users" [ "$got" = "$users $users" ]

# A topic made anew, with fewer records than were read before.
topics --delete --topic ops-clicks
sleep 1
topics --create --topic ops-clicks --partitions 2
expect 1 'ops-clicks\[[01]\]: the stored position [0-9]+ is outside of what the topic has, 0 to 0 .*`run --reset-to earliest` or `latest` goes on from there' \
    "$T" run --config "$dir/config.yaml" --state "$dir/state" --to-the-end
for n in 1 2 3; do echo "{\"event_id\":\"new$n\",\"user_id\":\"new$n\",\"item_id\":\"item-1\",\"event_ms\":$(date +%s%3N)}" | kcat -b "$BOOTSTRAP" -P -t ops-clicks -k "new$n"; done
expect 0 'consumed 6503 = applied' "$T" run --config "$dir/config.yaml" --state "$dir/state" --to-the-end --reset-to earliest
expect 0 'consumed 6503 = applied' "$T" run --config "$dir/config.yaml" --state "$dir/state" --to-the-end
expect 0 'positions forgotten' "$T" reset --state "$dir/state" --input ops-clicks
expect 0 'consumed 6506 = applied' "$T" run --config "$dir/config.yaml" --state "$dir/state" --to-the-end
echo "$checks checks"
exit $failed
