#!/usr/bin/env bash
# A process that may have only so much memory, whoever asks for it, LMDB and the C library too: it does its work, or ends with one line and
# exit code 1; then the same command without the limit ends in the state of a run that nothing disturbed.
set -u
case ${TW_BUILD_DIR:-} in *asan* | *tsan*) echo "skipped: a sanitizer wants all addresses"; exit 77 ;; esac
grep -q '^TW_SANITIZE:[A-Z]*=.' "$TW_BUILD_DIR/CMakeCache.txt" && { echo "skipped: a sanitizer wants all addresses"; exit 77; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
failed=0 refused=0 done_=0
complain() { echo "FAILED: $*"; failed=1; }
# shellcheck disable=SC2086
replay() { "$TAILWATER" replay "$dir/events.csv" --state "$1" --set learn.dim=256 --set learn.negatives=16 --set state.map.max.bytes=64m --set commit.interval.ms=20; }

awk -v n=4000 -v seed=9 -f "$TW_SOURCE_DIR/tests/support/events.awk" >"$dir/events.csv"
replay "$dir/whole" >/dev/null || exit 1
whole=$("$TAILWATER" inspect --state "$dir/whole" --digest)
for mb in 76 80 84 86 88 90 92 94 96 98 100 2000; do
    (ulimit -v $((mb * 1024)) && replay "$dir/$mb") >"$dir/out" 2>&1
    code=$?
    if [ $code -eq 0 ]; then
        done_=$((done_ + 1))
    elif [ $code -eq 1 ] && grep -qE 'out of memory: [0-9]+ bytes|cannot map|memory is exhausted|Cannot allocate memory' "$dir/out"; then
        refused=$((refused + 1))
    elif [ $code -eq 127 ] || [ $code -eq 126 ]; then # the system could not even load the program
        continue
    else
        complain "$mb MB: exit $code: $(tail -2 "$dir/out")"
    fi
    replay "$dir/$mb" >/dev/null || complain "$mb MB: it does not go on"
    [ "$("$TAILWATER" inspect --state "$dir/$mb" --digest)" = "$whole" ] || complain "$mb MB: another state"
done
echo "$refused limits ended it, $done_ did not"
[ $refused -gt 0 ] && [ $done_ -gt 0 ] || complain "the limits try nothing"
exit $failed
