"""The servers that are compared, each with the settings that serve it best."""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass

from . import certificates, processes
from .processes import MeasureError

START_SECONDS_MAX = 30.0
CONNECTIONS_MAX = 16
SEGMENT_ALIGNMENT = 1 << 20


@dataclass(frozen=True)
class Serving:
    """A server that is up."""

    pid: int
    address: tuple
    export: str
    tls: bool = False

    @property
    def nbdload_address(self):
        kind, place = self.address
        return f"unix:{place}" if kind == "unix" else f"tcp:127.0.0.1:{place}"

    @property
    def uri(self):
        kind, place = self.address
        if kind == "unix":
            return f"nbd+unix:///{self.export}?socket={place}"
        return f"nbd://127.0.0.1:{place}/{self.export}"


class Server:
    """How to start one server. Subclasses give the command."""

    export = ""
    targets = ("file",)

    def __init__(self, name, program):
        self.name = name
        self.program = program

    def installed(self):
        return shutil.which(self.program) is not None

    def version(self):
        """The first line that looks like a version, for the report."""
        shown = subprocess.run([self.program, "--version"], capture_output=True, text=True,
                               timeout=10, check=False)
        lines = (shown.stdout + shown.stderr).splitlines()
        return next((line for line in lines if any(map(str.isdigit, line))), "unknown version")

    def fits(self, cell):
        """Whether this server takes part in a cell."""
        return cell.target in self.targets

    def command(self, cell, path, address, folder):
        raise NotImplementedError

    @contextlib.contextmanager
    def serving(self, cell, path, folder):
        """Starts the server on a path and ends it afterwards, whatever happens."""
        address = self._new_address(cell, folder)
        log_path = os.path.join(folder, "server.log")
        with open(log_path, "w", encoding="utf-8") as log:
            process = processes.start(self.command(cell, path, address, folder), log)
            try:
                pid = self._wait_until_up(process, address, log_path, folder)
                yield Serving(pid, address, self.export, cell.transport == "tls")
            finally:
                if not processes.end(self._server_pid(process, folder) or process.pid):
                    print(f"{self.name}: does not end on SIGTERM, killed", file=sys.stderr)
                process.wait()

    @staticmethod
    def _new_address(cell, folder):
        if cell.over_tcp:
            return ("tcp", processes.free_port())
        path = os.path.join(folder, "socket")
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        return ("unix", path)

    def _wait_until_up(self, process, address, log_path, folder):
        """The pid of the server that greets at the address."""
        deadline = time.monotonic() + START_SECONDS_MAX
        while time.monotonic() < deadline:
            if self._failed(process):
                break
            pid = self._server_pid(process, folder)
            if pid is not None and processes.greets(address):
                return pid
            time.sleep(0.01)
        with open(log_path, encoding="utf-8", errors="replace") as log:
            said = log.read().strip().splitlines()
        raise MeasureError(f"{self.name}: does not start: {said[-1] if said else 'no message'}")

    def _failed(self, process):
        return process.poll() is not None

    def _server_pid(self, process, _folder):
        """The process that serves; None as long as that is not known."""
        return process.pid


class Interposed(Server):
    """Ours. A plain target needs no configuration file; a table does."""

    targets = ("file", "table", "loop")

    def version(self):
        """With the time it was built: one that was left behind is easily measured by mistake."""
        built = time.gmtime(os.stat(shutil.which(self.program)).st_mtime)
        return f"{super().version()}, built {time.strftime('%Y-%m-%d %H:%M UTC', built)}"

    def command(self, cell, path, address, folder):
        kind, place = address
        uri = f"unix://{place}" if kind == "unix" else f"tcp://127.0.0.1:{place}"
        if cell.target == "table":
            return [self.program, self._configured(uri, self._table(path), folder)]
        if cell.transport == "tls":
            return [self.program, self._configured(uri, [{"kind": "linear", "device": path}],
                                                   folder, self._tls(folder))]
        return [self.program, "--listen", uri, path]

    @staticmethod
    def _table(path):
        """Three segments of the file, the last of them first, so that none joins the next."""
        size = os.path.getsize(path)
        third = size // 3 // SEGMENT_ALIGNMENT * SEGMENT_ALIGNMENT
        parts = [(2 * third, size - 2 * third), (0, third), (third, third)]
        return [{"kind": "linear", "device": path, "offset": offset, "length": length}
                for offset, length in parts]

    @staticmethod
    def _tls(folder):
        at = certificates.of_server(folder)
        return {"tls": {"certificate": f"{at}/server-cert.pem", "key": f"{at}/server-key.pem",
                        "ca": f"{at}/ca-cert.pem"}}

    def _configured(self, uri, table, folder, more=None):
        config = os.path.join(folder, "interposed.json")
        exports = [{"name": self.export, "table": table}]
        with open(config, "w", encoding="utf-8") as out:
            json.dump({"listen": [uri], "exports": exports} | (more or {}), out)
        return config


