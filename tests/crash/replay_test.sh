#!/usr/bin/env bash
# Kills `replay` with -9 at every failpoint and at random instants, goes on each time, and compares with a run that nothing
# disturbed: same digest, same counters, the same lists and dead letters byte for byte. Then the same with memory for an eighth of the users
# (state.memory.max), beside the run that had room for all. FAULTS=full makes 200 random kills, else 20. With TAILWATER_DATA the random
# kills are done on a real stream too.
set -u
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
kills=0 failed=0
random=${SEED:-$RANDOM}
echo "seed $random"
RANDOM=$random
[ "${FAULTS:-short}" = full ] && tries=200 || tries=20

settings="--set commit.interval.ms=15 --set store.journal.max.bytes=1m --set store.fold.rows.max=500 --set learn.negatives=32
 --set rank.list.size=5 --set learn.dim=16"

begin() { # state-name: becomes the replay
    # shellcheck disable=SC2086
    exec "$TAILWATER" replay "$file" --state "$dir/$1" --out "$dir/$1.lists" --lists "$lists" --dead-letters "$dir/$1.dead" --json $settings
}
replay() { (begin "$1"); }
totals() { sed 's/,"seconds".*//' "$dir/$1.json"; }

compare() { # state-name what
    if [ "$(totals "$1")" != "$(totals whole)" ]; then
        echo "$2: counters differ: $(totals "$1") and $(totals whole)"; failed=1
    fi
    digest=$("$TAILWATER" inspect --state "$dir/$1" --digest)
    [ "$digest" = "$whole" ] || { echo "$2: digest $digest, undisturbed $whole"; failed=1; }
    cmp -s "$dir/$1.lists" "$dir/whole.lists" || { echo "$2: lists differ"; failed=1; }
    cmp -s "$dir/$1.dead" "$dir/whole.dead" || { echo "$2: dead letters differ"; failed=1; }
    rm -rf "${dir:?}/$1" "$dir/$1".*
}

undisturbed() {
    rm -rf "$dir/whole" "$dir"/whole.*
    replay whole >"$dir/whole.json" || exit 1
    whole=$("$TAILWATER" inspect --state "$dir/whole" --digest)
    echo "undisturbed $(cat "$dir/whole.json") digest $whole lists $(wc -l <"$dir/whole.lists") dead $(wc -l <"$dir/whole.dead")"
}

finish() { # state-name: goes on where the kills left it
    replay "$1" >"$dir/$1.json" && return
    echo "$1: did not come to an end"; failed=1
}

random_kills() { # how many, longest run in ms: kills until the file is through, then begins again
    local n=0 round=0 pid
    while [ $n -lt "$1" ]; do
        round=$((round + 1))
        while [ $n -lt "$1" ]; do
            (begin "r$round") >"$dir/r$round.json" 2>/dev/null &
            pid=$! # the subshell becomes the process
            sleep "$(printf '0.%03d' $((RANDOM % $2 + 5)))"
            if kill -9 $pid 2>/dev/null; then n=$((n + 1)); fi
            wait $pid 2>/dev/null
            [ $? -eq 0 ] && break
        done
        finish "r$round"
        compare "r$round" "random kills, round $round"
    done
    kills=$((kills + n))
}

file=$dir/events.csv lists=all
awk -v n=12000 -v seed=7 -f "$TW_SOURCE_DIR/tests/support/events.awk" >"$file"
undisturbed

kill_at() { # point...: at its first, third and seventh pass
    local point count
    for point in "$@"; do
        for count in 1 3 7; do
            TAILWATER_FAILPOINT=$point:$count replay f >"$dir/f.json" 2>/dev/null
            [ $? -eq 137 ] && kills=$((kills + 1)) || { [ $count -gt 1 ] || { echo "$point:$count did not kill"; failed=1; }; }
            finish f
            compare f "killed at $point:$count"
        done
    done
}
kill_at store.begin store.journal store.metas store.fold store.commit store.committed engine.flushed engine.committed engine.step sink.write
TAILWATER_FAILPOINT=store.commit:3:fail replay e >"$dir/e.json" 2>"$dir/e.err" && { echo "a failed commit was not told"; failed=1; }
grep -q 'nothing is lost' "$dir/e.err" || { echo "a full disk reads: $(cat "$dir/e.err")"; failed=1; }
finish e
compare e "a commit that failed"
TAILWATER_FAILPOINT=sink.write:2:fail replay w >"$dir/w.json" 2>/dev/null && { echo "a failed write was not told"; failed=1; }
finish w
compare w "a write that failed"
random_kills "$tries" 300

roomy=$settings
settings="$settings --set ingest.batch.max=16 --set state.memory.max=20k"
kill_at store.settle store.committed
random_kills $((tries / 4)) 600
settings=$roomy

case ${TW_BUILD_DIR:-} in *asan* | *tsan*) TAILWATER_DATA= ;; esac # a sanitizer makes the real stream too slow
if [ -n "${TAILWATER_DATA:-}" ]; then
    file=$TAILWATER_DATA/online_retail.csv.gz lists=final settings="--set commit.interval.ms=100 --set store.journal.max.bytes=16m"
    undisturbed
    random_kills $((tries / 4)) 990
fi
echo "kills $kills, differences $failed (events lost 0, applied twice 0 when none)"
exit $failed
