#!/usr/bin/env bash
# The secure listeners: each way in works with the rights it needs, and every wrong credential, certificate or missing right stops with one
# sentence instead of trying for ever. Secrets come from the environment and from files, and stand in nothing that is printed.
set -u
# shellcheck source=tests/support/stream.sh
. "$TW_SOURCE_DIR/tests/support/stream.sh"
failed=0 checks=0
topic() { bash "$KAFKA" tool org.apache.kafka.tools.TopicCommand --create --topic "$1" --partitions 1 >/dev/null; }
acl() { bash "$KAFKA" tool "$acl_class" "$@" >"$dir/acl" 2>&1 || complain "AclCommand $*: $(tail -3 "$dir/acl")"; }
case ${KAFKA_VERSION:-4.1.1} in
3.*) acl_class=kafka.admin.AclCommand scram_works=1 ;;
*) acl_class=org.apache.kafka.tools.AclCommand scram_works= ;;
esac

# expect EXIT PATTERN COMMAND...: the exit code, and an extended pattern in stdout or stderr
expect() {
    local want=$1 pattern=$2 got
    shift 2
    timeout 60 "$@" >"$dir/out" 2>&1
    got=$?
    cat "$dir/out" >>"$dir/everything"
    checks=$((checks + 1))
    [ $got -eq "$want" ] && grep -qE -- "$pattern" "$dir/out" ||
        complain "$*: exit $got (wanted $want), pattern \"$pattern\": $(tail -4 "$dir/out")"
}

for name in clicks lists dead; do topic "safe-$name"; done
names=('input.purchases.topic: ""' 'input.reviews.topic: ""' 'input.items.topic: ""' 'input.clicks.topic: safe-clicks'
    'output.recommendations.topic: safe-lists' 'output.dead.letters.topic: safe-dead')
# secure NAME SERVER LINE...: $dir/NAME.yaml with more lines of kafka:
secure() {
    local name=$1
    servers=$2
    shift 2
    configure "$dir/$name.yaml" "application.id: safe-$name" "${names[@]}"
    printf '  %s\n' "ssl.ca.location: $TLS/ca.pem" "$@" >>"$dir/$name.yaml"
}
export APP_SECRET=app-secret WRONG_SECRET=wr0ng-horse-battery
printf 'app-secret\n' >"$dir/app.secret"
# shellcheck disable=SC2016 # ${env:...} is for tailwater
sasl=('security.protocol: sasl_ssl' 'sasl.mechanism: PLAIN' 'sasl.username: app' 'sasl.password: ${env:APP_SECRET}')
secure plain "$SASL_SSL" "${sasl[@]}"
secure file "$SASL_SSL" "${sasl[@]:0:3}" "sasl.password: \${file:$dir/app.secret}"
secure wrong "$SASL_SSL" "${sasl[@]:0:3}" "sasl.password: \${env:WRONG_SECRET}"
secure literal "$SASL_SSL" "${sasl[@]:0:3}" 'sasl.password: wr0ng-horse-battery'
secure scram "$SASL_SSL" "${sasl[0]}" 'sasl.mechanism: SCRAM-SHA-256' "${sasl[@]:2}"
certificate=('security.protocol: ssl' "ssl.certificate.location: $TLS/client.pem" "ssl.key.location: $TLS/client.key")
secure tls "$SSL" "${certificate[@]}"
secure nobody "$SSL" "${certificate[0]}"
run=(run --state "$dir/state" --to-the-end)

# Rights, one after the other: each that is missing is named with topic or group, operation and principal.
expect 1 'topic "safe-clicks": Read is denied to User:app; kafka-acls .*--operation Read --topic safe-clicks' "$T" "${run[@]}" --config "$dir/plain.yaml"
acl --add --allow-principal User:app --operation Describe --topic safe-clicks
expect 1 'topic "safe-lists": Write is denied to User:app' "$T" "${run[@]}" --config "$dir/plain.yaml"
acl --add --allow-principal User:app --operation Describe --topic safe-lists --topic safe-dead
expect 1 'group "safe-plain": Read is denied to User:app; kafka-acls .*--group safe-plain' "$T" "${run[@]}" --config "$dir/plain.yaml"
acl --add --allow-principal User:app --operation Read --group safe- --resource-pattern-type prefixed
expect 1 'topic "safe-clicks": Read is denied to User:app' "$T" "${run[@]}" --config "$dir/plain.yaml"
expect 1 'topic "safe-clicks": Read is denied to the client certificate CN=app' "$T" "${run[@]}" --config "$dir/tls.yaml"
acl --add --allow-principal User:app --operation Read --topic safe-clicks
for n in 1 2 3; do echo "{\"event_id\":\"$n\",\"user_id\":\"u$n\",\"item_id\":\"i\",\"event_ms\":1700000000000}" | kcat -b "$BOOTSTRAP" -P -t safe-clicks -k "u$n"; done
expect 1 '(topic "safe-lists": Write|cluster: IdempotentWrite) is denied to User:app' "$T" "${run[@]}" --config "$dir/plain.yaml"
acl --add --allow-principal User:app --operation Write --topic safe-lists --topic safe-dead
expect 0 'consumed 3 = applied 3 .*lists 3' "$T" "${run[@]}" --config "$dir/plain.yaml"
expect 1 'topic "safe-new": (Create|Describe) is denied to User:app' "$T" topics --create --config "$dir/plain.yaml" --set input.items.topic=safe-new