class Nbdkit(Server):
    """nbdkit's file plugin with its default of 16 threads."""

    def __init__(self, name, advise):
        super().__init__(name, "nbdkit")
        self.advise = advise

    def command(self, cell, path, address, folder):
        kind, place = address
        where = ["-U", place] if kind == "unix" else ["-i", "127.0.0.1", "-p", str(place)]
        tls = ([f"--tls-certificates={certificates.of_server(folder)}", "--tls=require",
                "--tls-verify-peer"] if cell.transport == "tls" else [])
        return [self.program, "-f", *tls, *where, "file", path, *self._advice(cell)]

    def _advice(self, cell):
        if not self.advise:
            return []
        random = cell.shape.workload.startswith("rand")
        return ["fadvise=random" if random else "fadvise=sequential"]


class NbdServer(Server):
    """nbd-server. With -d it serves one client and ends, so it must run as a daemon."""

    export = "bench"
    targets = ("file", "table")

    def __init__(self, name, splice):
        super().__init__(name, "nbd-server")
        self.splice = splice

    def command(self, cell, path, address, folder):
        kind, place = address
        where = (f"unixsock = {place}" if kind == "unix"
                 else f"listenaddr = 127.0.0.1\nport = {place}")
        if cell.transport == "tls":
            at = certificates.of_server(folder)
            where += (f"\ncertfile = {at}/server-cert.pem\nkeyfile = {at}/server-key.pem"
                      f"\ncacertfile = {at}/ca-cert.pem\nforce_tls = true")
        config = os.path.join(folder, "nbd-server.conf")
        with open(config, "w", encoding="utf-8") as out:
            out.write(f"[generic]\n{where}\nmax_threads = 4\n"
                      f"[{self.export}]\nexportname = {path}\nflush = true\nfua = true\n"
                      f"splice = {'true' if self.splice else 'false'}\n")
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._pid_file(folder))
        return [self.program, "-C", config, "-p", self._pid_file(folder)]

    @staticmethod
    def _pid_file(folder):
        return os.path.join(folder, "nbd-server.pid")

    def _failed(self, process):
        return process.poll() not in (None, 0)

    def _server_pid(self, _process, folder):
        with contextlib.suppress(FileNotFoundError, ValueError):
            with open(self._pid_file(folder), encoding="ascii") as pid:
                return int(pid.read())
        return None

    def version(self):
        return super().version().removeprefix("This is ")


class QemuNbd(Server):
    """qemu-nbd with one cache mode and one way of doing asynchronous I/O."""

    def __init__(self, name, cache, aio):
        super().__init__(name, "qemu-nbd")
        self.cache = cache
        self.aio = aio
        self.targets = ("loop",) if cache == "none" else ("file",)

    def command(self, cell, path, address, folder):
        kind, place = address
        where = ["-k", place] if kind == "unix" else ["-b", "127.0.0.1", "-p", str(place)]
        tls = (["--object", "tls-creds-x509,id=tls,endpoint=server,verify-peer=on,"
                f"dir={certificates.of_server(folder)}", "--tls-creds", "tls"]
               if cell.transport == "tls" else [])
        return [self.program, *tls, "-t", "-e", str(CONNECTIONS_MAX), *where, "-f", "raw",
                f"--cache={self.cache}", f"--aio={self.aio}", path]


def all_servers(interposed):
    """Ours first, then the others."""
    return [
        Interposed("interposed", interposed),
        Nbdkit("nbdkit", advise=False),
        Nbdkit("nbdkit-fadvise", advise=True),
        NbdServer("nbd-server", splice=False),
        NbdServer("nbd-server-splice", splice=True),
        QemuNbd("qemu-nbd-threads", "writeback", "threads"),
        QemuNbd("qemu-nbd-uring", "writeback", "io_uring"),
        QemuNbd("qemu-nbd-none-native", "none", "native"),
        QemuNbd("qemu-nbd-none-uring", "none", "io_uring"),
    ]
