#!/usr/bin/env bash
# A device that answers EINVAL to a large write takes nothing from another large write, which is
# arriving on another connection and for another device of the same table.
source "$(dirname "$0")/../support/functions.sh"
source "$tests/support/faults.sh"
requires nbdkit nbdfuse fusermount3
workdir

truncate -s 4M disk.img
faulty_file disk error-pwrite=EINVAL
write_sandwich disk/nbd
start_server config.json
requests <<'END'
import time
reader, refused, slow = (enter("bad", "simple") for _ in range(3))

def send(client, *parts):
    for part in parts:
        client.send(part)
        time.sleep(0.1)   # so that the parts are likely to arrive one by one

fail("disk", "writes")
noise, sent = os.urandom(M - 100), 500000   # less than a step of it is left in a pipe
send(slow, wire.compact_request(WRITE, 7, 100, len(noise)), noise[:sent])
last = 262144   # written before the rest is sent, when only the last step of it waits
while reader.expect_ok(READ, last, 4096).data != noise[last - 100:][:4096]:
    pass
send(refused, wire.compact_request(WRITE, 8, M, M), bytes(M))
assert refused.receive(16) == bytes.fromhex("67446698 00000016 0000000000000008"), "want EINVAL"
send(slow, noise[sent:])
assert slow.receive(16) == bytes.fromhex("67446698 00000000 0000000000000007"), "want success"
check_ok(slow, noise, 100), check_ok(reader, noise, 100)
mend("disk", "writes")
refused.expect_ok(WRITE, M, payload=noise), check_ok(slow, noise, M)
END
stop_server
