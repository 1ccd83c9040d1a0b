"""Certificates for the cells over TLS, the same for every server."""

import os
import pathlib

from . import processes

MAKER = pathlib.Path(__file__).resolve().parents[2] / "tools" / "interposed-tls-init"
SECONDS_MAX = 60


def _folder(within):
    return os.path.join(within, "tls")


def make(within):
    """Makes them in a folder of its own within this one."""
    processes.run([str(MAKER), _folder(within), "--server", "localhost", "--server", "127.0.0.1",
                   "--client", "bench"], SECONDS_MAX)


def of_server(within):
    """The folder of ca-cert.pem, server-cert.pem and server-key.pem."""
    return os.path.join(_folder(within), "server")


def of_client(within):
    """The folder of ca-cert.pem, client-cert.pem and client-key.pem."""
    return os.path.join(_folder(within), "client-bench")
