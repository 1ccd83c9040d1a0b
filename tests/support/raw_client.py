"""Connections that speak raw bytes: those of the conformance suite, for tests that send what real
clients do not, such as extended headers. `enter` takes what suite.Server.enter does."""

import pathlib
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "conformance"))

import wire  # noqa: E402, F401
from client import Address, Client  # noqa: E402
from suite import Export, Server  # noqa: E402

PATIENCE_S = 60


def enter(uri: str, **wishes) -> Client:
    """A connection in transmission, with what was wished for negotiated."""
    address = Address.parse(uri)
    return Server(Export(address.export or "", 0, address), PATIENCE_S).enter(**wishes)
