"""The report as Markdown, with bars that need no picture."""

from . import figures
from .cells import GROUP_TITLES

BAR_WIDTH = 32
EIGHTHS = " ▏▎▍▌▋▊▉█"

HOW_TO_READ = """\
Upper quartiles are compared, because what disturbs a measurement only ever slows it; CPU time
is compared by lower quartiles for the same reason. Ratios are ours to the best other server of
the cell. Latencies are medians over the rounds of each round's percentile. Bars end at the upper
quartile, and share one scale within a cell. Rows in *italics* are local limits: the same requests
without an NBD server in between, measured in the same rounds. CPU is the server's, in
microseconds a request; work the kernel does in threads of its own is in nobody's figure. A bar
that ends in ▶ does not fit.
"""


def _number(value):
    return "–" if value is None else f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def _bar(value, largest):
    if value > largest:
        return "█" * (BAR_WIDTH - 1) + "▶"
    full, rest = divmod(round(value / largest * BAR_WIDTH * 8), 8)
    return "█" * full + (EIGHTHS[rest] if rest else "")


def _met(met):
    return {True: "met", False: "**missed**", None: ""}[met]


def _goal(cell):
    if cell.goal is None:
        return ""
    return "ahead" if cell.goal == 1.0 else f"≥ {cell.goal:g}×"


def _rows(lines):
    return "\n".join("| " + " | ".join(row) + " |" for row in lines)


def _verdict_row(cell, table, ours):
    mine = next((one for one in table if one.name == ours and one.speed), None)
    others = [one for one in figures.measures(cell, table, ours) if one.speed]
    best = max(others, key=lambda one: one.speed.upper, default=None)
    found = figures.verdict(cell, table, ours)
    return [cell.name, _number(mine.speed.upper) if mine else "–",
            f"{_number(best.speed.upper)} ({best.name})" if best else "–", cell.unit,
            f"{found.ratio:.2f}×" if found.ratio else "–", _goal(cell), _met(found.met)]


def _cpu_rows(cells, tables, ours):
    for cell in cells:
        found = figures.verdict(cell, tables[cell.name], ours)
        if found.cpu_ratio is None:
            continue
        mine = next(one for one in tables[cell.name] if one.name == ours)
        goal = f"≤ {cell.cpu_goal:g}×" if cell.cpu_goal is not None else ""
        best = found.cpu_best
        yield [cell.name, f"{mine.cpu_us.lower:.2f}", f"{best.cpu_us.lower:.2f} ({best.name})",
               f"{found.cpu_ratio:.2f}×", goal, _met(found.cpu_met)]


def _summary(cells, tables, ours):
    rows = [["cell", "ours", "best other", "unit", "ratio", "goal", ""],
            ["---", "--:", "--:", "---", "--:", "--:", "---"]]
    rows += [_verdict_row(cell, tables[cell.name], ours) for cell in cells]
    text = "## Summary\n\n" + _rows(rows) + "\n"
    cpu = list(_cpu_rows(cells, tables, ours))
    if cpu:
        head = [["cell", "ours", "most frugal other", "ratio", "goal", ""],
                ["---", "--:", "--:", "--:", "--:", "---"]]
        text += "\n### Server CPU, microseconds a request (lower quartiles)\n\n"
        text += _rows(head + cpu) + "\n"
    return text


def _standing_row(one, largest, mine):
    name = f"*{one.name}*" if one.local else one.name
    if one.speed is None:
        return [name, "–", "–", "–", "", "", "", "", "", "failed"]
    share = f"{mine.speed.upper / one.speed.upper:.2f}×" if mine and mine.speed else ""
    latency = [_number(one.latency_us.get(key)) for key in ("p50", "p99", "p99_9")]
    cpu = f"{one.cpu_us.median:.2f}" if one.cpu_us else "–"
    return [name, _number(one.speed.lower), _number(one.speed.median), _number(one.speed.upper),
            share, cpu, *latency, f"`{_bar(one.speed.upper, largest):<{BAR_WIDTH}}`"]


def _cell_section(cell, table, ours):
    largest = figures.scale_top(table)
    mine = next((one for one in table if one.name == ours), None)
    rows = [["", f"lower q. ({cell.unit})", "median", "upper q.", "ours is", "CPU µs", "p50 µs",
             "p99 µs", "p99.9 µs", ""],
            ["---"] + ["--:"] * 8 + ["---"]]
    rows += [_standing_row(one, largest, mine) for one in table]
    text = f"#### {cell.name}\n\n{_rows(rows)}\n"
    errors = [f"- {one.name}: {error}" for one in table for error in one.errors]
    return text + ("\n" + "\n".join(errors) + "\n" if errors else "")


def _machine(facts):
    return "\n".join(f"- {name}: {value}" for name, value in facts.items())


def markdown(results, cells, ours):
    """The whole report. `results` is what raw.json holds."""
    tables = {cell.name: figures.standings(cell, results["samples"]) for cell in cells}
    cells = [cell for cell in cells if tables[cell.name]]
    text = "# NBD servers side by side\n\n" + _machine(results["facts"]) + "\n\n" + HOW_TO_READ
    text += "\n![bars of all cells](report.svg)\n\n" + _summary(cells, tables, ours)
    for group, title in GROUP_TITLES.items():
        members = [cell for cell in cells if cell.group == group]
        if members:
            text += f"\n## {title}\n\n"
            text += "\n".join(_cell_section(cell, tables[cell.name], ours) for cell in members)
    return text
