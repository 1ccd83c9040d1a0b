#!/usr/bin/env python3
"""Stands in for systemd: runs one service as Type=notify, NotifyAccess=main and FileDescriptorStoreMax= do.

usage: service_manager.py [--watchdog-us N] [--no-store] -- COMMAND...

In its folder: "notify.sock", where it is told; "told.txt", a line for each message of the main
process, of which newlines are blanks; "main", that process. SIGUSR1 restarts the service, SIGTERM
stops it. A descriptor that is stored is dropped when its other end is closed, and is passed to each
process of the service until it is removed.
"""

import array
import fcntl
import os
import select
import signal
import socket
import struct
import sys

MAX_MESSAGE = 65536


class Manager:
    def __init__(self, command, watchdog_us, stores):
        self.command = command
        self.watchdog_us = watchdog_us
        self.stores = stores
        self.store = []  # of (name, descriptor)
        self.main = 0
        self.main_fd = -1
        self.wants_restart = False
        self.wants_stop = False
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self.socket.bind("notify.sock")
        self.told = open("told.txt", "w", encoding="utf-8")

    def start(self):
        child = os.fork()
        if child == 0:
            self.execute()
        self.watch(child)

    def execute(self):
        above = 3 + len(self.store)  # those that are replaced now
        moved = [fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, above) for _, fd in self.store]
        for at, fd in enumerate(moved):
            os.dup2(fd, 3 + at, inheritable=True)
        environment = dict(os.environ, NOTIFY_SOCKET=os.path.abspath("notify.sock"))
        for name in ("LISTEN_FDS", "LISTEN_FDNAMES", "LISTEN_PID", "WATCHDOG_USEC", "WATCHDOG_PID"):
            environment.pop(name, None)
        if moved:
            environment["LISTEN_FDS"] = str(len(moved))
            environment["LISTEN_FDNAMES"] = ":".join(name for name, _ in self.store)
            environment["LISTEN_PID"] = str(os.getpid())
        if self.watchdog_us:
            environment["WATCHDOG_USEC"] = str(self.watchdog_us)
            environment["WATCHDOG_PID"] = str(os.getpid())
        os.execvpe(self.command[0], self.command, environment)

    def watch(self, pid):
        if self.main_fd >= 0:
            os.close(self.main_fd)
        self.main = pid
        self.main_fd = os.pidfd_open(pid)
        with open("main.new", "w", encoding="utf-8") as file:
            file.write(f"{pid}\n")
        os.rename("main.new", "main")

    def hear(self):
        text, ancillary, _, _ = self.socket.recvmsg(MAX_MESSAGE, 4096)
        fds, sender = array.array("i"), 0
        for level, kind, data in ancillary:
            if level != socket.SOL_SOCKET:
                continue
            if kind == socket.SCM_RIGHTS:
                fds.frombytes(data[: len(data) // fds.itemsize * fds.itemsize])
            elif kind == socket.SCM_CREDENTIALS:
                sender = struct.unpack("iII", data)[0]
        lines = text.decode().split("\n")
        said = dict(line.split("=", 1) for line in lines if "=" in line)
        if sender == self.main and "BARRIER" not in said:
            print(" ".join(lines), file=self.told, flush=True)
            self.obey(said, list(fds))
            fds = []
        for fd in fds:
            os.close(fd)

    def obey(self, said, fds):
        name = said.get("FDNAME", "stored")
        if said.get("FDSTOREREMOVE") == "1":
            for known, fd in self.store:
                if known == name:
                    os.close(fd)
            self.store = [each for each in self.store if each[0] != name]
        elif said.get("FDSTORE") == "1" and self.stores:
            self.store += [(name, fd) for fd in fds]
            fds = []
        if said.get("MAINPID", str(self.main)) != str(self.main):
            self.watch(int(said["MAINPID"]))
        for fd in fds:
            os.close(fd)

    def drop_dead(self):
        """As systemd does: whose other end is closed is of no use any more."""
        alive = []
        for name, fd in self.store:
            poller = select.poll()
            poller.register(fd, 0)
            try:
                dead = poller.poll(0)
            except OSError:
                dead = []
            if dead:
                os.close(fd)
            else:
                alive.append((name, fd))
        self.store = alive

    def run(self):
        for number in (signal.SIGUSR1, signal.SIGTERM):
            signal.signal(number, self.take_signal)
        wake_in, wake_out = os.pipe()
        os.set_blocking(wake_out, False)
        signal.set_wakeup_fd(wake_out)
        self.start()
        while True:
            ready, _, _ = select.select([self.socket, wake_in, self.main_fd], [], [])
            if wake_in in ready:
                os.read(wake_in, 16)
                if self.wants_restart or self.wants_stop:
                    os.kill(self.main, signal.SIGTERM)
            if self.socket in ready:
                self.hear()
            elif self.main_fd in ready:
                try:
                    os.waitpid(self.main, 0)
                except ChildProcessError:
                    pass  # somebody else's child, which MAINPID= has told of
                self.drop_dead()
                if not self.wants_restart:
                    return
                self.wants_restart = False
                self.start()

    def take_signal(self, number, _frame):
        if number == signal.SIGUSR1:
            self.wants_restart = True
        else:
            self.wants_stop = True


def main():
    arguments = sys.argv[1:]
    command = arguments[arguments.index("--") + 1 :]
    options = arguments[: arguments.index("--")]
    watchdog_us = int(options[options.index("--watchdog-us") + 1]) if "--watchdog-us" in options else 0
    Manager(command, watchdog_us, "--no-store" not in options).run()


if __name__ == "__main__":
    main()
