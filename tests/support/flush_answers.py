#!/usr/bin/python3
"""What an fsync() of a device and a write with O_DSYNC say, one a line: "ok", or the error's name.

usage: flush_answers.py DEVICE
"""

import errno
import mmap
import os
import sys


def answer(call, *arguments):
    try:
        call(*arguments)
    except OSError as error:
        return errno.errorcode[error.errno]
    return "ok"


flushed = os.open(sys.argv[1], os.O_RDWR)
forced = os.open(sys.argv[1], os.O_RDWR | os.O_DIRECT | os.O_DSYNC)
print(answer(os.fsync, flushed))
print(answer(os.pwrite, forced, mmap.mmap(-1, 4096), 0))
