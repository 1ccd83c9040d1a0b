#!/usr/bin/python3
"""Checks configurations that people are shown: each is right by the schema and by the loader, on
devices of its names, which are made as sparse files below this folder.

usage: check_example.py INTERPOSED FILE...

A file that is no JSON is one of Markdown: then its blocks of JSON are checked.
"""

from __future__ import annotations

import json
import os
import pathlib
import re
import subprocess
import sys
from typing import Iterator

import jsonschema

TOP = pathlib.Path(__file__).resolve().parents[2]
SCHEMA = json.loads((TOP / "config/interposed.schema.json").read_text(encoding="utf-8"))
SIZE = 64 << 30


def value_of(text: str) -> dict:
    """Without its comments, of which the examples have lines of their own."""
    return json.loads(re.sub(r"^\s*//.*$", "", text, flags=re.M))


def devices_of(configuration: dict) -> set[str]:
    found = set()
    for export in configuration["exports"]:
        found |= {segment["device"] for segment in export.get("table", [])}
        lines = export.get("dm_table", [])
        for line in lines.splitlines() if isinstance(lines, str) else lines:
            found.add(line.split()[3])
    return found


def here(text: str, device: str) -> str:
    """The same configuration, with that device below this folder instead."""
    place = os.path.abspath(device.lstrip("/"))
    os.makedirs(os.path.dirname(place), exist_ok=True)
    with open(place, "ab") as image:
        image.truncate(SIZE)
    if not device.startswith("/"):
        return text
    return re.sub(rf'(?<=["\s]){re.escape(device)}(?=["\s])', place, text)


def check(server: str, name: str, text: str) -> None:
    configuration = value_of(text)
    jsonschema.validate(configuration, SCHEMA)
    for device in devices_of(configuration):
        text = here(text, device)
    with open("example.json", "w", encoding="utf-8") as file:
        file.write(text)
    said = subprocess.run([server, "--check", "example.json"], capture_output=True, text=True,
                          check=False)
    if said.returncode != 0:
        sys.exit(f"{name}: {said.stderr}")


def texts_of(path: pathlib.Path) -> Iterator[str]:
    text = path.read_text(encoding="utf-8")
    yield from [text] if path.suffix == ".json" else re.findall(r"^```jsonc?\n(.*?)^```", text,
                                                                 re.M | re.S)


def main() -> None:
    checked = 0
    for path in map(pathlib.Path, sys.argv[2:]):
        for text in texts_of(path):
            check(sys.argv[1], str(path), text)
            checked += 1
    print(f"{checked} examples")


if __name__ == "__main__":
    main()
