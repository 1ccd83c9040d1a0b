"""The servers that the suite is played against, each with the exports that it can have."""

from __future__ import annotations

import contextlib
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time
from dataclasses import dataclass, field

from client import Address, Client, Unmet
from wire import Malformed

MIB = 1 << 20
MAIN, LARGE, SMALL, ODD = 96 * MIB, 8 << 30, MIB, 1000003
START_LIMIT_S = 20
STOP_LIMIT_S = 10
DESCRIPTION = "an export for the conformance suite"


class StartError(Exception):
    """A server does not start."""


@dataclass
class Daemon:
    """One process of a server, and where it listens."""

    command: list[str]
    place: str | tuple[str, int]
    log: pathlib.Path
    pid_file: pathlib.Path | None = None  # of one that goes into the background
    pid: int = 0
    child: subprocess.Popen | None = None

    def start(self) -> None:
        """Starts it, and waits until it greets."""
        if isinstance(self.place, str):
            pathlib.Path(self.place).unlink(missing_ok=True)
        if self.pid_file:
            self.pid_file.unlink(missing_ok=True)
        with self.log.open("ab") as log:
            self.child = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=log,
                                          stderr=log, start_new_session=True)
        deadline = time.monotonic() + START_LIMIT_S
        while not self._is_up():
            if time.monotonic() > deadline or self._has_failed():
                raise StartError(f"{self.command[0]} does not start:\n{self.log.read_text()}")
            time.sleep(0.05)

    def _has_failed(self) -> bool:
        wanted = (None, 0) if self.pid_file else (None,)
        return self.child.poll() not in wanted

    def _is_up(self) -> bool:
        if self.pid_file is None:
            self.pid = self.child.pid
        elif self.pid_file.exists():
            self.pid = int(self.pid_file.read_text() or 0)
        return self.pid != 0 and self._greets()

    def _greets(self) -> bool:
        with contextlib.suppress(OSError, Unmet, Malformed):
            client = Client(Address(self.place), START_LIMIT_S)
            try:
                client.greeting()
                return True
            finally:
                client.close()
        return False

    def ended(self) -> bool:
        """Whether it runs no more."""
        if self.pid_file is None:
            return self.child.poll() is not None
        return not pathlib.Path(f"/proc/{self.pid}").exists()

    def stop(self) -> None:
        """Ends it, kindly first."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            deadline = time.monotonic() + STOP_LIMIT_S
            with contextlib.suppress(ProcessLookupError):
                if self.pid and not self.ended():
                    os.kill(self.pid, number)
            while self.pid and not self.ended() and time.monotonic() < deadline:
                time.sleep(0.05)
        if self.child:
            self.child.wait()


@dataclass
class Setup:
    """A server with its exports: the processes, and what to tell the suite."""

    daemons: list[Daemon]
    options: list[str] = field(default_factory=list)


def image(folder: pathlib.Path, name: str, size: int) -> str:
    """A sparse file."""
    path = folder / name
    path.touch()
    os.truncate(path, size)
    return str(path)


def images(folder: pathlib.Path) -> dict[str, tuple[str, int]]:
    """A file for each export."""
    sizes = {"main": MAIN, "read-only": SMALL, "odd": ODD, "large": LARGE}
    return {name: (image(folder, f"{name}.img", size), size) for name, size in sizes.items()}


def interposed(program: str, folder: pathlib.Path) -> Setup:
    """All exports on one server; the main one is a table of two files."""
    image(folder, "main-1.img", 40 * MIB)
    image(folder, "main-2.img", MAIN)
    image(folder, "default.img", SMALL)
    images(folder)
    config = folder / "interposed.json"
    shutil.copyfile(pathlib.Path(__file__).with_name("interposed.json"), config)
    place = str(folder / "nbd.sock")
    options = ["--server", place, "--export", "main", "--size", str(MAIN),
               "--default-size", str(SMALL), *(
                   f"--{kind}-export={kind}:{size}"
                   for kind, size in (("read-only", SMALL), ("odd", ODD), ("large", LARGE)))]
    return Setup([Daemon([program, str(config)], place, folder / "log")], options)


def one_process_each(folder: pathlib.Path, commands: dict[str, list[str]],
                     export_name: dict[str, str]) -> Setup:
    """A process for each export, each on a socket of its own."""
    daemons, options = [], []
    for name, (_, size) in images(folder).items():
        place = str(folder / f"{name}.sock")
        daemons.append(Daemon(commands[name], place, folder / "log"))
        uri = f"nbd+unix:///{export_name[name]}?socket={place}"
        if name == "main":
            options += ["--server", place, "--export", export_name[name], "--size", str(size)]
        else:
            options.append(f"--{name}-export={uri}:{size}")
    return Setup(daemons, options)


def nbdkit(program: str, folder: pathlib.Path) -> Setup:
    """The file plugin, which serves one file under any name."""
    commands = {name: [program, "--foreground", "--unix", str(folder / f"{name}.sock"),
                       *(["--readonly"] if name == "read-only" else []), "file", path]
                for name, (path, _) in images(folder).items()}
    setup = one_process_each(folder, commands, {name: "" for name in commands})
    setup.options += ["--default-size", str(MAIN)]
    return setup


def qemu_nbd(program: str, folder: pathlib.Path) -> Setup:
    """Any number of clients, TRIM, and qemu:allocation-depth."""
    commands = {name: [program, "--persistent", "--shared=0", "--format=raw", "--discard=unmap",
                       "--allocation-depth", f"--description={DESCRIPTION}",
                       f"--socket={folder / f'{name}.sock'}", f"--export-name={name}",
                       *(["--read-only"] if name == "read-only" else []), path]
                for name, (path, _) in images(folder).items()}
    setup = one_process_each(folder, commands, {name: name for name in commands})
    setup.options.append("--no-default-export")
    return setup


def nbd_server(program: str, folder: pathlib.Path) -> Setup:
    """All exports on one server, with everything switched on that it has."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    sections = [f"[generic]\nlistenaddr = 127.0.0.1\nport = {port}\nallowlist = true\n"]
    options = ["--server", f"127.0.0.1:{port}", "--no-default-export"]
    for name, (path, size) in images(folder).items():
        read_only = "true" if name == "read-only" else "false"
        sections.append(f"[{name}]\nexportname = {path}\nreadonly = {read_only}\nflush = true\n"
                        f"fua = true\ntrim = true\n")
        options += (["--export", name, "--size", str(size)] if name == "main"
                    else [f"--{name}-export={name}:{size}"])
    config, pid_file = folder / "nbd-server.conf", folder / "nbd-server.pid"
    config.write_text("".join(sections), encoding="ascii")
    command = [program, "-C", str(config), "-p", str(pid_file)]
    return Setup([Daemon(command, ("127.0.0.1", port), folder / "log", pid_file)], options)


SERVERS = {"interposed": interposed, "nbdkit": nbdkit, "qemu-nbd": qemu_nbd,
           "nbd-server": nbd_server}


def program_of(name: str) -> str | None:
    """The program of a server; ours is the one in INTERPOSED, or what was built last."""
    if name != "interposed":
        return shutil.which(name)
    top = pathlib.Path(__file__).resolve().parents[2]
    found = os.environ.get("INTERPOSED", str(top / "build" / "interposed"))
    return os.path.abspath(found) if os.access(found, os.X_OK) else None


def version_of(program: str) -> str:
    """What a program says of its version."""
    shown = subprocess.run([program, "-V" if "nbd-server" in program else "--version"],
                           capture_output=True, text=True, timeout=10, check=False)
    lines = (shown.stdout + shown.stderr).splitlines()
    line = next((line for line in lines if any(map(str.isdigit, line))), "unknown version")
    line = line.removeprefix("This is ")
    return line.removeprefix(f"{os.path.dirname(program)}/")
