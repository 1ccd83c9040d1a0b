#!/usr/bin/python3
"""Checks that the manual pages tell of everything there is, and of nothing else: keys of the
configuration with their defaults and choices, options, verbs, methods with their params, the names
of the protocol, and each other.

usage: check_manual.py INTERPOSED INTERPOSECTL

Prints what is wrong, a fault a line.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import Iterator

from manual import TOP, Entry, Page, pages

OPTION = r"--[a-z][a-z-]*"
faults: list[str] = []


def expect(there: bool, fault: str) -> None:
    if not there and fault not in faults:
        faults.append(fault)


def source(path: str) -> str:
    return (TOP / path).read_text(encoding="utf-8")


def says(text: str, word: str) -> bool:
    return re.search(rf"(?<![\w.-]){re.escape(word)}(?![\w-])", text) is not None


def names_in(entry: Entry, font: str) -> set[str]:
    """The words of its tag that are in that font."""
    return {word for run in entry.tag.of(font) for word in re.findall(r"[\w.]+", run)}


# --- interposed.json(5) -------------------------------------------------------------------------

def keys_of(schema: dict, at: dict) -> Iterator[tuple[str, dict]]:
    """Every key there, with what the schema says of its value."""
    for key, value in at.get("properties", {}).items():
        if isinstance(value, bool): # forbidden beside others, and told of where it is allowed
            continue
        reference = value.get("$ref", "").removeprefix("#/$defs/")
        yield key, {**schema["$defs"].get(reference, {}), **value}
    for each in at.values():
        for one in each if isinstance(each, list) else [each]:
            if isinstance(one, dict):
                yield from keys_of(schema, one)


def facts_of(value: dict) -> list[str]:
    """What a reader wants to know of a value: its default and its choices."""
    facts = [str(choice) for choice in value.get("enum", [])]
    default = value.get("default")
    return facts if default is None or isinstance(default, bool) else [*facts, str(default)]


def check_keys(page: Page) -> None:
    schema = json.loads(source("config/interposed.schema.json"))
    known = set()
    for key, value in keys_of(schema, schema):
        known.add(key)
        told = [entry for entry in page.entries if key in names_in(entry, "B")]
        expect(bool(told), f"{page.name}: no entry of the key {key}")
        for fact in facts_of(value) if told else []:
            expect(any(says(entry.text, fact) for entry in told), f"{page.name}: {key}: not {fact}")
    for entry in page.entries:
        for name in entry.tag.of("B"):
            expect(not re.fullmatch("[a-z][a-z_]*", name) or name in known,
                   f"{page.name}: {name} is no key of the configuration")


# --- interposed(8), interposectl(8) -------------------------------------------------------------

def help_of(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def options_of(text: str) -> set[str]:
    """Those that a help lists."""
    lines = re.findall(rf"^  ({OPTION}(?:, {OPTION})*)", text, re.M)
    return {option for line in lines for option in line.split(", ")}


def check_options(page: Page, section: str, there: set[str]) -> None:
    told = {option for entry in page.entries if entry.section == section
            for run in entry.tag.of("B") for option in re.findall(OPTION, run)}
    for option in there ^ told:
        expect(False, f"{page.name}: {option}: " + ("no entry" if option in there else "not there"))


def check_verbs(page: Page, ctl: str) -> None:
    overall = help_of(ctl, "help")
    verbs = set(re.findall(r"^  ([a-z]+) ", overall, re.M)) - {"help"}
    expect(len(verbs) > 20, f"want every verb in the help, found {verbs}")
    check_options(page, "OPTIONS", options_of(overall) | {"--help", "--version"})
    told = {}
    for entry in page.entries:
        if entry.section == "VERBS" and re.fullmatch("[a-z]+", (entry.tag.of("B") or [""])[0]):
            told[entry.tag.of("B")[0]] = entry
    for verb in verbs ^ told.keys():
        expect(False, f"{page.name}: {verb}: " + ("no entry" if verb in verbs else "no such verb"))
    common = options_of(overall)
    options = {verb: options_of(help_of(ctl, "help", verb)) - common for verb in verbs}
    of_any = set().union(*options.values())
    for verb in verbs & told.keys():
        found = set(re.findall(OPTION, told[verb].tag.words + told[verb].text)) - common
        for option in options[verb] - found:
            expect(False, f"{page.name}: {verb}: {option}: not told of")
        for option in found - of_any: # another verb's may be spoken of
            expect(False, f"{page.name}: {verb}: {option}: there is no such option")


def check_events(control: Page, ctl_page: Page, ctl: str) -> None:
    said = re.search(r"EVENT is (.*?)\n\n|EVENT is (.*)", help_of(ctl, "help", "wait"), re.S)
    events = set(re.findall(r"[a-z_]+", said[0].split("EVENT is")[1])) - {"or"} if said else set()
    expect("flush_error" in events, f"want events in the help of wait, found {events}")
    for page in control, ctl_page:
        entry = next(each for each in page.entries if each.tag.of("B")[:1] == ["wait"])
        for event in events:
            expect(says(entry.text, event), f"{page.name}: wait: no event {event}")


# --- interposed-control(7) ----------------------------------------------------------------------

def check_methods(page: Page) -> None:
    methods = set(re.findall(r'\{"([a-z_.]+)", &Methods::', source("control/methods.cpp")))
    expect(len(methods) > 20, f"want every method in control/methods.cpp, found {methods}")
    params = {name for file in (TOP / "control").glob("*.cpp")
              for name in re.findall(r'\bparams\.\w+\(\s*"(\w+)"', file.read_text("utf-8"))}
    told, told_params = set(), set()
    for entry in page.entries:
        name = (entry.tag.of("B") or [""])[0]
        if entry.section == "METHODS" and (name in methods or "." in name):
            told.add(name)
            told_params |= names_in(entry, "I")
    for what, there, found in (("method", methods, told), ("param", params, told_params)):
        for name in there ^ found:
            expect(False, f"{page.name}: the {what} {name}: "
                   + ("no entry" if name in there else "not there"))
    listing = re.search(r"enum class RefusalKind.*?\{(.*?)\};", source("control/refusal.hpp"), re.S)
    kinds = re.findall(r"^ +(\w+)(?: = 1)?,", listing[1] if listing else "", re.M)
    errors = {name for entry in page.entries if entry.section == "ERRORS"
              for name in names_in(entry, "B")}
    expect(len(kinds) >= 8 and set(kinds) <= errors, f"{page.name}: errors: want {kinds}")


# --- interposed-protocol(7) ---------------------------------------------------------------------

def check_protocol(page: Page) -> None:
    """Every name of the protocol that the server knows is in the page."""
    text = source("protocol/constants.hpp") + source("protocol/error.hpp")
    names = set(re.findall(r"^ +(\w+) = (?:0x)?[0-9a-f]+,$", text, re.M))
    for block in re.findall(r"namespace \w+_flag \{(.*?)\}", text, re.S):
        names |= set(re.findall(r"uint16_t (\w+) =", block))
    names = {name.removesuffix("_").removeprefix("err_") for name in names} - {"none"}
    names = names - {"disconnect"} | {"disc"}
    expect(len(names) > 50, f"want the names of the protocol, found {names}")
    whole = "\n".join(page.sections.values())
    for name in names:
        expect(says(whole, name.upper()), f"{page.name}: not a word of {name.upper()}")
    for context in re.findall(r'ContextName\{"[a-z:]+", "([^"]+)"', source("server/contexts.hpp")):
        expect(says(whole, context), f"{page.name}: not a word of {context}")


# --- all of them --------------------------------------------------------------------------------

def check_references(all_pages: dict[str, Page]) -> None:
    """What is said to be another page of ours is one, and is installed; each refers to others."""
    installed = source("docs/man/meson.build")
    for name, page in all_pages.items():
        expect(f"'{name}'" in installed, f"{name} is not installed")
        text = "\n".join(page.sections.values())
        for other, number in re.findall(r"\b(interpose[\w.-]*)\s*\((\d)\)", text):
            expect(f"{other}.{number}" in all_pages, f"{name}: there is no {other}({number})")
        expect("SEE ALSO" in page.sections, f"{name}: no SEE ALSO")


def main() -> int:
    server, ctl = sys.argv[1:]
    found = pages()
    check_keys(found["interposed.json.5"])
    check_options(found["interposed.8"], "OPTIONS", options_of(help_of(server, "--help")))
    check_verbs(found["interposectl.8"], ctl)
    check_events(found["interposed-control.7"], found["interposectl.8"], ctl)
    check_methods(found["interposed-control.7"])
    check_protocol(found["interposed-protocol.7"])
    check_references(found)
    print("\n".join(sorted(faults)), end="\n" if faults else "")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
