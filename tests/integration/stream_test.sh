#!/usr/bin/env bash
# `run` and what goes with it from outside, against the embedded broker in a process of its own: a whole stream, the page beside it, a
# broker that is away at start and later, and every mistake in the topics or the configuration.
set -u
dir=$(mktemp -d)
T=$TAILWATER
# shellcheck source=tests/support/stream.sh
. "$TW_SOURCE_DIR/tests/support/stream.sh"
running=
trap '[ -z "$running" ] || kill -9 $running 2>/dev/null; broker_stop; rm -rf "$dir"' EXIT

start() { # config state more...
    local config=$1 state=$2
    shift 2
    "$T" run --config "$config" --state "$state" "$@" >"$dir/run" 2>"$dir/log" &
    running=$!
}

# stop EXIT PATTERN: SIGTERM, then the exit code and a pattern in what it said
stop() {
    local got
    kill "$running"
    wait "$running"
    got=$?
    running=
    checks=$((checks + 1))
    [ $got -eq "$1" ] && cat "$dir/run" "$dir/log" | grep -qE -- "$2" || complain "stopped with $got (wanted $1), pattern \"$2\": $(tail -3 "$dir/log")"
}

consumed() { "$T" inspect --state "$1" --json >"$dir/state.json" 2>/dev/null && field consumed "$dir/state.json"; }
has_consumed() { [ "$(consumed "$1")" = "$2" ]; }
log_says() { grep -qsE -- "$1" "$dir/log"; }

# Before there is a broker.
expect 2 'kafka.bootstrap.servers is wanted' "$T" run --state "$dir/none"
expect 2 'state' "$T" run --set kafka.bootstrap.servers=127.0.0.1:1
expect 2 'kafka.retries.of.mine' "$T" run --state "$dir/none" --set kafka.bootstrap.servers=127.0.0.1:1 --set kafka.retries.of.mine=3
expect 2 'kafka.group.id cannot be set: it is application.id' "$T" run --state "$dir/none" --set kafka.bootstrap.servers=127.0.0.1:1 --set kafka.group.id=x
servers=127.0.0.1:1
configure "$dir/away.yaml" 'serve.enabled: true' 'serve.port: 18431'
sed -i '/^serve.enabled: false/d' "$dir/away.yaml"
start "$dir/away.yaml" "$dir/away"
check "does not wait for a broker that is away" wait_for 20 log_says 'event=broker.*waiting for it'
check "is live while it waits" wait_for 10 says http://127.0.0.1:18431/livez '"live":true'
check "says that it is not ready" says http://127.0.0.1:18431/readyz '^503 .*"ready":false'
expect 1 'port 18431 of 127.0.0.1 is taken' "$T" run --config "$dir/away.yaml" --state "$dir/other"
stop 0 ''

# Topics that do not fit.
broker_start clicks:2 purchases:2 reviews:3 items:1 recommendations:2 dead-letters:1 odd:2
configure "$dir/bad.yaml"
expect 2 '"clicks" has 2 partitions and "reviews" has 3' "$T" run --config "$dir/bad.yaml" --state "$dir/bad"
expect 2 'topic "no-such" does not exist.*input' "$T" run --config "$dir/bad.yaml" --state "$dir/bad" --set input.clicks.topic=no-such
expect 2 'no topic to read' "$T" run --config "$dir/bad.yaml" --state "$dir/bad" --set input.clicks.topic= --set input.purchases.topic= --set input.reviews.topic=
expect 2 '"nowhere" does not exist.*output.recommendations.topic' "$T" run --config "$dir/bad.yaml" --state "$dir/bad" --set input.reviews.topic= --set output.recommendations.topic=nowhere
expect 2 '"odd" is read already' "$T" run --config "$dir/bad.yaml" --state "$dir/bad" --set input.reviews.topic=odd --set input.clicks.topic=odd
broker_stop

# A whole stream, with history from a file before it that overlaps.
broker_start clicks:2 purchases:2 reviews:2 items:1 recommendations:2 dead-letters:1
configure "$dir/good.yaml" 'serve.port: 18432' 'shutdown.timeout.ms: 1000'
sed -i '/^serve.enabled: false/d' "$dir/good.yaml"
expect 0 'sent 5500 records' "$T" feed --config "$dir/good.yaml" --events 5000 --items 500 --users 100
start "$dir/good.yaml" "$dir/shop"
check "is not ready after all was there" wait_for 60 says http://127.0.0.1:18432/readyz '"ready":true'
check "does not consume everything" wait_for 60 has_consumed "$dir/shop" 5500
check "no list over HTTP" says http://127.0.0.1:18432/api/v1/users/user-1/recommendations '"topic":"(clicks|purchases|reviews)"'
check "no metrics" says http://127.0.0.1:18432/metrics '^tailwater_records_total.verdict="applied". [0-9]+'
timeout 60 "$T" watch --config "$dir/good.yaml" --from-beginning --count 50 >"$dir/lists" 2>&1
check "50 readable lists" [ "$(grep -cE '^user-[0-9]+ +v[0-9]+ +[a-z]+' "$dir/lists")" = 50 ]

# An outage while it runs: inputs wait, and nothing is lost.
kill -USR1 "$broker_pid"
sleep 1
kill -USR2 "$broker_pid"
"$T" feed --config "$dir/good.yaml" --events 3000 --items 500 --users 100 --seed 2 >/dev/null 2>&1 || complain "the feeder failed"
check "does not go on after an outage" wait_for 90 has_consumed "$dir/shop" 9000
stop 0 'consumed 9000 = applied'

# Stopped while the broker is away: told, and what was not committed is done again.
"$T" feed --config "$dir/good.yaml" --events 1000 --items 500 --users 100 --seed 3 >/dev/null || complain "the feeder failed"
start "$dir/good.yaml" "$dir/shop" --set commit.interval.ms=600000 --set kafka.linger.ms=30000
check "gets no partitions" wait_for 60 log_says 'event=assigned topic=clicks'
check "makes no list" wait_for 60 says http://127.0.0.1:18432/metrics '^tailwater_lists_total [1-9]'
sleep 1
kill -USR1 "$broker_pid"
sleep 0.3
stop 1 'without the last commit; the next start goes on'
kill -USR2 "$broker_pid"
# The items may have been read, and committed with the tasks that came, before the partitions were there.
[ "$(consumed "$dir/shop")" -le 9500 ] || complain "committed what was not acknowledged: $(consumed "$dir/shop")"
expect 0 'consumed 10500 = applied' "$T" run --config "$dir/good.yaml" --state "$dir/shop" --to-the-end --set shutdown.timeout.ms=20000
broker_stop

# The demo, which takes the next port where its own is taken and says which.
start "$dir/away.yaml" "$dir/away" --set serve.port=18433
check "does not take the port" wait_for 10 says http://127.0.0.1:18433/livez '"live":true'
expect 0 '^sent ([0-9]+); consumed \1 = applied' "$T" demo --seconds 5 --rate 200 --set serve.port=18433
checks=$((checks + 1))
grep -q 'list for user-' "$dir/out" || complain "the demo showed no list"
check "does not name the port that it took" grep -q 'http://127.0.0.1:18434' "$dir/out"
stop 0 ''

echo "$checks checks"
exit $failed
