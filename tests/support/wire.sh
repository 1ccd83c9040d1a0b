# shellcheck shell=bash
# What the tests of what goes over the wire share, on top of functions.sh.

# Runs the command, which finds the server of nbd.sock at counted.sock, and leaves the number of bytes
# that went there in `to_server`, and of those that came from there in `from_server`.
counted() { # COMMAND...
    local proxy
    rm -f counted.sock
    "$tests/support/counting_proxy.py" "$PWD/counted.sock" "$PWD/nbd.sock" >counts.txt &
    proxy=$!
    at_exit kill_hard "$proxy"
    eventually 30 test -S counted.sock || fail 'the proxy does not listen'
    "$@" || fail "$1 has failed"
    kill -TERM "$proxy"
    wait "$proxy" || fail 'the proxy has failed'
    # shellcheck disable=SC2034  # for whoever has called
    read -r to_server from_server <counts.txt
}
counted_uri() { echo "nbd+unix:///?socket=$PWD/counted.sock"; }

# Makes a.img and b.img, of 512 MiB with 5 MiB of data each, and whole.img, which is both.
sparse_files() {
    /usr/bin/python3 <<'END'
import os, random
choice = random.Random(1)
images = [open(name + ".img", "wb") for name in ("a", "b", "whole")]
for image, mib in zip(images, (512, 512, 1024)):
    image.truncate(mib << 20)
for piece in range(160):
    data = choice.randbytes(64 << 10)
    at = (piece * 100 + choice.randrange(40)) << 16
    for image, place in ((images[at >> 29], at & (512 << 20) - 1), (images[2], at)):
        image.seek(place)
        image.write(data)
for image in images:
    image.flush()
    os.fsync(image.fileno())
END
}

mib_of() { echo $(($(stat -c %b "$1") >> 11)); } # FILE: the space that it takes
