#!/usr/bin/env bash
# Where a filter denies io_uring (EPERM), or the kernel has none (ENOSYS), everything works all the
# same, through the page cache and with direct I/O.
source "$(dirname "$0")/../support/functions.sh"
source "$(dirname "$0")/../support/engines.sh"
requires nbdcopy
requires_python nbd
workdir

write_engine_config
start_server config.json
(($(rings) > 0)) || skip 'want io_uring, to deny it'
stop_server

for error in EPERM ENOSYS; do
    start_through /usr/bin/python3 "$tests/support/deny_io_uring.py" "$error"
    start_server config.json
    expect_eq "$(rings)" 0 "io_urings in spite of $error"
    check_exports
    stop_server
done
