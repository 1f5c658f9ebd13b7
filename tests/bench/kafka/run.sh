#!/usr/bin/env bash
# tailwater beside a Kafka Streams program, and a Python program if asked for, on one real broker: the same events, the same lists. Starts the broker on free ports of loopback,
# builds the peer with Maven, runs run.py with the arguments given (--help says which), stops the broker whatever happens.
set -eu
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../../.." && pwd)
export TW_SOURCE_DIR=$root T=${TAILWATER:-$root/build/release/tailwater} KAFKA_BENCH=${KAFKA_BENCH:-$root/build/release/tests/kafka_bench}
export KAFKA_DIR=$root/build/kafka KAFKA=$root/tests/support/kafka/local.sh PEER=$root/build/kafka-peer
export KAFKA_JVM=${KAFKA_JVM:--Xms1g -Xmx1g -XX:+UseG1GC} KAFKA_VERSION=${KAFKA_VERSION:-4.1.1}
KAFKA_PORT=$(python3 -c '
import socket, random
while True:
    base = random.randrange(20000, 60000)
    try:
        held = [socket.create_server(("127.0.0.1", base + i)) for i in range(2)]
        print(base)
        break
    except OSError: pass')
export KAFKA_PORT BOOTSTRAP=127.0.0.1:$KAFKA_PORT PYTHON=$KAFKA_DIR/python/bin/python
mkdir -p "$KAFKA_DIR"
[ -x "$PYTHON" ] && "$PYTHON" -c 'import confluent_kafka, fastavro, numpy' 2>/dev/null ||
    { python3 -m venv "$KAFKA_DIR/python" && "$PYTHON" -m pip install -q 'confluent-kafka[avro,schemaregistry]' fastavro numpy >&2; }
mvn -q -B -f "$root/tests/bench/peers/kafka-streams/pom.xml" -Dkafka.version="$KAFKA_VERSION" package dependency:copy-dependencies >"$KAFKA_DIR/peer.log" ||
    { tail -20 "$KAFKA_DIR/peer.log" >&2; exit 1; }
dir=$(mktemp -d "${BENCH_DIR:-/tmp}/tailwater-bench-XXXXXX")
export dir
trap 'bash "$KAFKA" clean >&2; rm -rf "$dir"' EXIT
bash "$KAFKA" clean >&2
bash "$KAFKA" up >&2
"$PYTHON" "$here/run.py" "$@"
