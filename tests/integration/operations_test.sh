#!/usr/bin/env bash
# `run` as a service, against the embedded broker: logs, systemd's words, reload, a stop within its time, positions reset, lists for a new
# consumer, metrics of lag and latency, and secrets that nothing prints.
set -u
dir=$(mktemp -d)
T=$TAILWATER
# shellcheck source=tests/support/stream.sh
. "$TW_SOURCE_DIR/tests/support/stream.sh"
running= listener=
trap '[ -z "$running" ] || kill -9 $running 2>/dev/null; [ -z "$listener" ] || kill $listener; broker_stop; rm -rf "$dir"' EXIT

start() {
    "$T" run --config "$dir/ops.yaml" --state "$dir/state" "$@" >"$dir/run" 2>"$dir/log" &
    running=$!
}
stop() { # EXIT
    local got
    kill "$running"
    wait "$running"
    got=$?
    running=
    checks=$((checks + 1))
    [ $got -eq "$1" ] || complain "stopped with $got (wanted $1): $(tail -3 "$dir/log")"
}
metric() { get http://127.0.0.1:18451/metrics | awk -v m="$1" '$1 == m {print $2}'; }
log_says() { grep -qsE -- "$1" "$dir/log"; }
heard() { grep -qsE -- "$1" "$dir/words"; }

broker_start clicks:2 purchases:2 reviews:2 items:1 recommendations:2 dead-letters:1
settings=('serve.enabled: true' 'serve.port: 18451' 'shutdown.timeout.ms: 1000' 'log.format: json' 'rank.min.interval.ms: 0')
# shellcheck disable=SC2016 # for tailwater
write() { configure "$dir/ops.yaml" "${settings[@]}" "$@"; sed -i '/^serve.enabled: false/d' "$dir/ops.yaml"; echo '  client.rack: ${env:RACK}' >>"$dir/ops.yaml"; }
export RACK=s3cret-rack
write
expect 0 'sent 3100 records' "$T" feed --config "$dir/ops.yaml" --events 3000 --items 100 --users 50

# Words to systemd, and logs as JSON.
python3 "$TW_SOURCE_DIR/tests/support/notify.py" "$dir/notify" "$dir/words" &
listener=$!
wait_for 10 [ -S "$dir/notify" ]
NOTIFY_SOCKET=$dir/notify WATCHDOG_USEC=400000 start
check "no READY=1" wait_for 30 heard ' READY=1'
check "no metrics of lag" wait_for 20 says http://127.0.0.1:18451/metrics '^tailwater_topic_lag_records.topic="clicks". 0'
check "latency from the event" wait_for 20 says http://127.0.0.1:18451/metrics '^tailwater_event_to_ack_seconds_count [1-9]'
check "latency from the record" says http://127.0.0.1:18451/metrics '^tailwater_produce_to_ack_seconds_count [1-9]'
check "acknowledged lists are not the lists made" wait_for 20 [ "$(metric tailwater_produce_to_ack_seconds_count)" = "$(metric tailwater_lists_total)" ]
check "rebalances" says http://127.0.0.1:18451/metrics '^tailwater_rebalances_total [1-9]'
check "no WATCHDOG=1" wait_for 10 heard ' WATCHDOG=1'
sleep 2
check "WATCHDOG=1 at half of its time" [ "$(grep -c WATCHDOG=1 "$dir/words")" -ge 8 ]
check "no status" heard ' STATUS=streaming; consumed [0-9]+, lists [0-9]+'

# Reload: rank.* and log.level change, the rest is named, a bad file is refused whole.
check "no list of user-1" says http://127.0.0.1:18451/api/v1/users/user-1/recommendations '"items":\[\{'
items() { get http://127.0.0.1:18451/api/v1/users/user-1/recommendations | grep -o '"item_id"' | wc -l; }
before=$(items)
write 'rank.exclude: none' 'log.level: debug'
sed -i -e 's/^rank.list.size: 3/rank.list.size: 7/' -e 's/^learn.dim: 16/learn.dim: 32/' -e 's/linger.ms: 50/linger.ms: 60/' "$dir/ops.yaml"
kill -HUP "$running"
check "no line about the reload" wait_for 10 log_says '"event":"reload","changed":"log.level rank.list.size","needs_restart":"learn.dim kafka.linger.ms"'
check "$before items before the reload, $(items) after it" [ "$before $(items)" = "3 7" ]
denied=$(get http://127.0.0.1:18451/api/v1/users/user-1/recommendations | grep -o '"item_id":"[^"]*"' | head -1 | cut -d'"' -f4)
echo "$denied" >"$dir/denied"
echo "rank.deny: $dir/denied" >>"$dir/ops.yaml"
kill -HUP "$running"
check "no line about the denied" wait_for 10 log_says '"event":"reload","changed":"rank.deny"'
check "$denied is shown although it is denied" [ "$(get http://127.0.0.1:18451/api/v1/users/user-1/recommendations | grep -c "\"item_id\":\"$denied\"")" = 0 ]
mv "$dir/denied" "$dir/denied.away"
kill -HUP "$running"
check "a missing file is not refused" wait_for 10 log_says '"event":"reload","text":"refused, the old settings stay: rank.deny: .*denied: No such file'
check "a refused file of ids changed something" [ "$(get http://127.0.0.1:18451/api/v1/users/user-1/recommendations | grep -c "\"item_id\":\"$denied\"")" = 0 ]
mv "$dir/denied.away" "$dir/denied"
echo 'rank.list.size: none' >>"$dir/ops.yaml"
sed -i 's/^rank.list.size: 7/rank.min.interval.ms: 5/' "$dir/ops.yaml"
kill -HUP "$running"
check "a bad file is not refused" wait_for 10 log_says '"event":"reload","text":"refused, the old settings stay: .*ops.yaml:[0-9]+: '
check "a refused file changed something" [ "$(items)" = 7 ]
write
stop 0
check "no STOPPING=1" heard ' STOPPING=1'
python3 -c 'import json, sys
for line in open(sys.argv[1]):
    x = json.loads(line)
    assert {"time", "level", "event"} <= set(x), line' "$dir/log" || complain "a line that is not JSON"
kill "$listener"
python3 "$TW_SOURCE_DIR/tests/support/notify.py" "@tailwater-test-$$" "$dir/words" &
listener=$!
sleep 0.5
NOTIFY_SOCKET=@tailwater-test-$$ start
check "no READY=1 by an abstract name" wait_for 30 heard ' READY=1'
! grep -q WATCHDOG "$dir/words" || complain "WATCHDOG=1 that nobody asked for"

# A writer runs: reset is refused. Then a broker that is away: the stop keeps to its time.
expect 1 'open for writing in process [0-9]+' "$T" reset --state "$dir/state"
expect 1 'open for writing in process [0-9]+' "$T" reset --state "$dir/state" --all
kill -USR1 "$broker_pid"
sleep 0.5
SECONDS=0
stop 0
check "the stop took $SECONDS s" [ $SECONDS -le 6 ]
kill -USR2 "$broker_pid"

to_the_end=("$T" run --config "$dir/ops.yaml" --state "$dir/state" --to-the-end --set shutdown.timeout.ms=10000)

# Lists for a new consumer: everybody's once.
"$T" inspect --state "$dir/state" --json >"$dir/state.json"
users=$(field users "$dir/state.json")
lists() { "$T" inspect --state "$dir/state" --json >"$dir/state.json"; field lists "$dir/state.json"; }
before=$(lists)
expect 0 '"event":"publish_all","users":"'"$users\"" "${to_the_end[@]}" --publish-all
check "lists of $users users: $before before, $(lists) after" [ $(($(lists) - before)) -eq "$users" ]

# Positions forgotten: what was read is read again, as duplicates or late; latest skips.
expect 2 'earliest or latest' "$T" reset --state "$dir/state" --to yesterday
expect 1 'no position of topic "nothing"' "$T" reset --state "$dir/state" --input clicks --input nothing
expect 1 'holds no state' "$T" reset --state "$dir/none"
consumed() { "$T" inspect --state "$dir/state" --json >"$dir/state.json"; echo $(($(field consumed "$dir/state.json"))); }
all=$(consumed) applied=$(field applied "$dir/state.json")
expect 0 '^[1-9] positions forgotten; the next run goes on from the beginning' "$T" reset --state "$dir/state" --input clicks --input items
expect 0 'consumed [0-9]+ = applied' "${to_the_end[@]}"
again=$(consumed)
check "consumed $again after the reset, $all before" [ "$again" -gt "$all" ]
check "events were learned twice: $(field applied "$dir/state.json") after, $applied before" [ "$(field applied "$dir/state.json")" -le $((applied + 100)) ]
expect 0 'goes on from the end' "$T" reset --state "$dir/state" --to latest
expect 0 "consumed $again = applied" "${to_the_end[@]}"

# Topics made anew behind the stored positions: a stop that says so, or going on from there.
broker_stop
broker_start clicks:2 purchases:2 reviews:2 items:1 recommendations:2 dead-letters:1
write
expect 1 'the stored position [0-9]+ is outside of what the topic has, 0 to 0 .*run --reset-to earliest' "${to_the_end[@]}"
expect 2 'earliest or latest' "$T" run --config "$dir/ops.yaml" --state "$dir/state" --reset-to middle
expect 0 'sent 210 records' "$T" feed --config "$dir/ops.yaml" --events 200 --items 10 --users 20 --seed 9
expect 0 "consumed $((again + 210)) = applied" "${to_the_end[@]}" --reset-to earliest
expect 0 "consumed $((again + 210)) = applied" "${to_the_end[@]}"

# The whole state, by name only.
expect 2 'wants --state DIR by name' "$T" reset --all --set state.dir="$dir/state"
expect 2 'neither --to nor --input' "$T" reset --all --state "$dir/state" --input clicks
expect 0 'is deleted' "$T" reset --all --state "$dir/state"
expect 1 'holds no state' "$T" reset --all --state "$dir/state"

# What the embedded broker shows of topics.
expect 0 'clicks +input.clicks.topic +2 +2 \?' "$T" topics --config "$dir/ops.yaml"
expect 1 '1 of 6 topics are missing; `tailwater topics --create`' "$T" topics --config "$dir/ops.yaml" --set input.reviews.topic=opinions
expect 2 '"event":"failed","command":"run","code":"TW_E_CONFIG","text":"topic .opinions. does not exist: `tailwater topics --create`' "$T" run --config "$dir/ops.yaml" --state "$dir/state" --set input.reviews.topic=opinions

# Secrets stand elsewhere and nothing prints them; what is wrong with one is said without it.
printf 's3cret-file\r\n' >"$dir/secret"
expect 0 'client.rack: "\$\{env:RACK\}"' "$T" config --config "$dir/ops.yaml"
expect 0 'sasl.password: "\*\*\*"' "$T" config --set kafka.sasl.password=s3cret
expect 0 '"sasl.jaas.config":"\*\*\*"' "$T" config --json --set "kafka.sasl.jaas.config=\${file:$dir/secret}"
expect 0 'http://\*\*\*@registry' "$T" config --set kafka.some.url=http://me:s3cret@registry
expect 2 'serve.port: the value that was given for it does not fit' "$T" config --set "serve.port=\${file:$dir/secret}"
expect 2 'no variable "NOT_THERE"' "$T" config --set 'serve.port=${env:NOT_THERE}'
expect 2 'wants a name and a closing brace' "$T" config --set 'kafka.sasl.password=${env:RACK'
expect 2 'kafka.socket.timeout.ms: librdkafka refuses the value' "$T" run --state "$dir/x" --set 'kafka.socket.timeout.ms=${env:RACK}'
expect 2 'wants key=value' "$T" config --set kafka.sasl.password:s3cret
expect 2 'unknown option --kafka.sasl.password ' "$T" run --kafka.sasl.password=s3cret
! grep -rqs s3cret "$dir"/out "$dir"/log "$dir"/run || complain "printed a secret"
echo "$checks checks"
exit $failed
