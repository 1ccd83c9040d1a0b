#!/usr/bin/env bash
# Blocks that are read again and again are sent from where they lie in the page cache, as they are at
# that moment: what the client writes, what another program writes, zeroes behind a hole that was
# punched. (errors-shorter-file.sh is about a file that is cut off.)
source "$(dirname "$0")/../support/functions.sh"
source "$tests/support/faults.sh"
workdir
[[ $(stat -f -c %T .) != tmpfs ]] || skip 'want a filesystem with reads that do not wait'

head -c 4M /dev/urandom >disk.img
sync disk.img
start_server --listen "unix://$PWD/nbd.sock" disk.img
mapped_kb() { awk '$6 ~ /disk.img$/ { ours = 1 } ours && $1 == "Rss:" { print $2; exit }' "/proc/$server/smaps"; }
expect_eq "$(mapped_kb)" 0 'of the file in memory'
requests <<'END'
import random
image = bytearray(open("disk.img", "rb").read())
client = enter("")

def check():
    for _ in range(3000):   # no two of them at once: with some that cross pages, and groups of pages
        offset = random.randrange(0, len(image) - 16 * K, 512)
        length = random.choice((512, 4 * K, 16 * K))
        client.expect_data(offset, bytes(image[offset:offset + length]))

def put(offset, data):
    image[offset:offset + len(data)] = data

check()
put(100 * K, b"of the client" * 999), client.expect_ok(WRITE, 100 * K, payload=b"of the client" * 999)
check()
with open("disk.img", "r+b") as file:
    file.seek(700 * K), file.write(b"of another" * 999)
put(700 * K, b"of another" * 999), check()
client.expect_ok(TRIM, 64 * K, 512 * K), put(64 * K, bytes(512 * K)), check()
END
(($(mapped_kb) > 512)) || fail "want most of the file mapped, found $(mapped_kb) KiB"
stop_server
