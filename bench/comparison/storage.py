"""The file and the loop device everything is served from."""

import contextlib
import os
import shutil
import subprocess
import tempfile

CHUNK = 16 << 20


def fill(path, size, piece):
    """Bytes no server can take for a hole, written a piece at a time, and synced, so that
    write-back does not run into the first measurement.

    The size of the pieces matters as long as the file stays cached: it becomes the size of the
    kernel's folios, and ext4's cost of a small write grows with the folio it falls into.
    """
    noise = memoryview(os.urandom(CHUNK))
    with open(path, "wb", buffering=0) as out:
        for at in range(0, size, piece):
            start = at % (CHUNK - piece + 1)
            out.write(noise[start:start + min(piece, size - at)])
        os.fsync(out.fileno())


def read_in(path):
    """Brings a file into the page cache, in folios as small as those that fill() makes: what is read
    ahead comes in large ones, and a 4 KiB write into one of those costs several times as much."""
    with open(path, "rb", buffering=0) as source:
        os.posix_fadvise(source.fileno(), 0, 0, os.POSIX_FADV_RANDOM)
        while source.read(CHUNK):
            pass


def settle(path):
    """Writes back what the last measurement left dirty: it must not slow the next one."""
    descriptor = os.open(path, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def temporary_folder(parent, prefix):
    folder = tempfile.mkdtemp(prefix=prefix, dir=parent)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def loop_device(path):
    """A loop device on a file; gone afterwards."""
    made = subprocess.run(["losetup", "--find", "--show", path], capture_output=True, text=True,
                          timeout=30, check=False)
    if made.returncode != 0:
        raise OSError(f"loop device: {made.stderr.strip()}")
    device = made.stdout.strip()
    try:
        yield device
    finally:
        subprocess.run(["losetup", "--detach", device], timeout=30, check=False)
