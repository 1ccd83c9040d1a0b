"""Processes that never outlive the comparison."""

import contextlib
import ctypes
import os
import pathlib
import signal
import socket
import subprocess
import time

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
GREETING = b"NBDMAGIC"

_libc = ctypes.CDLL(None, use_errno=True)


class MeasureError(Exception):
    """One sample could not be taken; the others go on."""


def adopt_orphans():
    """Makes this process the parent of daemons its children leave behind, to be able to end and
    reap them by pid."""
    _libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _die_with_parent():
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def start(command, log):
    """Starts a command that ends when this process does, even by kill -9."""
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                            preexec_fn=_die_with_parent, start_new_session=True)


def run(command, seconds):
    """Runs a command to its end, within a time limit, and returns what it printed."""
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True,
                               preexec_fn=_die_with_parent, start_new_session=True)
    try:
        out, errors = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        raise MeasureError(f"{command[0]}: not done within {seconds:.0f} s") from None
    finally:
        if process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
    if process.returncode != 0:
        last = (errors.strip() or out.strip() or "no message").splitlines()[-1]
        raise MeasureError(f"{os.path.basename(command[0])}: exit {process.returncode}: {last}")
    return out


def _parents():
    """pid -> ppid of everything there is."""
    found = {}
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError, IndexError):
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                found[int(entry.name)] = int(fields[1])
    return found


def family(pid):
    """The process and its descendants."""
    parents = _parents()
    members = [pid]
    for member in members:
        members += [child for child, parent in parents.items() if parent == member]
    return members


def _gone(pid):
    """Whether a process has ended; reaps it if it is ours."""
    try:
        return os.waitpid(pid, os.WNOHANG)[0] == pid
    except ChildProcessError:
        return not os.path.exists(f"/proc/{pid}")


def end(pid, patience=5.0):
    """Ends a process and its descendants: asks, waits, then insists. Whether asking was enough
    for the process itself."""
    members = family(pid)
    _signal(members[:1], signal.SIGTERM)
    willing = _wait_gone(members[:1], patience)
    if not willing:
        _signal(members, signal.SIGKILL)
    elif len(members) > 1 and not _wait_gone(members[1:], 1.0):
        _signal(members[1:], signal.SIGKILL)
    _wait_gone(members, patience)
    return willing


def _signal(pids, which):
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, which)


def _wait_gone(pids, patience):
    left = list(pids)
    deadline = time.monotonic() + patience
    while left and time.monotonic() < deadline:
        left = [pid for pid in left if not _gone(pid)]
        if left:
            time.sleep(0.005)
    return not left


def end_all():
    """Ends every descendant that is still there: what a start that was cut short left behind."""
    for pid in family(os.getpid())[1:]:
        end(pid)


def greets(address):
    """Whether an NBD server greets at ("unix", path) or ("tcp", port of 127.0.0.1)."""
    kind, place = address
    with socket.socket(socket.AF_UNIX if kind == "unix" else socket.AF_INET) as client:
        client.settimeout(1.0)
        try:
            client.connect(place if kind == "unix" else ("127.0.0.1", place))
            return client.recv(len(GREETING)) == GREETING
        except OSError:
            return False


def free_port():
    """A TCP port of 127.0.0.1 that nobody used a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
