#!/usr/bin/env bash
# docs/protocol-support.md tells of every rule of the protocol, and names only tests that are there.
source "$(dirname "$0")/../support/functions.sh"

faults=$("$tests/support/check_protocol_support.py") || fail "docs/protocol-support.md: $faults"
