#!/usr/bin/env bash
# A real Apache Kafka broker (KRaft, one node) and a real schema registry on loopback, from Maven's packages; no container, no tarball of
# Kafka's own. Each keeps its data across going down or being killed and coming up again.
#   local.sh up | down | kill | stop | cont | clean     the broker; kill is kill -9; stop and cont freeze it and let it go on
#   local.sh registry-up | -down | -stop | -cont        (each begins with registry-) Apicurio, which speaks Confluent's API under /apis/ccompat/v7
#   local.sh tool CLASS ARGS...                         a command of Kafka's own: tool org.apache.kafka.tools.TopicCommand --list
# KAFKA_DIR        state, logs and jars (wanted)
# KAFKA_VERSION    4.1.1; 3.9.x works too
# KAFKA_PORT, REGISTRY_PORT   wanted; the controller listens on KAFKA_PORT + 1, the secure listeners on + 2 and + 3
# KAFKA_SECURE=1   adds SASL_SSL (SCRAM-SHA-256 and PLAIN; users admin and app, passwords admin-secret and app-secret) on + 2, SSL with
#                  client certificates on + 3, and ACLs; ANONYMOUS and admin are super users. Certificates in $KAFKA_DIR/tls
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
DIR=$KAFKA_DIR PORT=$KAFKA_PORT RPORT=${REGISTRY_PORT:-0} VERSION=${KAFKA_VERSION:-4.1.1} SECURE=${KAFKA_SECURE:-0}
REGISTRY_VERSION=2.6.13.Final
LIBS=$DIR/libs-$VERSION LOGS=$DIR/logs CONF=$DIR/server.properties
JVM="-Xms256m -Xmx512m -XX:+UseSerialGC -XX:TieredStopAtLevel=1"
[ -z "${KAFKA_JVM:-}" ] || JVM=$KAFKA_JVM
JAVA=${JAVA_HOME:+$JAVA_HOME/bin/}java

fetch() {
    ls "$LIBS"/kafka_2.13-*.jar >/dev/null 2>&1 && return
    local profile=()
    [ "${VERSION%%.*}" != 3 ] || profile=(-Dkafka3)
    mvn -q -B -f "$HERE/pom.xml" "${profile[@]}" -Dkafka.version="$VERSION" dependency:copy-dependencies \
        -DincludeScope=runtime -DoutputDirectory="$LIBS"
}

# One authority; a server's certificate for 127.0.0.1 and localhost; a client's for CN=app.
certificates() {
    local tls=$DIR/tls
    [ ! -f "$tls/client.pem" ] || return 0
    mkdir -p "$tls"
    openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=test-ca -keyout "$tls/ca.key" -out "$tls/ca.pem" 2>/dev/null
    for who in server client; do
        local name=localhost
        [ $who = server ] || name=app
        openssl req -newkey rsa:2048 -nodes -subj "/CN=$name" -keyout "$tls/$who.key" -out "$tls/$who.csr" 2>/dev/null
        openssl x509 -req -in "$tls/$who.csr" -CA "$tls/ca.pem" -CAkey "$tls/ca.key" -CAcreateserial -days 30 \
            -out "$tls/$who.pem" -extfile <(echo 'subjectAltName=IP:127.0.0.1,DNS:localhost') 2>/dev/null
    done
    openssl pkcs12 -export -in "$tls/server.pem" -inkey "$tls/server.key" -passout pass:changeit -out "$tls/server.p12"
    keytool -importcert -noprompt -alias ca -file "$tls/ca.pem" -keystore "$tls/trust.p12" -storetype PKCS12 -storepass changeit 2>/dev/null
}

security() {
    cat <<SECURE
sasl.enabled.mechanisms=SCRAM-SHA-256,PLAIN
ssl.keystore.type=PKCS12
ssl.keystore.location=$DIR/tls/server.p12
ssl.keystore.password=changeit
ssl.truststore.type=PKCS12
ssl.truststore.location=$DIR/tls/trust.p12
ssl.truststore.password=changeit
listener.name.ssl.ssl.client.auth=required
listener.name.ssl.ssl.principal.mapping.rules=RULE:^CN=(.*?)\$/\$1/
listener.name.sasl_ssl.scram-sha-256.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.sasl_ssl.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_admin="admin-secret" user_app="app-secret";
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS;User:admin
SECURE
}

configure() {
    local listeners="PLAINTEXT://127.0.0.1:$PORT"
    mkdir -p "$DIR/data" "$LOGS"
    [ "$SECURE" != 1 ] || listeners+=",SASL_SSL://127.0.0.1:$((PORT + 2)),SSL://127.0.0.1:$((PORT + 3))"
    cat >"$CONF" <<CONFIG
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$((PORT + 1))
listeners=$listeners,CONTROLLER://127.0.0.1:$((PORT + 1))
advertised.listeners=$listeners
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SASL_SSL:SASL_SSL,SSL:SSL
log.dirs=$DIR/data
num.network.threads=2
num.io.threads=2
num.partitions=1
auto.create.topics.enable=false
group.initial.rebalance.delay.ms=0
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
log.cleaner.threads=1
log.cleaner.dedupe.buffer.size=16777216
log.cleaner.backoff.ms=1000
$([ "$SECURE" != 1 ] || security)
CONFIG
    if [ "${VERSION%%.*}" = 3 ]; then
        printf '%s\n' 'log4j.rootLogger=INFO, OUT' 'log4j.appender.OUT=org.apache.log4j.FileAppender' "log4j.appender.OUT.File=$LOGS/server.log" \
            'log4j.appender.OUT.layout=org.apache.log4j.PatternLayout' 'log4j.appender.OUT.layout.ConversionPattern=[%d] %p %m (%c)%n' >"$DIR/log4j.properties"
        LOGGING=-Dlog4j.configuration=file:$DIR/log4j.properties
    else
        printf '%s\n' 'status=warn' 'appender.out.type=File' 'appender.out.name=OUT' "appender.out.fileName=$LOGS/server.log" \
            'appender.out.layout.type=PatternLayout' 'appender.out.layout.pattern=[%d] %p %m (%c)%n' 'rootLogger.level=info' 'rootLogger.appenderRef.out.ref=OUT' >"$DIR/log4j2.properties"
        LOGGING=-Dlog4j2.configurationFile=$DIR/log4j2.properties
    fi
}

