#!/usr/bin/env bash
# Instances that join and leave a group, and what moves with their tasks; see tests/support/kafka/groups.py.
exec "$PYTHON" "$TW_SOURCE_DIR/tests/support/kafka/groups.py"
