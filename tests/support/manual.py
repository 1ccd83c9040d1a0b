"""Reads the manual pages of docs/man, as far as tests want to know what they promise."""

from __future__ import annotations

import pathlib
import re
from dataclasses import dataclass, field

TOP = pathlib.Path(__file__).resolve().parents[2]
FOLDER = TOP / "docs/man"
ESCAPES = {r"\-": "-", r"\(dq": '"', r"\(aq": "'", r"\~": " ", r"\ ": " ", r"\&": "", r"\e": "\\",
           r"\(en": "-", r"\(em": "-", r"\(bu": "*"}
FONTS = {"B": "B", "I": "I", "SB": "B", "R": "R"}
BREAKS = ("TP", "TQ", "SH", "SS", "PP", "IP", "RS", "RE")


@dataclass
class Text:
    """Words, and for each character the font that it stands in: B, I or R."""

    words: str = ""
    fonts: str = ""

    def add(self, words: str, font: str) -> None:
        self.words += words
        self.fonts += font * len(words)

    def of(self, font: str) -> list[str]:
        """The stretches in that font, one after the other."""
        runs = re.finditer(font + "+", self.fonts)
        return [self.words[run.start():run.end()] for run in runs]


@dataclass
class Entry:
    """A paragraph with a tag, or several; `text` is what is said under it."""

    section: str
    tag: Text
    text: str = ""


@dataclass
class Page:
    name: str
    sections: dict[str, str] = field(default_factory=dict)  # what each says, tags and all
    entries: list[Entry] = field(default_factory=list)
    examples: list[str] = field(default_factory=list)
    not_run: dict[str, str] = field(default_factory=dict)  # examples that cannot be, and why


def unescaped(line: str, font: str = "R") -> Text:
    """A line of text, with its escapes and changes of font."""
    text, before = Text(), font
    for part in re.split(r"(\\f.|\\\(..|\\.)", line):
        if part.startswith("\\f"):
            font, before = (before if part[2] == "P" else part[2]), font
        elif part:
            text.add(ESCAPES.get(part, part), font)
    return text


def words_of(arguments: str) -> list[str]:
    """A macro's arguments: quotes hold blanks together."""
    found = re.findall(r'"((?:[^"]|"")*)"|(\S+)', arguments)
    return [quoted.replace('""', '"') or plain for quoted, plain in found]


def rendered(line: str) -> Text:
    """A line of text, or of a macro that only changes fonts."""
    macro = re.match(r"\.([A-Z]+)(?:\s+(.*))?$", line)
    if not macro:
        return unescaped(line)
    name, words, text = macro[1], words_of(macro[2] or ""), Text()
    for number, word in enumerate(words):
        one = name in FONTS
        part = unescaped(word, FONTS[name] if one else name[number % 2])
        text.add(" " if one and number > 0 else "", "R")
        text.add(part.words, "")
        text.fonts += part.fonts
    return text


def is_words(line: str) -> bool:
    """Whether something of the line is printed."""
    return not line.startswith((".", "'")) or re.match(r"\.(SB|[BIR]{1,2})\b", line) is not None


class Reader:
    """Goes through a page line by line."""

    def __init__(self, name: str) -> None:
        self.page = Page(name)
        self.section = ""
        self.open: Entry | None = None  # what is said goes to this one
        self.wants_tag = False
        self.example: list[str] | None = None
        self.why_not = ""

    def read(self, lines: list[str]) -> Page:
        for line in lines:
            self.take(line)
        return self.page

    def take(self, line: str) -> None:
        if line == ".EE":
            self.end_example()
        elif self.example is not None:
            self.example.append(unescaped(line).words)
        elif line == ".EX":
            self.example = []
        elif said := re.match(r'\.\\" not run: (.+)', line):
            self.why_not = said[1]
        elif macro := re.match(r"\.(%s)\b\s*(.*)" % "|".join(BREAKS), line):
            self.turn(macro[1], macro[2])
        elif is_words(line):
            self.say(rendered(line))

    def turn(self, macro: str, rest: str) -> None:
        """What ends a paragraph."""
        if macro == "SH":
            self.section = " ".join(words_of(rest))
            self.page.sections.setdefault(self.section, "")
        if macro in ("SH", "SS", "PP", "RE"):
            self.open = None
        self.wants_tag = macro in ("TP", "TQ")
        if macro == "TP":
            self.open = Entry(self.section, Text())
            self.page.entries.append(self.open)

    def say(self, text: Text) -> None:
        if self.section:
            self.page.sections[self.section] += text.words + "\n"
        if self.open is None:
            return
        if self.wants_tag:
            if self.open.tag.words:
                self.open.tag.add(" ", "R")
            self.open.tag.words += text.words
            self.open.tag.fonts += text.fonts
            self.wants_tag = False
        else:
            self.open.text += text.words + "\n"

    def end_example(self) -> None:
        assert self.example is not None, f"{self.page.name}: .EE without .EX"
        text = "\n".join(self.example) + "\n"
        self.page.examples.append(text)
        if self.why_not:
            self.page.not_run[text] = self.why_not
        self.example, self.why_not = None, ""


def pages() -> dict[str, Page]:
    """Every page by its file's name, "interposed.8"."""
    files = [each for each in FOLDER.iterdir() if re.search(r"\.[1-9]$", each.name)]
    return {each.name: Reader(each.name).read(each.read_text(encoding="utf-8").splitlines())
            for each in sorted(files)}
