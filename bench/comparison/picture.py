"""The same figures as one SVG: a panel for each cell, a bar for each server."""

from xml.sax.saxutils import escape

from . import figures

PANEL_WIDTH = 560
LABEL_WIDTH = 170
BAR_WIDTH = 280
ROW = 18
TITLE = 34
GAP = 24
COLUMNS = 2

OURS = "#d1495b"
OTHER = "#5b7c99"
LOCAL = "#c9c9c9"
INK = "#222222"
FAINT = "#777777"


def _text(x, y, words, size=11, anchor="start", colour=INK, weight="normal"):
    return (f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" '
            f'fill="{colour}" font-weight="{weight}">{escape(words)}</text>')


def _rectangle(x, y, width, height, colour):
    return (f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(width, 0.5):.1f}" '
            f'height="{height}" fill="{colour}"/>')


def _whisker(left, right, y):
    ends = "".join(f"M{x:.1f} {y - 3:.1f}v6" for x in (left, right))
    return f'<path d="M{left:.1f} {y:.1f}H{right:.1f}{ends}" stroke="{INK}" fill="none"/>'


def _arrow(x, y, colour):
    """The end of a bar that does not fit."""
    return f'<path d="M{x:.1f} {y - 6:.1f}l8 6l-8 6z" fill="{colour}"/>'


def _row(one, y, scale, ours):
    if one.speed is None:
        return [_text(LABEL_WIDTH - 8, y + 12, one.name, anchor="end"),
                _text(LABEL_WIDTH, y + 12, "failed", colour=FAINT)]
    colour = OURS if one.name == ours else LOCAL if one.local else OTHER
    weight = "bold" if one.name == ours else "normal"
    right = LABEL_WIDTH + min(one.speed.upper * scale, BAR_WIDTH)
    drawn = [_text(LABEL_WIDTH - 8, y + 12, one.name, anchor="end", weight=weight),
             _rectangle(LABEL_WIDTH, y + 3, right - LABEL_WIDTH, ROW - 6, colour)]
    if one.speed.upper * scale > BAR_WIDTH:
        drawn.append(_arrow(right, y + ROW / 2, colour))
    else:
        drawn.append(_whisker(LABEL_WIDTH + one.speed.lower * scale, right, y + ROW / 2))
    return drawn + [_text(right + 12, y + 12, f"{one.speed.upper:,.0f}", weight=weight)]


def _title(cell, table, ours):
    found = figures.verdict(cell, table, ours)
    if found.ratio is None:
        return ""
    goal = {True: ", goal met", False: ", goal missed", None: ""}[found.met]
    return f"{found.ratio:.2f}× {found.best.name}{goal}"


def _panel(cell, table, ours):
    scale = BAR_WIDTH / figures.scale_top(table)
    drawn = [_text(0, 14, f"{cell.name}, {cell.unit}", size=13, weight="bold"),
             _text(0, 28, _title(cell, table, ours), colour=FAINT)]
    for index, one in enumerate(table):
        drawn += _row(one, TITLE + index * ROW, scale, ours)
    return drawn


def _height(table):
    return TITLE + len(table) * ROW + GAP


def svg(results, cells, ours):
    """The whole picture. Panels go into the shorter column, so that both end about alike."""
    tops = [GAP + 40.0] * COLUMNS
    panels = []
    for cell in cells:
        table = figures.standings(cell, results["samples"])
        if not table:
            continue
        column = tops.index(min(tops))
        x = GAP + column * (PANEL_WIDTH + GAP)
        panels.append(f'<g transform="translate({x},{tops[column]:.0f})">'
                      + "".join(_panel(cell, table, ours)) + "</g>")
        tops[column] += _height(table)
    width = GAP + COLUMNS * (PANEL_WIDTH + GAP)
    height = max(tops) + GAP
    head = [_text(GAP, 30, "NBD servers side by side", size=18, weight="bold"),
            _text(GAP, 48, "bars: upper quartile; whiskers: lower to upper quartile; "
                           "grey: local limits, no NBD server", colour=FAINT)]
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height:.0f}" '
            f'width="{width}" height="{height:.0f}" font-family="sans-serif">'
            f'<rect width="100%" height="100%" fill="white"/>'
            + "".join(head + panels) + "</svg>\n")
