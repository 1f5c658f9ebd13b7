#!/usr/bin/env bash
# clang-format settles spacing.
cd "$TW_SOURCE_DIR" || exit 1
command -v clang-format >/dev/null || { echo "skipped: no clang-format"; exit 77; }
git ls-files '*.c' '*.h' '*.inc' | xargs clang-format --dry-run -Werror 2>&1 | head -20
exit "${PIPESTATUS[1]}"
