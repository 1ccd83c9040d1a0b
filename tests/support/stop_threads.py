#!/usr/bin/env python3
"""Stops every thread of a process that waits for events, but for the main one, until it is killed.

usage: stop_threads.py PID
"""

import ctypes
import os
import signal
import sys

PTRACE_ATTACH = 16
WALL = 0x40000000
EPOLL_WAIT = {"x86_64": ("232", "281"), "aarch64": ("22",)}[os.uname().machine]

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]

pid = int(sys.argv[1])
for task in sorted(int(task) for task in os.listdir(f"/proc/{pid}/task")):
    with open(f"/proc/{pid}/task/{task}/syscall", encoding="ascii") as file:
        call = file.read().split()[0]
    if task == pid or call not in EPOLL_WAIT:
        continue
    if libc.ptrace(PTRACE_ATTACH, task, None, None) != 0:
        sys.exit(f"thread {task}: {os.strerror(ctypes.get_errno())}")
    os.waitpid(task, WALL)
    print(f"stopped thread {task}", flush=True)
while True:
    signal.pause()
