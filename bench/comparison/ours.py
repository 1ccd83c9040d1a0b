"""Our server alone, for the measurements that compare it with itself."""

import argparse
import contextlib
import json
import os
import pathlib
import resource
import signal
import sys
import time

from . import processes
from .figures import Quartiles
from .processes import MeasureError
from .servers import Serving

BLOCK = 4096
START_SECONDS_MAX = 60
SPARE_SECONDS = 60  # what a load needs besides the time it measures


def parser_for(description):
    """The options that all of these scripts have."""
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument("--interposed", default="build/interposed", help="our server")
    parser.add_argument("--nbdload", default="build/bench/nbdload", help="the load generator")
    parser.add_argument("--directory", default=os.environ.get("TMPDIR", "/var/tmp"),
                        help="where served files are made; on a disk")
    parser.add_argument("--rounds", type=int, default=9)
    return parser


def _interrupt(_number, _frame):
    raise KeyboardInterrupt


def run_script(name, settings, measure):
    """Calls measure(settings) so that nothing is left behind, however it ends: the exit status."""
    settings.interposed = os.path.abspath(settings.interposed)
    settings.nbdload = os.path.abspath(settings.nbdload)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    processes.adopt_orphans()
    try:
        measure(settings)
    except (MeasureError, OSError) as why:
        print(f"{name}: {why}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    finally:
        processes.end_all()
    return 0


def allow_many_descriptors(wanted=0):
    """As many open files as we may have, for us and for whom we start."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    enough = most == resource.RLIM_INFINITY or most >= wanted
    limit = most if enough else wanted
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    except (OSError, ValueError):
        raise MeasureError(f"open files: want a limit of {wanted}, found {most}") from None


def one_export(name, path):
    return {"name": name, "table": [{"kind": "linear", "device": path}]}


def _wait_until_up(process, socket, log):
    deadline = time.monotonic() + START_SECONDS_MAX
    while not processes.greets(("unix", socket)):
        if process.poll() is not None or time.monotonic() > deadline:
            said = pathlib.Path(log).read_text(encoding="utf-8", errors="replace").strip()
            raise MeasureError(f"the server does not start: {said or 'no message'}")
        time.sleep(0.01)


# What is measured are the server's own limits, not those an operator sets.
NO_LIMITS = {"connections": 1000000, "connections_per_client": 1000000}


@contextlib.contextmanager
def serving(program, exports, folder, name="server", **more):
    """The server of these exports on a Unix socket, until the end of the block. `more` goes into
    its configuration."""
    path = os.path.join(folder, name)
    limits = {"limits": NO_LIMITS | more.pop("limits", {})}
    with contextlib.suppress(FileNotFoundError):
        os.unlink(f"{path}.sock")
    with open(f"{path}.json", "w", encoding="utf-8") as out:
        json.dump({"listen": [f"unix://{path}.sock"], "exports": exports} | limits | more, out)
    with open(f"{path}.log", "w", encoding="utf-8") as log:
        process = processes.start([program, f"{path}.json"], log)
        try:
            _wait_until_up(process, f"{path}.sock", f"{path}.log")
            yield Serving(process.pid, ("unix", f"{path}.sock"), exports[0]["name"])
        finally:
            processes.end(process.pid)
            process.wait()


def load_command(settings, server, export, options):
    return [settings.nbdload, server.nbdload_address, "--export", export, "--json", *options]


def load(settings, server, export, options, seconds=0.0):
    """What nbdload tells about one load."""
    return json.loads(processes.run(load_command(settings, server, export, options),
                                    seconds + SPARE_SECONDS))


def loads_together(commands, folder, seconds):
    """What several nbdload tell that were started at the same time."""
    logs = [pathlib.Path(folder, f"load-{number}") for number in range(len(commands))]
    started = []
    for command, log in zip(commands, logs):
        with open(log, "w", encoding="utf-8") as out:
            started.append(processes.start(command, out))
    deadline = time.monotonic() + seconds + SPARE_SECONDS
    try:
        for process, log in zip(started, logs):
            if process.wait(max(0.0, deadline - time.monotonic())) != 0:
                raise MeasureError(f"nbdload: {log.read_text(encoding='utf-8').strip()}")
    finally:
        for process in started:
            if process.poll() is None:
                process.kill()
                process.wait()
    return [json.loads(log.read_text(encoding="utf-8")) for log in logs]


def upper(values):
    """The upper quartile: what disturbs a measurement only ever slows it."""
    return Quartiles.of(values).upper
