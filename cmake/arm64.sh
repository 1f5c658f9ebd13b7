#!/bin/sh
# Debian's arm64 packages of what the project links, unpacked into DIR for cmake/arm64.cmake: arm64.sh DIR. Nothing is installed and the
# system's own architectures are left alone: apt gets lists and a status of its own beside DIR.
set -eu
[ $# -eq 1 ] || { echo "usage: arm64.sh DIR" >&2; exit 2; }
[ ! -e "$1/complete" ] || exit 0
mkdir -p "$1"
root=$(cd "$1" && pwd)
apt=$root.apt
mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial"
: >"$apt/status"
get() {
    apt-get -qq -o APT::Architecture=arm64 -o APT::Architectures=arm64 -o Dir::State::status="$apt/status" \
        -o Dir::State::lists="$apt/lists" -o Dir::Cache="$apt/cache" -o Debug::NoLocking=1 "$@"
}
get update
get install -y --no-install-recommends --download-only libc6-dev libxxhash-dev libjansson-dev libyaml-dev libopenblas-serial-dev \
    libavro-dev librdkafka-dev libcurl4-openssl-dev liblmdb-dev zlib1g-dev libmicrohttpd-dev >/dev/null
for package in "$apt"/cache/archives/*.deb; do
    dpkg-deb -x "$package" "$root"
done
: >"$root/complete"
rm -rf "$apt"
