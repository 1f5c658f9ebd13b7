#!/bin/sh
# Debian's Prometheus and promtool, unpacked into DIR for tests/integration/prometheus_test.sh: prometheus.sh DIR. Not installed, because the
# package would start a service that listens. Without a package to be had it says so and the test is skipped.
set -eu
[ $# -eq 1 ] || { echo "usage: prometheus.sh DIR" >&2; exit 2; }
if [ -x "$1/usr/bin/promtool" ] || command -v promtool >/dev/null; then exit 0; fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
echo "fetching: prometheus"
if (cd "$work" && chmod 755 . && apt-get download -qq prometheus 2>/dev/null) && dpkg-deb -x "$work"/prometheus_*.deb "$work/root"; then
    mkdir -p "$1/usr/bin"
    mv "$work/root/usr/bin/prometheus" "$work/root/usr/bin/promtool" "$1/usr/bin/"
else
    echo "no package prometheus to be had: the test with it will be skipped"
fi
