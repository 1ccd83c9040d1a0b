#!/usr/bin/python3
"""Writes the examples of the manual pages to files: PAGE-N.json is a configuration; PAGE-N.sh is to
be run, and where the page shows what is answered, PAGE-N.out is that.

usage: manual_examples.py FOLDER

Says which are not run, and why the page says so: a line .\\" not run: WHY before .EX.
"""

import pathlib
import sys

from manual import pages

PROMPT = "$ "


def is_open(line: str) -> bool:
    """Whether a command goes on in the next line."""
    return line.rstrip().endswith(("|", "\\", "&&", "||"))


def session(text: str) -> tuple[str, str]:
    """What was typed, and what was answered."""
    typed, answered, goes_on = [], [], False
    for line in text.splitlines(keepends=True):
        if goes_on or line.startswith(PROMPT):
            typed.append(line if goes_on else line.removeprefix(PROMPT))
            goes_on = is_open(line)
        else:
            answered.append(line)
    return "".join(typed), "".join(answered)


def main() -> None:
    folder = pathlib.Path(sys.argv[1])
    for page in pages().values():
        for number, text in enumerate(page.examples, 1):
            name = f"{page.name}-{number}"
            if text in page.not_run:
                print(f"{name}: not run: {page.not_run[text]}")
            elif text.startswith("{"):
                (folder / f"{name}.json").write_text(text, encoding="utf-8")
            elif text.startswith(PROMPT):
                typed, answered = session(text)
                (folder / f"{name}.sh").write_text(typed, encoding="utf-8")
                (folder / f"{name}.out").write_text(answered, encoding="utf-8")
            else:
                (folder / f"{name}.sh").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
