"""What a scenario is, and the server it is played against."""

from __future__ import annotations

import pathlib
import random
import ssl
import struct
from dataclasses import dataclass, field
from typing import Callable, Iterable

import wire
from client import Address, Client, Unmet

MIB = 1 << 20
FLAG_CAPABILITIES = {
    wire.FLAG_SEND_FLUSH: "flush",
    wire.FLAG_SEND_FUA: "fua",
    wire.FLAG_SEND_TRIM: "trim",
    wire.FLAG_SEND_WRITE_ZEROES: "write-zeroes",
    wire.FLAG_SEND_DF: "df",
    wire.FLAG_CAN_MULTI_CONN: "multi-conn",
    wire.FLAG_SEND_CACHE: "cache",
    wire.FLAG_SEND_FAST_ZERO: "fast-zero",
    wire.FLAG_BLOCK_STATUS_PAYLOAD: "block-status-payload",
}
CONTEXT_CAPABILITIES = {
    "base:allocation": "base-allocation",
    "qemu:allocation-depth": "allocation-depth",
}
EXPORT_KINDS = ("read-only", "odd", "large", "tls-only")
UNKNOWN_NAME = "no such export, surely"
CAPABILITIES = sorted([
    *FLAG_CAPABILITIES.values(), *CONTEXT_CAPABILITIES.values(),
    *(f"{kind}-export" for kind in EXPORT_KINDS),
    "structured-replies", "extended-headers", "list", "description", "block-size",
    "minimum-block", "offset-hole", "default-export", "no-default-export", "second-export",
    "unknown-names", "provisioned-status", "tls", "no-tls", "tls-required",
])


class NotOffered(Exception):
    """The server has no such thing, and need not have it: the scenario does not apply."""

    def __init__(self, capability: str, why: str) -> None:
        assert capability in CAPABILITIES, capability
        super().__init__(f"{capability}: {why}")
        self.capability = capability


def load_levels() -> dict[str, str]:
    """The level of each rule, in the order of the list."""
    listing = pathlib.Path(__file__).with_name("items.txt").read_text(encoding="ascii")
    lines = (line for line in listing.splitlines() if not line.startswith("#"))
    return dict(line.split() for line in lines)


LEVELS = load_levels()
SCENARIOS: list[Scenario] = []


@dataclass(frozen=True)
class Scenario:
    """One thing to try, for one rule."""

    rule: str
    title: str
    level: str  # M or S: how bad it is if a server fails
    play: Callable[[Server], None]

    @property
    def name(self) -> str:
        """What --only matches, and what is unique."""
        return f"{self.rule} {self.play.__name__}"


def scenario(rule: str, title: str, level: str = "") -> Callable:
    """Registers the function below it. A level of its own is for a part of a rule that weighs
    less, or more, than the rule: what is experimental or optional is a must once it is offered."""
    default = "M" if LEVELS[rule] in "MX" else "S"

    def register(play: Callable[[Server], None]) -> Callable[[Server], None]:
        SCENARIOS.append(Scenario(rule, title, level or default, play))
        return play

    return register


def pattern(length: int, seed: int = 1) -> bytes:
    """Bytes that no server has by chance, the same each time."""
    return random.Random(seed).randbytes(length)


@dataclass(frozen=True)
class Export:
    """An export that the suite was told of."""

    name: str
    size: int
    address: Address


@dataclass
class Server:
    """The server under test, for the length of one scenario."""

    main: Export
    timeout: float
    others: dict[str, Export] = field(default_factory=dict)
    default_size: int | None = None
    has_no_default: bool = False
    tls: ssl.SSLContext | None = None  # then clients come in over it, and the server offers it
    required: Address | None = None  # where the same server requires TLS
    clients: list[Client] = field(default_factory=list)

    def connect(self, export: Export | None = None) -> Client:
        """A connection on which nothing was said yet."""
        client = Client((export or self.main).address, self.timeout)
        self.clients.append(client)
        return client

    def haggle(self, flags: int = wire.FIXED_NEWSTYLE | wire.NO_ZEROES,
               export: Export | None = None) -> Client:
        """A connection that is ready for options."""
        return self.connect(export).greet(flags, self.tls)

    def haggle_in_the_clear(self, flags: int = wire.FIXED_NEWSTYLE | wire.NO_ZEROES) -> Client:
        """The same without TLS, where it is offered."""
        return self.connect().greet(flags)

    def haggle_where_required(self) -> Client:
        """A connection that is ready for STARTTLS, and nothing else."""
        if self.required is None:
            raise NotOffered("tls-required", "no address was given where TLS is required")
        client = Client(self.required, self.timeout)
        self.clients.append(client)
        return client.greet()

    def context(self) -> ssl.SSLContext:
        """TLS as the server was said to have it."""
        if self.tls is None:
            raise NotOffered("tls", "no certificate of a CA was given")
        return self.tls

    def without_tls(self) -> None:
        """What follows applies to a server without TLS."""
        if self.tls is not None:
            raise NotOffered("no-tls", "it has TLS")

    def export(self, kind: str) -> Export:
        """One of the exports besides the main one."""
        if kind not in self.others:
            raise NotOffered(f"{kind}-export", "no such export was named")
        return self.others[kind]

    def second(self) -> Export:
        """Any other export of the same server."""
        for export in self.others.values():
            if export.address.place == self.main.address.place:
                return export
        raise NotOffered("second-export", "no other export of the same server was named")

    def unknown(self) -> str:
        """A name that no export has. What depends on it does not apply where every name is known;
        IG-09 is the one to complain of that."""
        final = self.haggle().ask_option(wire.OPT_INFO, wire.info_data(UNKNOWN_NAME))[-1]
        if not final.refused:
            raise NotOffered("unknown-names", "every name is that of an export")
        return UNKNOWN_NAME

    def enter(self, export: Export | None = None, *, structured: bool = False,
              extended: bool = False, contexts: Iterable[str] = (), needs: int = 0,
              infos: Iterable[int] = (wire.INFO_BLOCK_SIZE,)) -> Client:
        """A connection in transmission, with what was asked for negotiated."""
        export = export or self.main
        client = self.haggle(export=export)
        if structured:
            negotiate(client, wire.OPT_STRUCTURED_REPLY, "structured-replies")
            client.structured = True
        if extended:
            negotiate(client, wire.OPT_EXTENDED_HEADERS, "extended-headers")
            client.extended = True
        if contexts:
            select(client, export.name, contexts)
        go(client, export.name, infos)
        for flag, capability in FLAG_CAPABILITIES.items():
            if needs & flag and not client.flags & flag:
                raise NotOffered(capability, f"the export's flags are {client.flags:#x}")
        return client

    def close(self) -> None:
        """Closes every connection of the scenario."""
        for client in self.clients:
            client.close()


