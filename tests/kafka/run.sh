#!/usr/bin/env bash
# The suite against a real Apache Kafka broker and a real schema registry: starts both on free ports of loopback, runs every
# tests/kafka/*_test.sh (or those named), stops both whatever happens. A test finds in its environment
#   T            the executable                    dir        a folder of its own, removed afterwards
#   BOOTSTRAP    the plaintext listener            SASL_SSL, SSL   the secure ones; certificates in $TLS
#   REGISTRY     the registry's URL                KAFKA      tests/support/kafka/local.sh with its own environment set
#   PYTHON       an interpreter with confluent-kafka and fastavro
#   FAULTS       short or full: how many faults the counts below are for
# and may print lines `faults N tries N lost N applied_twice N`, which the last line adds up. Exit 77: skipped.
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
export TW_SOURCE_DIR=$root T=${TAILWATER:-$root/build/release/tailwater} FAULTS=${FAULTS:-full}
export KAFKA_DIR=$root/build/kafka KAFKA_SECURE=1 KAFKA=$root/tests/support/kafka/local.sh
# Below the ports that the kernel gives to clients: a client that tries again while the broker is away must not get the broker's own.
# shellcheck disable=SC2016
read -r KAFKA_PORT REGISTRY_PORT < <(python3 -c '
import socket, random
def free(n):
    while True:
        base = random.randrange(20000, 32000)
        try:
            held = [socket.create_server(("127.0.0.1", base + i)) for i in range(n)]
            return base
        except OSError: pass
print(free(4), free(1))')
export KAFKA_PORT REGISTRY_PORT BOOTSTRAP=127.0.0.1:$KAFKA_PORT SASL_SSL=127.0.0.1:$((KAFKA_PORT + 2)) SSL=127.0.0.1:$((KAFKA_PORT + 3))
export TLS=$KAFKA_DIR/tls REGISTRY=http://127.0.0.1:$REGISTRY_PORT/apis/ccompat/v7
export PYTHON=$KAFKA_DIR/python/bin/python
mkdir -p "$KAFKA_DIR"
[ -x "$PYTHON" ] && "$PYTHON" -c 'import confluent_kafka, fastavro, httpx' 2>/dev/null ||
    { python3 -m venv "$KAFKA_DIR/python" && "$PYTHON" -m pip install -q 'confluent-kafka[avro,schemaregistry]' fastavro || exit 1; }
trap 'bash "$KAFKA" clean' EXIT
bash "$KAFKA" clean
bash "$KAFKA" up || exit 1
bash "$KAFKA" registry-up || exit 1
echo "Kafka ${KAFKA_VERSION:-4.1.1} at $BOOTSTRAP, registry at $REGISTRY"

passed=0 failed=0 skipped=0 counts=$KAFKA_DIR/counts
: >"$counts"
tests=("$@")
[ $# -gt 0 ] || tests=("$here"/*_test.sh)
for test in "${tests[@]}"; do
    name=$(basename "$test" .sh) start=$SECONDS
    dir=$(mktemp -d)
    export dir
    timeout "${TEST_TIMEOUT:-3600}" bash "$test" >"$KAFKA_DIR/$name.log" 2>&1
    code=$?
    rm -rf "$dir"
    grep -hE '^faults [0-9]+ tries [0-9]+ lost [0-9]+ applied_twice [0-9]+' "$KAFKA_DIR/$name.log" >>"$counts"
    case $code in
    0) passed=$((passed + 1)) verdict=passed ;;
    77) skipped=$((skipped + 1)) verdict="skipped: $(tail -1 "$KAFKA_DIR/$name.log")" ;;
    *) failed=$((failed + 1)) verdict="FAILED ($code)" ;;
    esac
    echo "$name: $verdict, $((SECONDS - start)) s"
    [ $code -eq 0 ] || [ $code -eq 77 ] || sed 's/^/    /' "$KAFKA_DIR/$name.log" | tail -60
done
echo "$passed passed, $failed failed, $skipped skipped"
awk '{f += $2; t += $4; l += $6; a += $8} END {printf "faults %d tries %d lost %d applied_twice %d\n", f, t, l, a}' "$counts"
[ $failed -eq 0 ]
