#!/usr/bin/env bash
# Kills, freezes and outages under load in both guarantees; see tests/support/kafka/faults.py. FAULTS=full kills 30 times in each, else 5.
# FAULTS_OF names some of one_partition, exactly_once and at_least_once; it is all of them without.
exec "$PYTHON" "$TW_SOURCE_DIR/tests/support/kafka/faults.py"
