#!/usr/bin/env bash
# The library as another program meets it: installed into a prefix, found by pkg-config, its exports by list, the example built and run
# against what is installed, its state seen by the commands, and what it says to bad input.
set -u
dir=$(mktemp -d)
prefix=$TW_BUILD_DIR/installed
trap 'rm -rf "$dir"' EXIT
failed=0
complain() { echo "FAILED: $*"; failed=1; }
command -v pkg-config >/dev/null || { echo "skipped: no pkg-config"; exit 77; }

rm -rf "$prefix"
cmake --install "$TW_BUILD_DIR" --prefix "$prefix" >"$dir/install" || { cat "$dir/install"; exit 1; }
pc=$(find "$prefix" -name tailwater.pc)
libdir=$(dirname "$(dirname "$pc")")
export PKG_CONFIG_PATH=$libdir/pkgconfig LD_LIBRARY_PATH=$libdir
for file in bin/tailwater include/tailwater/tailwater.h include/tailwater/errors.h share/tailwater/tailwater.yaml \
    share/tailwater/schemas/click.avsc; do
    [ -f "$prefix/$file" ] || complain "$file is not installed"
done
version=$("$prefix/bin/tailwater" --version)
case $version in "tailwater $(pkg-config --modversion tailwater)"*) ;; *) complain "versions: $version and $(pkg-config --modversion tailwater)" ;; esac

# Exported is what the list names, and the list names what the headers declare.
lib=$libdir/libtailwater.so
nm -D --defined-only "$lib" | awk '$2 == "T" {sub(/@.*/, "", $3); print $3}' | sort >"$dir/exported"
sed -n 's/^ *\(tw_[a-z_]*\);$/\1/p' "$TW_SOURCE_DIR/src/embed/libtailwater.map" | sort >"$dir/listed"
cat "$prefix"/include/tailwater/*.h | grep -oE '^TW_PUBLIC [^(]*\(' | grep -oE 'tw_[a-z_]+\(' | tr -d '(' | sort >"$dir/declared"
[ -s "$dir/listed" ] || complain "the list of exports is empty"
grep -vE '^(__|_init$|_fini$)' "$dir/exported" | diff - "$dir/listed" || complain "exports differ from the list"
diff "$dir/declared" "$dir/listed" || complain "declarations differ from the list"
readelf -d "$lib" | grep NEEDED | grep -E 'rdkafka|curl|microhttpd' && complain "an embedding program would load Kafka or HTTP"

# The example, as C and its headers as C++, with the warnings of a strict program.
sanitize=$(sed -n 's/^TW_SANITIZE:[A-Z]*=\(..*\)/-fsanitize=\1/p' "$TW_BUILD_DIR/CMakeCache.txt")
# shellcheck disable=SC2046,SC2086
cc -std=c11 -Wall -Wextra -Wpedantic -Werror $sanitize "$TW_SOURCE_DIR/tests/examples/embed.c" -o "$dir/embed" \
    $(pkg-config --cflags --libs tailwater) || exit 1
[ "$(wc -l <"$TW_SOURCE_DIR/tests/examples/embed.c")" -lt 60 ] || complain "the example has 60 lines or more"
if command -v c++ >/dev/null; then
    # shellcheck disable=SC2046
    echo '#include <tailwater/tailwater.h>' | c++ -std=c++17 -Wall -Wextra -Wpedantic -Werror -fsyntax-only -x c++ \
        $(pkg-config --cflags tailwater) - || complain "the headers are no C++"
fi

"$dir/embed" "$dir/state" >"$dir/first" || complain "the example failed"
"$dir/embed" "$dir/state" >"$dir/second" || complain "the example failed the second time"
"$dir/embed" >"$dir/memory" || complain "the example without a state failed"
grep -q '^0 events are known$' "$dir/first" && grep -q '^600 events are known$' "$dir/second" || complain "events: $(cat "$dir"/{first,second})"
[ "$(grep -c '^[123]\. ' "$dir/first")" -eq 3 ] || complain "lists: $(cat "$dir/first")"
grep -q '^2\. tea.* after tea' "$dir/first" || complain "a drinker of tea is offered: $(cat "$dir/first")"
diff <(sed 1d "$dir/first") <(sed 1d "$dir/second") || complain "opened again it recommends something else"
diff "$dir/first" "$dir/memory" || complain "without a state it recommends something else"
grep -q refused "$dir/first" && complain "events are refused: $(cat "$dir/first")"

# The commands see the same state, and a bad one is a sentence.
"$TAILWATER" inspect --state "$dir/state" | grep -qE '^consumed +600$' || complain "inspect: $("$TAILWATER" inspect --state "$dir/state")"
echo "no state" >"$dir/file"
"$dir/embed" "$dir/file" 2>"$dir/err" && complain "a file is taken for a directory"
grep -q '^TW_E_IO: ' "$dir/err" || complain "a file as the state's directory: $(cat "$dir/err")"
exit $failed
