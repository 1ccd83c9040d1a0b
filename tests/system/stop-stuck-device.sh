#!/usr/bin/env bash
# A server that is told to stop while writes are stuck in a frozen filesystem waits for them; told
# again, it gives their clients up, and still waits, since the kernel has them; it ends when the
# filesystem thaws, and then the writes are in the file.
source "$(dirname "$0")/../support/functions.sh"
source "$tests/support/faults.sh"
requires fsfreeze mkfs.ext4
workdir

truncate --size 64M fs.img
loop_on fs.img >/dev/null
mkfs.ext4 -q "$loop"
mkdir mnt
mount "$loop" mnt
for signals in 1 2; do
    truncate --size 8M "mnt/$signals.img"
    start_server --listen "unix://$PWD/nbd.sock" "mnt/$signals.img"
    fsfreeze --freeze mnt
    requests "$server" "$signals" <<'END'
import signal, subprocess, time
clients = [enter(framing=framing) for framing in FRAMINGS]
asked = [[client.begin(WRITE, who * M + at * 64 * K, flags=FUA, payload=b"x" * 64 * K)
          for at in range(16)] for who, client in enumerate(clients)]
[client.expect_ok(READ, 7 * M, 512) for client in clients]   # all that was sent has been taken
os.kill(int(argv[0]), signal.SIGTERM)
while os.path.exists("nbd.sock"):   # it stops listening first
    time.sleep(0.01)
if argv[1] == "2":
    os.kill(int(argv[0]), signal.SIGTERM)
    [client.expect_closed("it was given up") for client in clients]
os.kill(int(argv[0]), 0)
subprocess.run(["fsfreeze", "--unfreeze", "mnt"], check=True)
for client, each in zip(clients, asked if argv[1] == "1" else []):
    assert {reply.error for reply in client.finish(each)} == {0}
    client.expect_closed("the server stops")
END
    expect_stopped
    expect_eq "$(head -c 3M "mnt/$signals.img" | tr -d x | wc -c)" 0 'bytes that were not written'
done
