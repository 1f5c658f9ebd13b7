#!/usr/bin/env bash
# Kills `run` with -9 at random instants while an embedded broker, in a process of its own, lives on. On one partition state and counters
# come out as those of a run that nothing disturbed, bit for bit; on several topics and partitions with a shop that goes on selling,
# every record is accounted for once, every user has a list, and no list goes back behind an older one. FAULTS=full kills 30 times,
# else 5.
set -u
dir=$(mktemp -d)
T=$TAILWATER
# shellcheck source=tests/support/stream.sh
. "$TW_SOURCE_DIR/tests/support/stream.sh"
feeder=
trap '[ -z "$feeder" ] || kill $feeder 2>/dev/null; broker_stop; rm -rf "$dir"' EXIT
RANDOM=${SEED:-$RANDOM}
[ "${FAULTS:-short}" = full ] && tries=30 || tries=5
kills=0 middle=0 failed=0
complain() { echo "$1"; failed=1; }

# Starts `run` and kills it some time after it has its partitions; one that ends before is no kill.
kill_once() { # config state longest-ms
    local pid
    "$T" run --config "$1" --state "$2" --set application.id=killed --to-the-end >"$dir/out" 2>"$dir/err" &
    pid=$!
    wait_for 60 grep -q 'event=assigned' "$dir/err" || complain "no partitions: $(tail -3 "$dir/err")"
    sleep "$(printf "%d.%03d" $((RANDOM % $3 / 1000)) $((RANDOM % 1000)))"
    kill -9 $pid 2>/dev/null && kills=$((kills + 1))
    wait $pid 2>/dev/null
}

to_the_end() { # config state application
    "$T" run --config "$1" --state "$2" --set "application.id=$3" --to-the-end >"$dir/out" 2>"$dir/err" ||
        complain "$3 failed: $(tail -3 "$dir/err")"
    "$T" inspect --state "$2" --json >"$2.json"
}

totals() { grep -o '"consumed":.*"dead_lettered":[0-9]*' "$1"; }

# One partition: the digest.
broker_start events:1 lists:1 dead:1
configure "$dir/one.yaml" 'input.clicks.topic: ""' 'input.purchases.topic: ""' 'input.reviews.topic: ""' 'input.items.topic: ""' \
    'input.events.topic: events' 'output.recommendations.topic: lists' 'output.dead.letters.topic: dead'
"$T" feed --config "$dir/one.yaml" --events 20000 >/dev/null || exit 1
to_the_end "$dir/one.yaml" "$dir/whole" whole
for n in $(seq 1 $((4 * tries))); do # more only where none of them came in the middle of the work
    [ "$n" -le "$tries" ] || [ "$middle" -eq 0 ] || break
    kill_once "$dir/one.yaml" "$dir/killed" $((n % 2 ? 250 : 900))
    "$T" inspect --state "$dir/killed" --json >"$dir/now.json" 2>/dev/null && consumed=$(field consumed "$dir/now.json") || consumed=0
    [ "$consumed" -gt 0 ] && [ "$consumed" -lt 20000 ] && middle=$((middle + 1))
    [ "$consumed" -lt 20000 ] || rm -rf "$dir/killed" # it was through: again from the beginning
done
to_the_end "$dir/one.yaml" "$dir/killed" killed
[ "$(totals "$dir/killed.json")" = "$(totals "$dir/whole.json")" ] ||
    complain "counters differ: $(totals "$dir/killed.json") and $(totals "$dir/whole.json")"
[ "$(field consumed "$dir/whole.json")" = 20000 ] || complain "consumed $(field consumed "$dir/whole.json") of 20000"
whole=$("$T" inspect --state "$dir/whole" --digest)
killed=$("$T" inspect --state "$dir/killed" --digest)
[ -n "$whole" ] && [ "$whole" = "$killed" ] || complain "digest $killed, undisturbed $whole"
broker_stop

# Several topics and partitions, the shop open.
broker_start clicks:2 purchases:2 reviews:2 items:1 recommendations:2 dead-letters:1
configure "$dir/all.yaml"
"$T" feed --config "$dir/all.yaml" --rate 700 --users 200 --items 100 >"$dir/fed" 2>&1 &
feeder=$!
for _ in $(seq 1 $(((tries + 1) / 2))); do
    kill_once "$dir/all.yaml" "$dir/shop" 3000 # long enough to publish between two kills
done
kill $feeder
wait $feeder || complain "the feeder failed: $(cat "$dir/fed")"
feeder=
sent=$(sed -n 's/^sent \([0-9]*\).*/\1/p' "$dir/fed")
to_the_end "$dir/all.yaml" "$dir/shop" killed
[ "$(field consumed "$dir/shop.json")" = "$sent" ] || complain "sent $sent, consumed $(field consumed "$dir/shop.json")"
timeout 5 "$T" watch --config "$dir/all.yaml" --from-beginning --json >"$dir/lists" 2>"$dir/err"
python3 - "$dir/lists" "$dir/shop.json" <<'PYTHON' || failed=1
import json, sys
lists = [json.loads(line) for line in open(sys.argv[1])]
state = json.load(open(sys.argv[2]))
newest, back = {}, 0
for one in lists:
    back += one["list_version"] < newest.get(one["user_id"], 0)
    newest[one["user_id"]] = one["list_version"]
print(f"{len(lists)} lists of {len(newest)} users, {back} behind an older one; {state['users']} users in the state")
sys.exit(back != 0 or len(newest) != state["users"] or not lists)
PYTHON
[ "$middle" -gt 0 ] || complain "no kill came in the middle of the work: nothing was tested"
echo "kills $kills ($middle of them with part of the topic taken), differences $failed: lost 0, applied twice 0 when none"
exit $failed
