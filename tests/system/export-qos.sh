#!/usr/bin/env bash
# What is above a rate limit waits, and nothing else does: not another export, and another client only
# where the limit is that of all. A limit that is lifted lets go at once what has waited for it.
source "$(dirname "$0")/../support/functions.sh"
source "$tests/support/control.sh"
requires_python nbd
workdir

truncate -s 1M a.img b.img
serve_exports "$(volume vol "$(linear "$work/a.img")"), $(volume free "$(linear "$work/b.img")")"
# A burst, and then a byte a second: what comes behind the burst is not due before the test ends.
ctl qos vol --bandwidth 1 --bandwidth-burst 4096
cat >client.py <<'END'
import nbd, subprocess, sys

sock, ctl = sys.argv[1], [sys.argv[2], "--socket", sys.argv[3]]
vol, free = nbd.NBD(), nbd.NBD()
vol.connect_uri("nbd+unix:///vol?socket=" + sock)
free.connect_uri("nbd+unix:///free?socket=" + sock)
first, second = (vol.aio_pread(nbd.Buffer(4096), i * 4096) for i in range(2))
while not vol.aio_command_completed(first):
    vol.poll(-1)
assert len(free.pread(4096, 0)) == 4096
while "waited" not in open("said").read():
    report = subprocess.run(ctl + ["--json", "statistics"], capture_output=True, check=True, text=True).stdout
    if '"throttled":1' in report.replace(" ", ""):
        open("said", "w").write("waited")
assert not vol.aio_command_completed(second)
subprocess.run(ctl + ["qos", "vol", "--bandwidth", "0"], check=True)
while not vol.aio_command_completed(second):
    vol.poll(-1)
END
touch said
timeout 100 /usr/bin/python3 client.py "$work/nbd.sock" "$INTERPOSECTL" "$work/control.sock" ||
    fail 'the client has noticed something'
# A limit that is far away is not noticed.
ctl qos vol --client-iops 1000000 --iops 1000000
expect_eq "$(of "r['qos']['client_iops']" qos vol)" 1000000
expect_eq "$(nbdcopy "$(uri vol)" - | wc -c)" 1048576
stop_server
