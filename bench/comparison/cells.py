"""What is measured: the cells of the matrix and the goal of each."""

from dataclasses import dataclass

KIB = 1 << 10
MIB = 1 << 20


@dataclass(frozen=True)
class Shape:
    """What a client does, the same on every target."""

    workload: str
    block: int
    depth: int
    connections: int

    @property
    def name(self):
        size = f"{self.block // MIB}m" if self.block >= MIB else f"{self.block // KIB}k"
        return f"{self.workload}-{size}-qd{self.depth}-x{self.connections}"

    @property
    def writes(self):
        return self.workload not in ("randread", "read")


@dataclass(frozen=True)
class Cell:
    """One comparison: every server does the same, and the best of the others is the measure.

    target: "file" (in the page cache), "table" (ours serves it as three segments, the others as
    the plain file), "loop" (a loop device over a tmpfs file, O_DIRECT).
    against: names of the servers the goal speaks of; empty means all that take part.
    """

    group: str
    shape: Shape
    client: str = "nbdload"
    transport: str = "unix"
    target: str = "file"
    goal: float | None = None
    cpu_goal: float | None = None
    against: tuple = ()

    @property
    def name(self):
        return f"{self.group}-{self.shape.name}"

    @property
    def over_tcp(self):
        """TLS is spoken over TCP."""
        return self.transport != "unix"

    @property
    def metric(self):
        """The field of a sample that is compared: more is better."""
        return "iops" if self.shape.block < 64 * KIB else "mib_per_s"

    @property
    def unit(self):
        return "requests/s" if self.metric == "iops" else "MiB/s"


BASIC_SHAPES = {
    Shape("randread", 4 * KIB, 1, 1): 1.3,
    Shape("randread", 4 * KIB, 32, 1): 3.0,
    Shape("randread", 4 * KIB, 16, 4): 3.0,
    Shape("randwrite", 4 * KIB, 1, 1): 1.2,
    Shape("randwrite", 4 * KIB, 32, 1): 2.5,
    Shape("randwrite", 4 * KIB, 16, 4): 2.0,
    Shape("read", MIB, 8, 1): 1.5,
    Shape("read", MIB, 8, 4): 2.0,
    Shape("write", MIB, 8, 1): 1.2,
    Shape("write", MIB, 8, 4): 1.2,
}

TLS_SHAPES = {
    Shape("randread", 4 * KIB, 1, 1): 1.0,
    Shape("randread", 4 * KIB, 32, 1): 1.5,
    Shape("randread", 4 * KIB, 16, 4): 1.0,
    Shape("randwrite", 4 * KIB, 32, 1): 1.0,
    Shape("read", MIB, 8, 1): 1.0,
    Shape("read", MIB, 8, 4): 1.0,
    Shape("write", MIB, 8, 1): 1.0,
}

# What Linux's own client sends: up to 128 requests a connection, 128 KiB by its default limits
# and 32 MiB at the most.
KERNEL_SHAPES = [
    Shape("read", 128 * KIB, 128, 4),
    Shape("write", 128 * KIB, 128, 4),
    Shape("read", 32 * MIB, 4, 4),
]

GROUP_TITLES = {
    "unix": "Page cache, Unix socket",
    "table": "A table of three segments (the others serve the plain file)",
    "tcp": "Page cache, TCP over 127.0.0.1",
    "tls": "Page cache, TLS with certificates over TCP on 127.0.0.1",
    "loop": "Loop device over a tmpfs file, O_DIRECT",
    "kernel": "The shape of the kernel's client, TCP",
    "fio": "fio --ioengine=nbd",
    "nbdcopy": "nbdcopy to null:",
    "qemu-img": "qemu-img convert to nothing",
}


def _halved_cpu(shape):
    """The goal for CPU time applies to 4 KiB requests, 32 deep on one connection."""
    return 0.5 if (shape.block, shape.depth, shape.connections) == (4 * KIB, 32, 1) else None


def _table_cells():
    return [Cell("table", shape, target="table", goal=goal)
            for shape, goal in BASIC_SHAPES.items() if shape.workload == "randread"]


def _loop_cells():
    return [Cell("loop", Shape(workload, 4 * KIB, 32, 1), target="loop", goal=2.5,
                 against=("qemu-nbd-none-uring",))
            for workload in ("randread", "randwrite")]


def _real_client_cells():
    copy = Shape("read", 256 * KIB, 64, 4)
    return [
        Cell("fio", Shape("randread", 4 * KIB, 32, 1), client="fio"),
        Cell("fio", Shape("randwrite", 4 * KIB, 32, 1), client="fio"),
        Cell("nbdcopy", copy, client="nbdcopy", goal=1.5),
        Cell("qemu-img", Shape("read", 2 * MIB, 16, 1), client="qemu-img"),
    ]


def all_cells():
    """The whole matrix, in the order of the report."""
    cells = [Cell("unix", shape, goal=goal, cpu_goal=_halved_cpu(shape))
             for shape, goal in BASIC_SHAPES.items()]
    cells += _table_cells()
    cells += _loop_cells()
    cells += _real_client_cells()
    cells += [Cell("tcp", shape, transport="tcp", goal=1.0) for shape in BASIC_SHAPES]
    cells += [Cell("tls", shape, transport="tls", goal=goal) for shape, goal in TLS_SHAPES.items()]
    cells += [Cell("kernel", shape, transport="tcp") for shape in KERNEL_SHAPES]
    return cells
