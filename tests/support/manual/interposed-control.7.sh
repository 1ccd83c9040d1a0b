# shellcheck shell=bash
# A server that has a table loaded.
serve_vol0
table "$(linear /dev/sdd)" | "$INTERPOSECTL" load vol0 -