def negotiate(client: Client, option: int, capability: str) -> None:
    """Sends an option that has no data and that a server may not know."""
    final = client.ask_option(option)[-1]
    if final.kind in (wire.REP_ERR_UNSUP, wire.REP_ERR_POLICY):
        raise NotOffered(capability, f"answered {wire.reply_name(final.kind)}")
    if final.kind != wire.REP_ACK:
        raise Unmet(f"ACK to option {option}", str(final))


def context_of(reply: wire.OptionReply) -> tuple[int, str]:
    """Id and name in a META_CONTEXT reply."""
    return struct.unpack(">I", reply.data[:4])[0], reply.data[4:].decode()


def select(client: Client, name: str, contexts: Iterable[str]) -> None:
    """Selects contexts for an export; they stand in the client afterwards."""
    *told, final = client.ask_option(wire.OPT_SET_META_CONTEXT, wire.meta_data(name, contexts))
    if final.kind == wire.REP_ERR_UNSUP:
        raise NotOffered("base-allocation", "SET_META_CONTEXT is answered UNSUP")
    if final.kind != wire.REP_ACK:
        raise Unmet("ACK to SET_META_CONTEXT", str(final))
    client.contexts = {context: number for number, context in map(context_of, told)}
    for context in contexts:
        if context not in client.contexts:
            raise NotOffered(CONTEXT_CAPABILITIES[context], f"{context} cannot be selected")


def go(client: Client, name: str, infos: Iterable[int] = ()) -> list[wire.OptionReply]:
    """Chooses an export; its size and flags stand in the client afterwards."""
    client.option(wire.OPT_GO, wire.info_data(name, infos))
    told = client.expect_option_reply(wire.OPT_GO, wire.REP_ACK)
    learn(client, told)
    return told


def learn(client: Client, told: list[wire.OptionReply]) -> None:
    """Takes size, flags and block sizes from INFO replies."""
    seen = infos_of(told)
    if wire.INFO_EXPORT not in seen:
        raise Unmet("INFO_EXPORT before ACK", f"the info types {sorted(seen)}")
    client.size, client.flags = struct.unpack(">QH", seen[wire.INFO_EXPORT])
    if wire.INFO_BLOCK_SIZE in seen:
        client.block_size = wire.BlockSize(*struct.unpack(">III", seen[wire.INFO_BLOCK_SIZE]))


def infos_of(told: list[wire.OptionReply]) -> dict[int, bytes]:
    """The payload of each info type."""
    lengths = {wire.INFO_EXPORT: 12, wire.INFO_BLOCK_SIZE: 14}
    found = {}
    for reply in told:
        kind = struct.unpack(">H", reply.data[:2])[0] if len(reply.data) >= 2 else -1
        if reply.kind != wire.REP_INFO or lengths.get(kind, len(reply.data)) != len(reply.data):
            raise Unmet("INFO replies of the right length",
                        f"{reply} of {len(reply.data)} bytes about {kind}")
        found[kind] = reply.data[2:]
    return found


def listing(client: Client) -> dict[str, str]:
    """Names and descriptions that LIST tells."""
    *told, final = client.ask_option(wire.OPT_LIST)
    if final.kind == wire.REP_ERR_POLICY:
        raise NotOffered("list", "LIST is answered POLICY")
    if final.kind != wire.REP_ACK:
        raise Unmet("ACK to LIST", str(final))
    return dict(map(entry_of, told))


def entry_of(reply: wire.OptionReply) -> tuple[str, str]:
    """Name and description in a SERVER reply."""
    length = struct.unpack(">I", reply.data[:4])[0] if len(reply.data) >= 4 else -1
    if reply.kind != wire.REP_SERVER or not 0 <= length <= len(reply.data) - 4:
        raise Unmet("SERVER with a name inside it", f"{reply}: {reply.data.hex()}")
    return reply.data[4:4 + length].decode(), reply.data[4 + length:].decode()