# shellcheck disable=SC2086 # JVM is a list of words
kafka() { "$JAVA" $JVM "$LOGGING" -Djava.net.preferIPv4Stack=true -Dkafka.logs.dir="$LOGS" -cp "$LIBS/*" "$@"; }
alive() { [ -f "$1" ] && kill -0 "$(cat "$1")" 2>/dev/null; }

up() {
    ! alive "$DIR/kafka.pid" || return 0
    fetch
    [ "$SECURE" != 1 ] || certificates
    configure
    local scram=()
    [ "$SECURE" != 1 ] || scram=(--add-scram 'SCRAM-SHA-256=[name=admin,password=admin-secret]' --add-scram 'SCRAM-SHA-256=[name=app,password=app-secret]')
    kafka kafka.tools.StorageTool format --cluster-id MkU3OEVBNTcwNTJENDM2Qg --config "$CONF" --ignore-formatted "${scram[@]}" >>"$LOGS/format.log" 2>&1 ||
        { tail -n 5 "$LOGS/format.log"; return 1; }
    : >"$LOGS/server.log"
    # shellcheck disable=SC2086
    setsid nohup "$JAVA" $JVM "$LOGGING" -Djava.net.preferIPv4Stack=true -Dkafka.logs.dir="$LOGS" -cp "$LIBS/*" kafka.Kafka "$CONF" >"$LOGS/out.log" 2>&1 </dev/null &
    echo $! >"$DIR/kafka.pid"
    for _ in $(seq 1 240); do
        ! grep -q 'Kafka Server started' "$LOGS/server.log" || return 0
        alive "$DIR/kafka.pid" || break
        sleep 0.25
    done
    echo "the broker is not up"
    tail -n 5 "$LOGS/out.log"
    grep -E "ERROR|FATAL|Exception:" "$LOGS/server.log" | head -n 10
    return 1
}

end() { # PIDFILE [SIGNAL]
    local pid
    alive "$1" || { rm -f "$1"; return 0; }
    pid=$(cat "$1")
    kill -CONT "$pid"
    kill "-${2:-TERM}" "$pid"
    for _ in $(seq 1 120); do
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.25
    done
    kill -KILL "$pid" 2>/dev/null || true
    rm -f "$1"
}

registry_up() {
    local home=$DIR/registry-$REGISTRY_VERSION
    alive "$DIR/registry.pid" || {
        if [ ! -d "$home" ]; then
            mkdir -p "$DIR"
            mvn -q -B org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy -DoutputDirectory="$DIR" \
                -Dartifact="io.apicurio:apicurio-registry-app:$REGISTRY_VERSION:tar.gz:all"
            mkdir -p "$home"
            tar xzf "$DIR/apicurio-registry-app-$REGISTRY_VERSION-all.tar.gz" -C "$home"
        fi
        mkdir -p "$LOGS"
        cd "$home"
        REGISTRY_DATASOURCE_URL=jdbc:h2:file:$DIR/registry-data/h2 QUARKUS_HTTP_HOST=127.0.0.1 QUARKUS_HTTP_PORT=$RPORT setsid nohup "$JAVA" \
            -Xms64m -Xmx384m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -jar ./*-runner.jar >"$LOGS/registry.log" 2>&1 </dev/null &
        echo $! >"$DIR/registry.pid"
        cd "$OLDPWD"
    }
    for _ in $(seq 1 240); do
        ! curl -fsS -m 2 "http://127.0.0.1:$RPORT/apis/ccompat/v7/subjects" >/dev/null 2>&1 || return 0
        alive "$DIR/registry.pid" || break
        sleep 0.25
    done
    echo "the registry is not up"
    tail -n 20 "$LOGS/registry.log"
    return 1
}

case ${1:-} in
up) up ;;
down) end "$DIR/kafka.pid" ;;
kill) end "$DIR/kafka.pid" KILL ;;
stop | cont)
    signal=STOP
    [ "$1" = stop ] || signal=CONT
    kill -$signal "$(cat "$DIR/kafka.pid")"
    ;;
clean)
    end "$DIR/kafka.pid" KILL
    end "$DIR/registry.pid" KILL
    rm -rf "$DIR/data" "$DIR/registry-data" "$LOGS"
    ;;
registry-up) registry_up ;;
registry-down) end "$DIR/registry.pid" ;;
registry-stop | registry-cont)
    signal=STOP
    [ "$1" = registry-stop ] || signal=CONT
    kill -$signal "$(cat "$DIR/registry.pid")"
    ;;
tool)
    shift
    class=$1
    shift
    configure
    kafka "$class" --bootstrap-server "127.0.0.1:$PORT" "$@"
    ;;
*)
    sed -n '2,14p' "$0"
    exit 2
    ;;
esac
