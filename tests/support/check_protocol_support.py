#!/usr/bin/python3
"""Checks that docs/protocol-support.md has one row for each rule of tests/conformance/items.txt,
and that every test which a row names is there.

A row is: | rule | in words | supported | section of the specification | tests |. A test is a
conformance scenario ("conformance OP-02"), a system test ("tests/system/x.sh"), one in a virtual
machine ("tests/vm/x.sh") or a case of a unit
test ("tests/unit/x_test.cpp: "its name""); several are separated by semicolons. "-" will do where
there is nothing to prove: supported is "no" or "n/a", with a reason.
"""

from __future__ import annotations

import pathlib
import re
import subprocess
import sys

TOP = pathlib.Path(__file__).resolve().parents[2]
DOCUMENT = TOP / "docs/protocol-support.md"
COLUMNS = 5


def rules() -> list[str]:
    """Every rule, in order."""
    listing = (TOP / "tests/conformance/items.txt").read_text(encoding="ascii")
    return [line.split()[0] for line in listing.splitlines() if not line.startswith("#")]


def scenarios() -> set[str]:
    """The rules that have a scenario."""
    shown = subprocess.run([TOP / "tests/conformance/run", "--list"], capture_output=True,
                           text=True, check=True)
    return {line.split()[1] for line in shown.stdout.splitlines()}


def rows() -> list[list[str]]:
    """The cells of each row that begins with a rule."""
    lines = DOCUMENT.read_text(encoding="utf-8").splitlines()
    return [[cell.strip() for cell in line.strip().strip("|").split(" | ")]
            for line in lines if re.match(r"\| [A-Z]{2,3}-\d\d \|", line)]


def test_fault(test: str, played: set[str]) -> str:
    """What is wrong with one named test; nothing if it is there."""
    if match := re.fullmatch(r"conformance ([A-Z]{2,3}-\d\d)", test):
        return "" if match[1] in played else "no scenario of that rule"
    if re.fullmatch(r"tests/(system|vm)/[\w-]+\.sh", test):
        return "" if (TOP / test).is_file() else "no such file"
    if match := re.fullmatch(r'(tests/unit/\w+\.cpp): "(.+)"', test):
        file = TOP / match[1]
        text = file.read_text(encoding="utf-8") if file.is_file() else ""
        case = r'TEST_CASE\(\s*"' + re.escape(match[2]) + '"'
        return "" if re.search(case, text) else "no such test case"
    return "neither a scenario nor a system test nor a case of a unit test"


def row_faults(cells: list[str], played: set[str]) -> list[str]:
    """What is wrong with one row."""
    if len(cells) != COLUMNS:
        return [f"want {COLUMNS} cells, found {len(cells)}"]
    _, words, supported, section, tests = cells
    faults = [] if words and section else ["an empty cell"]
    if not re.fullmatch(r"yes|(yes|no|n/a): .+", supported):
        faults.append(f'want yes, "no: why" or "n/a: why", found "{supported}"')
    if tests == "-":
        return faults + (["want a test of what is supported"] if supported[:3] == "yes" else [])
    named = tests.split("; ")
    return faults + [f"{test}: {fault}" for test in named if (fault := test_fault(test, played))]


def main() -> int:
    found, played = rows(), scenarios()
    faults = [f"{cells[0]}: {fault}" for cells in found for fault in row_faults(cells, played)]
    in_order = [cells[0] for cells in found]
    for rule in rules():
        if in_order.count(rule) != 1:
            faults.append(f"{rule}: want one row, found {in_order.count(rule)}")
    faults += [f"{rule}: no such rule" for rule in in_order if rule not in rules()]
    print("\n".join(faults), end="\n" if faults else "")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
