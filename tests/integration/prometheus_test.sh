#!/usr/bin/env bash
# A real Prometheus in front of a real stream: metrics are named as its convention wants, each query of the Grafana dashboard has data, each alert rule
# fires where it must and only there (by promtool, on planted series), and one fires for real when the stream is killed. Prometheus is
# Debian's, installed or unpacked by cmake/prometheus.sh.
set -u
grep -q '^TW_SANITIZE:[A-Z]*=.' "$TW_BUILD_DIR/CMakeCache.txt" && { echo "skipped: Prometheus sees the same of a sanitized stream"; exit 77; }
PATH=$PATH:$TW_SOURCE_DIR/build/prometheus/usr/bin
command -v prometheus >/dev/null && command -v promtool >/dev/null || { echo "skipped: no Prometheus; cmake/prometheus.sh build/prometheus unpacks one"; exit 77; }
dir=$(mktemp -d)
T=$TAILWATER
here=$TW_SOURCE_DIR/tests/integration/prometheus
rules=$TW_SOURCE_DIR/config/prometheus-alerts.yaml
# shellcheck source=tests/support/stream.sh
. "$TW_SOURCE_DIR/tests/support/stream.sh"
stream= prometheus=
stop() { [ -z "$1" ] || { kill -9 "$1" 2>/dev/null; wait "$1" 2>/dev/null; }; }
trap 'stop "$stream"; stop "$prometheus"; rm -rf "$dir"' EXIT

"$T" demo --state "$dir/state" >"$dir/demo" 2>"$dir/demo.err" &
stream=$!
page() { sed -n 's|^Live page: http://\([0-9.:]*\).*|\1|p' "$dir/demo"; }
has_page() { [ -n "$(page)" ]; }
wait_for 60 has_page || { echo "the demo has no page: $(cat "$dir/demo" "$dir/demo.err")"; exit 1; }

# The same rules, only with less patience.
sed -E 's/^( +for:) .*/\1 1s/' "$rules" >"$dir/rules.yaml"
cat >"$dir/prometheus.yaml" <<CONFIG
global: {scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}
rule_files: [rules.yaml]
scrape_configs:
  - {job_name: tailwater, static_configs: [{targets: ["$(page)"]}]}
CONFIG
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
url=http://127.0.0.1:$port
prometheus --config.file="$dir/prometheus.yaml" --storage.tsdb.path="$dir/data" --web.listen-address="127.0.0.1:$port" \
    >"$dir/log" 2>&1 &
prometheus=$!

# While it gathers: the rules on planted series, and the names.
expect 0 'SUCCESS: [0-9]+ rules found' promtool check rules "$rules"
cp "$rules" "$dir/prometheus-alerts.yaml"
cp "$here/alerts.yaml" "$dir/alerts_test.yaml"
expect 0 'SUCCESS' promtool test rules "$dir/alerts_test.yaml"
for alert in $(sed -n 's/.*- alert: //p' "$rules"); do
    check "$alert is not tested, for firing and for silence" [ "$(grep -cE "alertname: $alert\b" "$here/alerts.yaml")" -ge 2 ]
done
get "http://$(page)/metrics" | sed '$d' >"$dir/metrics"
check "no metrics" grep -q '^tailwater_hits_total{scorer="blend"} ' "$dir/metrics"
check "names that the convention does not like: $(promtool check metrics <"$dir/metrics" 2>&1)" \
    [ "$(promtool check metrics <"$dir/metrics" 2>&1 | wc -l)" = 0 ]

check "the dashboard" python3 "$here/ask.py" dashboard "$url" "$TW_SOURCE_DIR/config/grafana-dashboard.json"
check "down before it is" python3 "$here/ask.py" alert "$url" TailwaterDown inactive
stop "$stream"
stream=
check "no alert that it is down" python3 "$here/ask.py" alert "$url" TailwaterDown firing
echo "$checks checks"
exit $failed
