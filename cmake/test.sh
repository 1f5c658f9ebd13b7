#!/bin/sh
# Runs the suite in each build folder given; fails when one fails. Ends with ctest's own closing lines.
failed=0
for build in "$@"; do
    echo "== $build"
    ctest --test-dir "$build" -j 2 --output-on-failure --no-tests=error || failed=1
done
exit $failed