# Every way in.
expect 0 'consumed 3 = applied 3' "$T" "${run[@]}" --config "$dir/file.yaml"
expect 0 'consumed 3 = applied 3' "$T" "${run[@]}" --config "$dir/tls.yaml"
expect 0 'consumed 3 = applied 3' "$T" run --state "$dir/other" --to-the-end --config "$dir/tls.yaml" --set application.id=safe-other
if [ -n "$scram_works" ]; then
    expect 0 'consumed 3 = applied 3' "$T" "${run[@]}" --config "$dir/scram.yaml"
    expect 1 'User:app, mechanism SCRAM-SHA-256' "$T" "${run[@]}" --config "$dir/scram.yaml" --set kafka.sasl.password=wr0ng-horse-battery
else
    expect 1 'User:app, mechanism SCRAM-SHA-256\); if the password is right: SCRAM of librdkafka 2.0.2 fails against Kafka 4.0 and later; the way out is PLAIN over TLS' \
        "$T" "${run[@]}" --config "$dir/scram.yaml"
fi

# Wrong credentials and certificates.
expect 1 '[Aa]uthentication.*\(User:app, mechanism PLAIN\)' "$T" "${run[@]}" --config "$dir/wrong.yaml"
expect 1 '[Aa]uthentication.*\(User:app, mechanism PLAIN\)' "$T" "${run[@]}" --config "$dir/literal.yaml"
expect 1 '[Aa]uthentication' "$T" feed --events 10 --config "$dir/wrong.yaml" --set input.clicks.topic= --set input.events.topic=safe-clicks
expect 1 '[Aa]uthentication' "$T" topics --config "$dir/wrong.yaml"
expect 1 'SSL.*(certificate|handshake)' "$T" "${run[@]}" --config "$dir/nobody.yaml"
openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=other-ca -keyout "$dir/other.key" -out "$dir/other.pem" 2>/dev/null
expect 1 'certificate is not signed by kafka.ssl.ca.location' "$T" "${run[@]}" --config "$dir/plain.yaml" --set kafka.ssl.ca.location="$dir/other.pem"
impostor() { # ARGUMENTS of tls.py...: sets $port
    python3 "$TW_SOURCE_DIR/tests/support/kafka/tls.py" "$@" >"$dir/port" &
    impostors+=($!)
    wait_for 10 [ -s "$dir/port" ]
    port=$(cat "$dir/port")
}
impostors=()
trap 'kill "${impostors[@]}" 2>/dev/null' EXIT
impostor forward 127.0.0.2 "${SASL_SSL#*:}"
expect 1 'does not carry the name' "$T" "${run[@]}" --config "$dir/plain.yaml" --set kafka.bootstrap.servers="127.0.0.2:$port"
openssl x509 -req -in "$TLS/server.csr" -CA "$TLS/ca.pem" -CAkey "$TLS/ca.key" -CAcreateserial -days -1 -out "$dir/expired.pem" \
    -extfile <(echo subjectAltName=IP:127.0.0.1) 2>/dev/null
rm "$dir/port"
impostor serve "$dir/expired.pem" "$TLS/server.key"
expect 1 'certificate has expired' "$T" "${run[@]}" --config "$dir/plain.yaml" --set kafka.bootstrap.servers="127.0.0.1:$port"
expect 2 'ssl.ca.location' "$T" "${run[@]}" --config "$dir/plain.yaml" --set kafka.ssl.ca.location="$dir/none.pem"
expect 1 'mechanism SCRAM-SHA-512' "$T" "${run[@]}" --config "$dir/plain.yaml" --set kafka.sasl.mechanism=SCRAM-SHA-512
# shellcheck disable=SC2016
expect 2 'kafka.sasl.password: the environment has no variable "NO_SUCH_SECRET"' "$T" "${run[@]}" --config "$dir/plain.yaml" --set 'kafka.sasl.password=${env:NO_SUCH_SECRET}'
expect 2 'kafka.sasl.password: \$\{file:...\}: .*none: No such file' "$T" "${run[@]}" --config "$dir/plain.yaml" --set "kafka.sasl.password=\${file:$dir/none}"

# A broker that is away is not a refusal: it is waited for.
timeout 5 "$T" "${run[@]}" --config "$dir/plain.yaml" --set kafka.bootstrap.servers=127.0.0.1:1 >"$dir/out" 2>&1
[ $? -eq 124 ] && grep -q 'waiting for it' "$dir/out" || complain "a broker that is away: $(tail -3 "$dir/out")"

# Nothing printed holds a secret, whatever is turned on.
for config in plain literal wrong scram tls; do
    expect 0 '' "$T" config --config "$dir/$config.yaml"
    expect 0 '' "$T" config --json --config "$dir/$config.yaml"
    timeout 60 "$T" "${run[@]}" --config "$dir/$config.yaml" --set log.level=debug --set kafka.debug=all >>"$dir/everything" 2>&1
done
expect 2 'kafka' "$T" "${run[@]}" --config "$dir/literal.yaml" --set kafka.ssl.key.pem=wr0ng-horse-battery
expect 2 'wants key=value' "$T" "${run[@]}" --set kafka.sasl.password:wr0ng-horse-battery
checks=$((checks + 1))
[ "$(wc -l <"$dir/everything")" -gt 500 ] || complain "little was printed: $(wc -l <"$dir/everything") lines"
for secret in app-secret wr0ng-horse-battery "$(printf '\0app\0app-secret' | base64)" "$(sed -n 2p "$TLS/client.key")"; do
    ! grep -qF -- "$secret" "$dir/everything" || complain "printed: $(grep -F -- "$secret" "$dir/everything" | head -2)"
done
echo "$checks checks"
exit $failed
