#!/usr/bin/env bash
# The code on another processor: cross-built for arm64 against Debian's packages, its vector loops and models tested under qemu-user, and the
# program compared with ours on the same events. Skipped where `make test-arm64` was never run, which fetches what this needs.
set -u
root=${TW_ARM64_ROOT:-$TW_SOURCE_DIR/build/arm64-root}
for need in aarch64-linux-gnu-gcc qemu-aarch64; do
    command -v $need >/dev/null || { echo "skipped: no $need (make test-arm64 installs it)"; exit 77; }
done
[ -e "$root/complete" ] || { echo "skipped: no arm64 packages in $root (make test-arm64 fetches them)"; exit 77; }
grep -q '^TW_SANITIZE:[A-Z]*=.' "$TW_BUILD_DIR/CMakeCache.txt" && { echo "skipped: sanitizers do not run under qemu"; exit 77; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
failed=0
complain() { echo "FAILED: $*"; failed=1; }
build=$TW_BUILD_DIR/arm64
arm="qemu-aarch64 -L $root"
settings="--set learn.dim=32 --set state.map.max.bytes=256m"

cmake -S "$TW_SOURCE_DIR" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DTW_ARM64_ROOT="$root" \
    -DCMAKE_TOOLCHAIN_FILE="$TW_SOURCE_DIR/cmake/arm64.cmake" >"$dir/out" 2>&1 &&
    cmake --build "$build" -j 2 --target tailwater libtailwater property_math property_model unit_clean unit_embed >"$dir/out" 2>&1 ||
    { tail -30 "$dir/out"; exit 1; }
readelf -h "$build/tailwater" | grep -q AArch64 || complain "no program for arm64 was built"
# Of the models what is quick: all of property_model passes too, in minutes.
for test in property_math "property_model goes_down_the_slope" "property_model follows_is_first" "property_model in_the_factor_model" \
    unit_clean unit_embed; do
    # shellcheck disable=SC2086
    $arm "$build/tests/"$test >"$dir/out" 2>&1 && grep -q '^[1-9][0-9]* passed, 0 failed' "$dir/out" ||
        { tail -5 "$dir/out"; complain "$test under qemu"; }
    echo "$test: $(tail -1 "$dir/out")"
done

awk -v n=3000 -v seed=5 -f "$TW_SOURCE_DIR/tests/support/events.awk" >"$dir/events.csv"
for run in "$arm $build/tailwater" "$TAILWATER"; do
    name=arm64
    [ "$run" != "$TAILWATER" ] || name=here
    # shellcheck disable=SC2086
    $run replay "$dir/events.csv" --state "$dir/$name" --json $settings | sed 's/,"seconds".*//' >"$dir/$name.totals"
    # shellcheck disable=SC2086
    $run evaluate "$dir/events.csv" --every 4 --json $settings | grep -o '"hr10":[0-9.]*' | head -1 >"$dir/$name.quality"
done
grep -q '"applied":[1-9]' "$dir/here.totals" && cmp "$dir/arm64.totals" "$dir/here.totals" || complain "verdicts: $(cat "$dir"/*.totals)"
awk -F: '{ v[NR] = $2 } END { d = v[1] - v[2]; exit !(NR == 2 && d <= 0.005 && d >= -0.005) }' "$dir"/*.quality ||
    complain "quality: $(cat "$dir"/*.quality)"
# One machine's state is read by the other.
[ "$($arm "$build/tailwater" inspect --state "$dir/here" --digest --set state.map.max.bytes=256m)" = "$("$TAILWATER" inspect --state "$dir/here" --digest)" ] ||
    complain "arm64 reads another state"
[ "$("$TAILWATER" inspect --state "$dir/arm64" --digest)" = "$($arm "$build/tailwater" inspect --state "$dir/arm64" --digest --set state.map.max.bytes=256m)" ] ||
    complain "arm64 wrote another state"
exit $failed
