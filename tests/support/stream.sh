# What the tests of `tailwater run` share: an embedded broker in a process of its own, a configuration for it, and running to the
# end, and the words in which a test speaks. Sourced with $dir set to a folder of the test's own and $T to the executable.

# What a test says of itself: $failed and $checks are set to 0 by this file.
failed=0 checks=0
complain() { echo "FAILED: $1"; failed=1; }

# expect EXIT PATTERN COMMAND...: the exit code, and an extended pattern in stdout or stderr
expect() {
    local want=$1 pattern=$2 got
    shift 2
    timeout 60 "$@" >"$dir/out" 2>&1
    got=$?
    checks=$((checks + 1))
    [ $got -eq "$want" ] && grep -qE -- "$pattern" "$dir/out" ||
        complain "$*: exit $got (wanted $want), pattern \"$pattern\": $(tail -3 "$dir/out")"
}

# check WHAT COMMAND...: it succeeds
check() {
    local what=$1
    shift
    checks=$((checks + 1))
    "$@" || complain "$what"
}

# get URL: what it answers; says URL PATTERN: whether the answer has it
get() { python3 -c 'import sys, urllib.request as u
try: print(u.urlopen(sys.argv[1], timeout=5).read().decode())
except u.HTTPError as e: print(e.code, e.read().decode())
except OSError as e: print(e)' "$1"; }
says() { get "$1" | grep -E -- "$2" >/dev/null; }

broker_pid=

# broker_start TOPIC[:PARTITIONS]...: fills $servers; broker_stop ends it.
broker_start() {
    rm -f "$dir/broker"
    "$T" broker "$@" >"$dir/broker" 2>"$dir/broker.err" &
    broker_pid=$!
    for _ in $(seq 1 200); do
        grep -q "^bootstrap" "$dir/broker" 2>/dev/null && break
        sleep 0.05
    done
    servers=$(sed -n 's/^bootstrap.servers=//p' "$dir/broker")
    [ -n "$servers" ] || { echo "the embedded broker did not start: $(cat "$dir/broker.err")"; exit 1; }
}

broker_stop() {
    [ -z "$broker_pid" ] || { kill "$broker_pid" 2>/dev/null; wait "$broker_pid" 2>/dev/null; }
    broker_pid=
}

# configure FILE LINE...: settings that suit the embedded broker, then more lines.
configure() {
    local file=$1
    shift
    cat >"$file" <<CONFIG
serve.enabled: false
rank.list.size: 3
learn.dim: 16
commit.interval.ms: 50
$(printf '%s\n' "$@")
kafka:
  bootstrap.servers: $servers
  linger.ms: 50
  fetch.wait.max.ms: 10
  session.timeout.ms: 6000
CONFIG
}

# wait_for SECONDS COMMAND...: until it succeeds.
wait_for() {
    local until=$(($(date +%s) + $1))
    shift
    until "$@"; do
        [ "$(date +%s)" -lt "$until" ] || return 1
        sleep 0.1
    done
}

# field NAME FILE: the first number of that name in a JSON object.
field() { grep -o "\"$1\":[0-9]*" "$2" | head -1 | grep -o '[0-9]*$'; }
