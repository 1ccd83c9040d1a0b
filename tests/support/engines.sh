# shellcheck shell=bash
# What the tests of the I/O engine share, on top of functions.sh.

# Writes config.json: a file through the page cache, and a loop device with direct I/O. On that one
# a read-only export comes first, so that its claim is raised for the second: then requests go
# through another description than the one that claims, which a ring must be able to hold.
write_engine_config() {
    truncate -s 16M file.img
    truncate -s 17M disk.img
    loop_on disk.img
    cat >config.json <<JSON
{
  "listen": ["unix://$PWD/nbd.sock"],
  "exports": [
    {"name": "file", "cache": "buffered", "table": [{"kind": "linear", "device": "file.img"}]},
    {"name": "first", "cache": "direct", "read_only": true,
     "table": [{"kind": "linear", "device": "$loop", "length": "1MiB"}]},
    {"name": "disk", "cache": "direct",
     "table": [{"kind": "linear", "device": "$loop", "offset": "1MiB"}]}
  ]
}
JSON
}

# How many descriptors of io_urings the server has.
rings() { find "/proc/$server/fd" -lname 'anon_inode:*io_uring*' | wc -l; }

# From now on the server is started by COMMAND, which runs it as the same process.
start_through() { # COMMAND...
    real=${real:-$INTERPOSED}
    {
        printf '#!/usr/bin/env bash\nexec'
        printf ' %q' "$@" "$real"
        printf ' "$@"\n'
    } >through
    chmod +x through
    INTERPOSED=$PWD/through
}

# Data both ways by two clients: large and cold, then small and of any alignment, with FLUSH, FUA,
# TRIM and WRITE_ZEROES. At last the image itself must have it.
check_data() { # EXPORT IMAGE OFFSET-IN-IMAGE
    local uri="nbd+unix:///$1?socket=$PWD/nbd.sock"
    head -c 16M /dev/urandom >data.img
    nbdcopy --flush --connections=2 data.img "$uri"
    dd if="$2" iflag=nocache count=0 status=none
    nbdcopy --connections=2 "$uri" copy.img
    cmp data.img copy.img
    /usr/bin/python3 "$tests/support/random_operations.py" "$uri" data.img 1 500
    cmp --bytes=16M --ignore-initial="0:$3" data.img "$2"
}

check_exports() {
    check_data file file.img 0
    check_data disk disk.img 1M
    nbdcopy "nbd+unix:///first?socket=$PWD/nbd.sock" first.img
    cmp --bytes=1M first.img /dev/zero
}
