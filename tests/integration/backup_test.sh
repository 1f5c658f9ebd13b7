#!/usr/bin/env bash
# backup and restore from outside: copies beside a running writer, each of which goes on to the same end as the run that nothing
# disturbed, and bad input of every kind.
set -u
dir=$(mktemp -d)
mounted=
cleanup() { [ -z "$mounted" ] || umount "$mounted"; rm -rf "$dir"; }
trap cleanup EXIT
failed=0 copies=0
T=$TAILWATER
settings="--set learn.dim=16 --set learn.negatives=32 --set commit.interval.ms=10 --set store.journal.max.bytes=1m"
complain() { echo "FAILED: $*"; failed=1; }
expect() { # EXIT PATTERN COMMAND...
    local want=$1 pattern=$2 got
    shift 2
    "$@" >"$dir/out" 2>&1
    got=$?
    [ $got -eq "$want" ] && grep -qE -- "$pattern" "$dir/out" || complain "$*: exit $got (wanted $want): $(head -3 "$dir/out")"
}
digest() { "$T" inspect --state "$1" --digest; }
# shellcheck disable=SC2086
replay() { "$T" replay "$dir/events.csv" --state "$1" $settings >"$dir/replay.out" || complain "replay into $1"; }

awk -v n=20000 -v seed=11 -f "$TW_SOURCE_DIR/tests/support/events.awk" >"$dir/events.csv"
replay "$dir/whole"
whole=$(digest "$dir/whole")

# Copies while a replay writes, as many as it has time for; the first that finds no state yet waits for it.
replay "$dir/s" &
writer=$!
while kill -0 $writer 2>/dev/null && [ $copies -lt 8 ]; do
    if "$T" backup "$dir/b$copies" --state "$dir/s" >"$dir/out" 2>&1; then
        copies=$((copies + 1))
    elif ! grep -qE 'no such directory|holds no state yet' "$dir/out"; then
        complain "backup beside a writer: $(cat "$dir/out")"
        break
    fi
done
wait $writer
[ $copies -gt 0 ] || complain "no copy was made beside the writer"
[ "$(digest "$dir/s")" = "$whole" ] || complain "copies changed what the writer did"
between=0
for ((i = 0; i < copies; i++)); do
    [ "$(digest "$dir/b$i")" = "$whole" ] || between=$((between + 1))
    expect 0 'bytes copied' "$T" restore "$dir/b$i" --state "$dir/r$i"
    [ "$(digest "$dir/r$i")" = "$(digest "$dir/b$i")" ] || complain "restored is another state"
    replay "$dir/r$i"
    [ "$(digest "$dir/r$i")" = "$whole" ] || complain "copy $i does not go on to the same end"
done
echo "$copies copies beside a writer, $between of them of a state half way"

# Bad input.
expect 2 'holds a state' "$T" backup "$dir/b0" --state "$dir/whole"
expect 2 'holds a state' "$T" restore "$dir/b0" --state "$dir/whole"
expect 2 'holds a state' "$T" backup "$dir/whole" --state "$dir/whole"
expect 1 'events.csv' "$T" backup "$dir/events.csv" --state "$dir/whole"
expect 1 'no such directory' "$T" backup "$dir/n" --state "$dir/none"
expect 1 'no such directory' "$T" restore "$dir/none" --state "$dir/n"
mkdir "$dir/empty" "$dir/garbage" "$dir/cut"
expect 1 'holds no state yet' "$T" restore "$dir/empty" --state "$dir/n"
head -c 20000 /dev/urandom >"$dir/garbage/data.mdb"
expect 1 'not a store' "$T" restore "$dir/garbage" --state "$dir/n"
head -c 40960 "$dir/whole/data.mdb" >"$dir/cut/data.mdb"
expect 1 'truncated' "$T" restore "$dir/cut" --state "$dir/n"
expect 2 'usage' "$T" backup --state "$dir/whole"
expect 2 'state' "$T" backup "$dir/n"
expect 2 'state' "$T" restore "$dir/b0"
[ ! -e "$dir/n" ] || complain "what was refused left something: $(ls "$dir/n")"
[ "$(digest "$dir/whole")" = "$whole" ] || complain "refusals changed the state"

# A full disk, a kill between the copy and its name.
if [ "$(id -u)" -eq 0 ] && mkdir "$dir/disk" && mount -t tmpfs -o size=200k tailwater-test "$dir/disk" 2>/dev/null; then
    mounted=$dir/disk
    expect 1 'disk/b: the disk is full' "$T" backup "$dir/disk/b" --state "$dir/whole"
    [ -z "$(ls "$dir/disk/b")" ] || complain "a full disk keeps $(ls "$dir/disk/b")"
    mount -o remount,size=100m "$dir/disk"
    expect 0 'bytes copied' "$T" backup "$dir/disk/b" --state "$dir/whole"
    [ "$(digest "$dir/disk/b")" = "$whole" ] || complain "after a full disk the copy is another"
else
    echo "no tmpfs here: the full disk is not tried"
fi
{ TAILWATER_FAILPOINT=store.copied:1 "$T" backup "$dir/killed" --state "$dir/whole"; } >/dev/null 2>&1
[ $? -eq 137 ] || complain "store.copied did not kill"
expect 1 'holds no state yet' "$T" restore "$dir/killed" --state "$dir/n"
expect 0 'bytes copied' "$T" backup "$dir/killed" --state "$dir/whole"
[ "$(digest "$dir/killed")" = "$whole" ] || complain "after a kill the copy is another"
exit $failed
