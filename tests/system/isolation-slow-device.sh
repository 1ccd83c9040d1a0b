#!/usr/bin/env bash
# A device that takes a second for each read always has 32 of them in flight; beside it another
# export answers a thousand requests one after the other, more than could each have waited for a
# slow one. In the end every slow read is answered once.
source "$(dirname "$0")/../support/functions.sh"
source "$tests/support/faults.sh"
requires nbdkit nbdfuse fusermount3
requires_python nbd
workdir

truncate -s 4M slow.img
faulty_file slow --filter=delay delay-read=1
write_sandwich slow/nbd
start_server config.json
/usr/bin/python3 - "$PWD/nbd.sock" <<'END'
import sys, nbd
slow, good = nbd.NBD(), nbd.NBD()
for client, name in (slow, "bad"), (good, "good"):
    client.connect_uri(f"nbd+unix:///{name}?socket={sys.argv[1]}")
asked, answered = [], []

def ask_slow(number):
    def done(error):
        assert error.value == 0, error.value
        answered.append(number)
        return 1
    slow.aio_pread(nbd.Buffer(4096), (1 << 20) + number % 1024 * 4096, done)
    asked.append(number)

for number in range(1000):
    while slow.aio_in_flight() < 32:
        ask_slow(len(asked))
    good.pwrite(bytes([number % 256]) * 4096, 4096 * (number % 256))
    slow.poll(0)
assert len(answered) < 3000, len(answered)   # a second each for a write would be 32,000
while slow.aio_in_flight():
    slow.poll(-1)
assert sorted(answered) == asked, "want each slow read answered once"
END
stop_server
