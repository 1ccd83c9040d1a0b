# shellcheck shell=bash
# What the tests of failing devices share, on top of functions.sh.

# Serves NAME.img as the file NAME/nbd, by way of a filter: while NAME.no-reads exists its reads
# fail, and while NAME.no-writes exists its writes do.
faulty_file() { # NAME [NBDKIT-ARGUMENT...]
    mkdir "$1"
    nbdkit --foreground --exit-with-parent --unix "$PWD/$1.faulty" --filter=error file "$1.img" \
        error-pread-rate=100% "error-pread-file=$PWD/$1.no-reads" \
        error-pwrite-rate=100% "error-pwrite-file=$PWD/$1.no-writes" "${@:2}" 2>>nbdkit.log &
    at_exit kill_hard "$!"
    eventually 30 test -S "$1.faulty" || fail "no filter for $1.img"
    nbdfuse "$1" "nbd+unix:///?socket=$PWD/$1.faulty" 2>>nbdfuse.log &
    at_exit kill_hard "$!"
    at_exit fusermount3 -u -z "$PWD/$1"
    eventually 30 test -e "$1/nbd" || fail "no file over $1.img"
}

# Serves first.img, of 1 MiB, and then KIND/disk.img: a file of 64 MiB on a filesystem of 8.
serve_tiny_filesystem() { # tmpfs|ext4
    mkdir "$1"
    if [[ $1 == tmpfs ]]; then
        mount -t tmpfs -o size=8M tmpfs tmpfs || skip 'want to mount a tmpfs'
    else
        truncate --size 8M "$1.fs"
        loop_on "$1.fs" >/dev/null
        "mkfs.$1" -q "$loop"
        mount "$loop" "$1"
    fi
    truncate --size 64M "$1/disk.img"
    truncate --size 1M first.img
    start_server --listen "unix://$PWD/nbd.sock" first.img "$1/disk.img"
}

# Runs the script on standard input with what tests/support/raw_requests.py has; `argv` are the
# further arguments.
requests() { # [ARGUMENT...]
    raw_python -c 'import sys
from raw_requests import *
argv = sys.argv[2:]
exec(compile(sys.stdin.read(), "script", "exec"))' "$PWD/nbd.sock" "$@"
}

# Writes config.json: the export "bad" is 1 MiB of a.img, 4 MiB of the device and 1 MiB of c.img,
# the export "good" is good.img.
write_sandwich() { # DEVICE [KEYS-OF-BAD]
    truncate --size 1M a.img c.img good.img
    cat >config.json <<END
{
  "listen": ["unix://$PWD/nbd.sock"],
  "exports": [
    {"name": "good", "table": [{"kind": "linear", "device": "good.img"}]},
    {"name": "bad", ${2:+$2,} "table": [
      {"kind": "linear", "device": "a.img", "length": "1MiB"},
      {"kind": "linear", "device": "$1", "length": "4MiB"},
      {"kind": "linear", "device": "c.img"}]}
  ]
}
END
}
