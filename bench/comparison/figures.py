"""From samples to figures: quartiles, ratios, goals."""

import statistics
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Quartiles:
    lower: float
    median: float
    upper: float
    count: int

    @staticmethod
    def of(values):
        if len(values) < 2:
            return Quartiles(values[0], values[0], values[0], len(values))
        lower, median, upper = statistics.quantiles(values, n=4, method="inclusive")
        return Quartiles(lower, median, upper, len(values))


@dataclass
class Standing:
    """One server, or one local limit, in one cell."""

    name: str
    local: bool
    speed: Quartiles | None = None
    cpu_us: Quartiles | None = None
    latency_us: dict = field(default_factory=dict)  # p50, p99, p99_9: medians over the rounds
    errors: list = field(default_factory=list)


@dataclass
class Verdict:
    """How ours stands in one cell against the best of the others."""

    ratio: float | None = None
    best: Standing | None = None
    met: bool | None = None
    cpu_ratio: float | None = None
    cpu_best: Standing | None = None
    cpu_met: bool | None = None


def _standing(name, metric, samples):
    good = [sample for sample in samples if "error" not in sample]
    made = Standing(name, samples[0]["local"],
                    errors=sorted({sample["error"] for sample in samples if "error" in sample}))
    if good:
        made.speed = Quartiles.of([sample[metric] for sample in good])
        made.latency_us = _latency(good)
    cpu = [sample["server_cpu_us_per_request"] for sample in good
           if "server_cpu_us_per_request" in sample]
    if cpu:
        made.cpu_us = Quartiles.of(cpu)
    return made


def _latency(samples):
    told = [sample["latency_us"] for sample in samples if "latency_us" in sample]
    return {name: statistics.median(one[name] for one in told)
            for name in ("p50", "p99", "p99_9") if told and all(name in one for one in told)}


def standings(cell, samples):
    """Everyone who took part in a cell, in the order of their first sample."""
    by_name = {}
    for sample in samples:
        if sample["cell"] == cell.name:
            by_name.setdefault(sample["server"], []).append(sample)
    return [_standing(name, cell.metric, taken) for name, taken in by_name.items()]


def measures(cell, table, ours):
    """The others ours is compared with."""
    return [one for one in table if one.name != ours and not one.local
            and (not cell.against or one.name in cell.against)]


def scale_top(table):
    """The speed a full bar stands for. Local limits do not count: they can be so much faster
    that the servers could not be told apart."""
    servers = [one.speed.upper for one in table if one.speed and not one.local]
    return max(servers, default=0) or 1.0


def verdict(cell, table, ours):
    """Ours against the best of the others: upper quartiles of speed, because what disturbs a
    measurement only ever slows it, and for the same reason lower quartiles of CPU time."""
    made = Verdict()
    mine = next((one for one in table if one.name == ours), None)
    others = measures(cell, table, ours)
    rated = [one for one in others if one.speed]
    if mine is None or mine.speed is None or not rated:
        return made
    made.best = max(rated, key=lambda one: one.speed.upper)
    made.ratio = mine.speed.upper / made.best.speed.upper
    if cell.goal is not None:
        made.met = made.ratio > 1.0 if cell.goal == 1.0 else made.ratio >= cell.goal
    frugal = [one for one in others if one.cpu_us]
    if mine.cpu_us and frugal:
        made.cpu_best = min(frugal, key=lambda one: one.cpu_us.lower)
        made.cpu_ratio = mine.cpu_us.lower / made.cpu_best.cpu_us.lower
        if cell.cpu_goal is not None:
            made.cpu_met = made.cpu_ratio <= cell.cpu_goal
    return made
