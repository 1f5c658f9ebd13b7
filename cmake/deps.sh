#!/bin/sh
# Installs what building and testing need from Debian's packages, with sudo when not root; `deps.sh kafka` also what the suite against a
# real Kafka needs, `deps.sh arm64` what cross-builds for arm64 and runs that. Prints nothing when all is there.
set -eu
packages="build-essential cmake ninja-build pkg-config librdkafka-dev libavro-dev liblmdb-dev libopenblas-serial-dev
 libxxhash-dev libyaml-dev zlib1g-dev libmicrohttpd-dev libjansson-dev libcurl4-openssl-dev clang-format python3"
[ "${1:-}" != kafka ] || packages="$packages openjdk-17-jre-headless maven openssl curl kcat python3-venv"
[ "${1:-}" != arm64 ] || packages="$packages gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user"
missing=
for package in $packages; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
done
[ -n "$missing" ] || exit 0
sudo=
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || { echo "missing packages:$missing; install them as root" >&2; exit 1; }
    sudo=sudo
fi
echo "installing:$missing"
$sudo apt-get update -qq
$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
