#!/usr/bin/python3
"""Fills the only place of the export "vol", in each way a client can come and go.

usage: one_client.py NBD-SOCKET CONTROL-SOCKET PORT
"""

import os
import signal
import socket
import struct
import subprocess
import sys
import time

import nbd
import raw_client
from control_client import Control, uri

TCP = f"nbd://127.0.0.1:{sys.argv[3]}/vol"
control = Control()


def try_once():
    client = nbd.NBD()
    client.connect_uri(TCP)
    client.pread(512, 0)
    return client


def comes_in():
    """A client gets in, at the latest when the server has heard of the end of the other."""
    end = time.monotonic() + 60
    while True:
        try:
            return try_once()
        except nbd.Error as why:
            assert time.monotonic() < end, f"the place is still taken: {why}"
            time.sleep(0.02)


def check_full():
    """The second is told why it cannot come in; libnbd does not pass on what it is told."""
    assert control.status()["connections"] == 1, control.status()
    said = subprocess.run(["qemu-io", "-f", "raw", "-c", "length", TCP], capture_output=True,
                          text=True, check=False)
    assert said.returncode == 1 and "as many connections as it may have" in said.stderr, said


def disconnect():
    comes_in().shutdown()


def vanish():
    """Without a word: the socket is closed."""
    client = raw_client.enter(TCP)
    check_full()
    client.close()


def reset():
    client = raw_client.enter(TCP)
    check_full()
    client._link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


def killed():
    code = ("import sys, time, nbd; c = nbd.NBD(); c.connect_uri(sys.argv[1]);"
            "print(flush=True); time.sleep(1000)")
    process = subprocess.Popen(["/usr/bin/python3", "-c", code, uri()], stdout=subprocess.PIPE)
    process.stdout.readline()
    check_full()
    process.send_signal(signal.SIGKILL)
    process.wait()


def half_a_handshake():
    """Has chosen nothing yet, so it has no place, and takes none with it."""
    for sent in (0, 4, 12, 20):
        link = socket.create_connection(("127.0.0.1", int(sys.argv[3])))
        link.recv(18)
        link.sendall((struct.pack(">I", 3) + b"IHAVEOPT" + struct.pack(">II", 7, 9))[:sent])
        comes_in().shutdown()
        link.close()


def chosen_by_info():
    """NBD_OPT_INFO, and an option after GO was refused: only GO takes the place."""
    client = nbd.NBD()
    client.set_opt_mode(True)
    client.connect_uri(TCP)
    client.opt_info()
    comes_in().shutdown()
    client.opt_abort()


def half_a_request():
    client = raw_client.enter(TCP)
    client.send(struct.pack(">IHHQQI", 0x25609513, 0, 1, 7, 0, 1 << 20) + bytes(1000))
    check_full()
    client.close()


def disconnected_by_verb():
    for how in ("orderly", "now"):
        client = comes_in()
        check_full()
        (session,) = control.call("session.list", export="vol")["sessions"]
        done = control.call("session.disconnect", session=session["session"], how=how)
        assert done == {"disconnected": 1}, done
        comes_in().shutdown()
        try:
            client.pread(512, 0)
        except nbd.Error:
            continue
        raise SystemExit("it still goes on after it was disconnected")


for way in (disconnect, vanish, reset, killed, half_a_handshake, chosen_by_info, half_a_request,
            disconnected_by_verb):
    end = time.monotonic() + 60
    while control.status()["connections"] > 0:
        assert time.monotonic() < end, f"before {way.__name__}: the place is not given back"
        time.sleep(0.02)
    way()
    comes_in().shutdown()
end = time.monotonic() + 60
while control.status()["connections"] > 0:
    assert time.monotonic() < end, "the last place is not given back"
    os.sched_yield()
