"""One sample: a client on a server, or a local limit without any."""

import json
import os
import time

from . import certificates
from .processes import MeasureError, run

# What a client needs besides the time it measures: to start, connect, warm up and end.
SPARE_SECONDS = 60
COPY_SECONDS_MAX = 300


def _shape_arguments(shape):
    return ["--workload", shape.workload, "--block-size", str(shape.block),
            "--depth", str(shape.depth), "--connections", str(shape.connections)]


def _region(settings, shape):
    """How much of the target a client uses."""
    return min(settings.size, settings.write_region) if shape.writes else settings.size


def _nbdload(settings, shape, more):
    command = [settings.nbdload, *_shape_arguments(shape), "--json",
               "--region", str(_region(settings, shape)),
               "--seconds", str(settings.seconds), "--warmup", str(settings.warmup), *more]
    return json.loads(run(command, settings.seconds + settings.warmup + SPARE_SECONDS))


def by_nbdload(settings, shape, serving, folder):
    tls = ["--tls", certificates.of_client(folder)] if serving.tls else []
    return _nbdload(settings, shape, ["--server-pid", str(serving.pid), *tls,
                                      "--export", serving.export, serving.nbdload_address])


def _fio(settings, shape, size, folder, engine):
    report = os.path.join(folder, "fio.json")
    command = ["fio", "--name=bench", "--output-format=json", f"--output={report}",
               f"--rw={shape.workload}", f"--bs={shape.block}", f"--iodepth={shape.depth}",
               f"--numjobs={shape.connections}", f"--size={size}", "--group_reporting", "--thread",
               "--time_based", f"--runtime={settings.seconds * 1000:.0f}ms",
               f"--ramp_time={settings.warmup * 1000:.0f}ms", "--norandommap", *engine]
    run(command, settings.seconds + settings.warmup + SPARE_SECONDS)
    with open(report, encoding="utf-8") as found:
        text = found.read()
    job = json.loads(text[text.index("{"):])["jobs"][0]  # notes may stand before the object
    side = job["write" if shape.writes else "read"]
    if job["error"] != 0 or side["total_ios"] == 0:
        raise MeasureError(f"fio: error {job['error']}, {side['total_ios']} requests")
    return {"iops": side["iops"], "mib_per_s": side["bw_bytes"] / (1 << 20),
            "latency_us": _fio_latency(side)}


def _fio_latency(side):
    percentiles = side["clat_ns"].get("percentile", {})
    names = {"p50": "50.000000", "p99": "99.000000", "p99_9": "99.900000"}
    return {name: percentiles[key] / 1e3 for name, key in names.items() if key in percentiles}


def by_fio(settings, shape, serving, folder):
    return _fio(settings, shape, _region(settings, shape), folder,
                ["--ioengine=nbd", f"--uri={serving.uri}"])


def _copy(settings, command):
    begin = time.monotonic()
    run(command, COPY_SECONDS_MAX)
    seconds = time.monotonic() - begin
    return {"mib_per_s": settings.size / (1 << 20) / seconds, "seconds": seconds}


def by_nbdcopy(settings, shape, serving, _folder):
    return _copy(settings, ["nbdcopy", f"--connections={shape.connections}", serving.uri, "null:"])


def by_qemu_img(settings, shape, serving, _folder):
    sink = f"driver=null-co,size={settings.size},read-zeroes=on"
    return _copy(settings, ["qemu-img", "convert", "-n", "-W", "-m", str(shape.depth), "-f", "raw",
                            "--target-image-opts", serving.uri, sink])


CLIENTS = {"nbdload": by_nbdload, "fio": by_fio, "nbdcopy": by_nbdcopy, "qemu-img": by_qemu_img}
PROGRAMS = {"fio": "fio", "nbdcopy": "nbdcopy", "qemu-img": "qemu-img"}


def socket_copy(settings, cell, _path, _folder):
    return _nbdload(settings, cell.shape, ["--socket-copy", cell.transport])


def fio_psync(settings, cell, path, folder):
    return _local_fio(settings, cell, path, folder, ["--ioengine=psync"])


def fio_io_uring(settings, cell, path, folder):
    return _local_fio(settings, cell, path, folder, ["--ioengine=io_uring"])


def _local_fio(settings, cell, path, folder, engine):
    loop = cell.target == "loop"
    direct = 1 if loop else 0
    size = settings.loop_size if loop else _region(settings, cell.shape)
    return _fio(settings, cell.shape, size, folder,
                [*engine, f"--filename={path}", f"--direct={direct}", "--overwrite=1",
                 "--invalidate=0", "--fallocate=none", "--allow_file_create=0"])


def local_limits(cell):
    """What the same requests cost without a server in between: name -> how to measure it."""
    if cell.client != "nbdload" or cell.target == "table" or cell.group in ("kernel", "tls"):
        return {}
    limits = {"socket copy": socket_copy}
    if cell.transport == "unix":
        limits["fio psync, no server"] = fio_psync
        limits["fio io_uring, no server"] = fio_io_uring
    return limits
