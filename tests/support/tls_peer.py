#!/usr/bin/python3
"""A client of OpenSSL, by Python's ssl: comes in over TLS, asks for the export "vol", and
reads zeroes of its second half.

usage: tls_peer.py PORT 1.2|1.3 [FOLDER-OF-A-CLIENT]
"""

import ssl
import struct
import sys

import raw_client  # noqa: F401, where the others are
import wire
from client import Address, Client

VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}

port, version, *folder = sys.argv[1:]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
context.check_hostname = False
context.minimum_version = context.maximum_version = VERSIONS[version]
if folder:
    context.load_verify_locations(f"{folder[0]}/ca-cert.pem")
    context.load_cert_chain(f"{folder[0]}/client-cert.pem", f"{folder[0]}/client-key.pem")
else:
    context.verify_mode = ssl.CERT_NONE
client = Client(Address(("127.0.0.1", int(port))), 60).greet(tls=context)
assert client.tls_version() == f"TLSv{version}", client.tls_version()
name = b"vol"
client.option(wire.OPT_GO, struct.pack(">I", len(name)) + name + bytes(2))
client.expect_option_reply(wire.OPT_GO, wire.REP_ACK)
assert client.ask(wire.CMD_READ, 1 << 19, 4096).data == bytes(4096)
