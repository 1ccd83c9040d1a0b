#!/usr/bin/python3
"""Runs a command in whose process io_uring is denied by a seccomp filter, as container runtimes do.

usage: deny_io_uring.py ERRNO COMMAND...

ERRNO is what its three system calls answer: EPERM, ENOSYS, ...
"""

import ctypes
import errno
import os
import sys

PR_SET_SECCOMP = 22
PR_SET_NO_NEW_PRIVS = 38
SECCOMP_MODE_FILTER = 2
RETURN_ALLOW = 0x7FFF0000
RETURN_ERRNO = 0x00050000

LOAD_WORD = 0x20
JUMP_IF_EQUAL = 0x15
RETURN = 0x06

IO_URING = (425, 426, 427)  # setup, enter, register: the same on every architecture


class Instruction(ctypes.Structure):
    _fields_ = [("code", ctypes.c_uint16), ("if_true", ctypes.c_uint8),
                ("if_false", ctypes.c_uint8), ("operand", ctypes.c_uint32)]


class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_uint16), ("instructions", ctypes.POINTER(Instruction))]


def filter_for(error):
    """Compares the number of the call with each of the three; jumps count what they skip."""
    code = [(LOAD_WORD, 0, 0, 0)]
    for at, number in enumerate(IO_URING):
        code.append((JUMP_IF_EQUAL, len(IO_URING) - at, 0, number))
    code += [(RETURN, 0, 0, RETURN_ALLOW), (RETURN, 0, 0, RETURN_ERRNO | error)]
    return (Instruction * len(code))(*code)


def set_for_process(libc, option, *values):
    values = [ctypes.c_ulong(value) if isinstance(value, int) else value for value in values]
    values += [ctypes.c_ulong(0)] * (4 - len(values))
    if libc.prctl(option, *values) != 0:
        sys.exit(f"prctl {option}: {os.strerror(ctypes.get_errno())}")


def main():
    error, command = getattr(errno, sys.argv[1]), sys.argv[2:]
    instructions = filter_for(error)
    program = Program(len(instructions), instructions)
    libc = ctypes.CDLL(None, use_errno=True)
    set_for_process(libc, PR_SET_NO_NEW_PRIVS, 1)
    set_for_process(libc, PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(program))
    os.execvp(command[0], command)


if __name__ == "__main__":
    main()
