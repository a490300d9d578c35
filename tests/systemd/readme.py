"""What the README tells an administrator to type: its own words are what runs."""

import re
from pathlib import Path

TEXT = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")


def section(title):
    """From a heading to the next one."""
    return re.search(rf"(?ms)^## {re.escape(title)}\n(.*?)(?=^## )", TEXT)[1]


def step(title, number):
    """A numbered step of a section, "**2. The configuration**, ..."."""
    return re.search(rf"(?ms)^\*\*{number}\. (.*?)(?=^\*\*\d\. |\Z)", section(title))[1]


def commands(text):
    """The lines of all indented blocks."""
    return re.findall(r"(?m)^    (.*)$", text)


def configuration(text):
    return re.search(r"(?ms)^```conf\n(.*?)^```$", text)[1]


def answers(text):
    """{"fw1# carpctl status": what it prints}, of a block that shows both."""
    found = {}
    for line in commands(text):
        if re.match(r"\w+[#$] ", line):
            found[line] = ""
        elif found:
            found[list(found)[-1]] += line + "\n"
    return found


def without_times(answer):
    """An answer without what differs from one moment to the next, so without the width of its columns too."""
    lines = [re.sub(r"  +", "  ", re.sub(r"\b[\d.]+ (s|min|h)\b", "TIME", line)) for line in answer.splitlines()]
    return [line for line in lines if line]
