# What the tests of commands from outside share. Sourced after $dir is set; counts in $checks, and sets $failed.
failed=0 checks=0

# expect EXIT PATTERN COMMAND...: the exit code, and an extended pattern in stdout or stderr
expect() {
    local want=$1 pattern=$2 got
    shift 2
    "$@" >"$dir/out" 2>&1
    got=$?
    checks=$((checks + 1))
    if [ $got -ne "$want" ] || ! grep -qE -- "$pattern" "$dir/out"; then
        echo "FAILED: $*: exit $got (wanted $want), pattern \"$pattern\":"
        sed 's/^/    /' "$dir/out" | head -5
        failed=1
    fi
}
