"""
The house's floors: what a folder may include. What it needs from above it is given by its caller.
"""
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# In the order in which they stand on each other. The uppermost folder of carpd is carpd itself.
MAY_INCLUDE = {
    "core": set(),
    "linux": {"core"},
    "carpd/log": {"core"},
    "carpd/config": {"carpd/log", "core", "linux"},
    "carpd/keeper": {"carpd/config", "carpd/log", "core", "linux"},
    "carpd/net": {"carpd/config", "carpd/log", "core", "linux"},
    "carpd/engine": {"carpd/config", "carpd/keeper", "carpd/log", "carpd/net", "core", "linux"},
    "carpd/control": {"carpd/config", "carpd/engine", "carpd/keeper", "carpd/log", "carpd/net", "core", "linux"},
    "carpd/loop": {"carpd/config", "carpd/control", "carpd/engine", "carpd/keeper", "carpd/log", "carpd/net", "core", "linux"},
    "carpd": {"carpd/config", "carpd/engine", "carpd/keeper", "carpd/log", "carpd/net", "linux"},
    "carpctl": {"carpd/config"},
    "carpsim": {"core"},
}

# The engine is a process that the keeper starts: it talks to it, and knows nothing else of it.
WHOLE_FILES = {
    ("carpd/engine", "carpd/keeper"): {"channel.h", "state_pages.h"},
    ("carpctl", "carpd/config"): {"nearest.h"},
}


def _sources(folder):
    return sorted(path for path in (ROOT / folder).glob("*.[ch]"))


def _included(path):
    """(folder, name) of each file of ours."""
    for name in re.findall(r'^#include "([^"]+)"', path.read_text(), re.M):
        if "/" in name:
            yield str(Path(name).parent), Path(name).name
        elif (path.parent / name).exists():
            yield str(path.parent.relative_to(ROOT)), name


def test_every_folder_has_its_floor():
    found = {str(path.parent.relative_to(ROOT)) for room in ("core", "linux", "carpd", "carpctl", "carpsim")
             for path in (ROOT / room).rglob("*.[ch]")}  # fmt: skip
    assert found == set(MAY_INCLUDE)


@pytest.mark.parametrize("folder", MAY_INCLUDE)
def test_floor(folder):
    wrong = []
    for path in _sources(folder):
        for other, name in _included(path):
            allowed = other == folder or other in MAY_INCLUDE[folder]
            if allowed and name in WHOLE_FILES.get((folder, other), {name}):
                continue
            wrong.append(f"{path.relative_to(ROOT)} includes {other}/{name}")
    assert not wrong


def _circles(edges):
    """Files that reach themselves."""
    reach = {one: set(many) for one, many in edges.items()}
    for _ in edges:
        for many in reach.values():
            many.update(*(reach.get(other, set()) for other in tuple(many)))
    return sorted(one for one, many in reach.items() if one in many)


@pytest.mark.parametrize("folder", [folder for folder in MAY_INCLUDE if folder != "carpsim"])
def test_no_header_includes_itself(folder):
    edges = {path.name: {name for other, name in _included(path) if other == folder} for path in _sources(folder)}
    assert not _circles(edges)


def test_one_place_asks_the_kernel():
    """And another hears it: events are not read while a turn acts, nor is anything sent while they are read."""
    code = {path.name: path.read_text() for path in (ROOT / "carpd").rglob("*.c")}
    for call, place in (("rtnl_commit", "wanted.c"), ("rtnl_read", "observe.c"), ("rtnl_resync", "observe.c")):
        assert [name for name, text in code.items() if re.search(rf"\b{call}\(", text)] == [place], call
    for one, other in (("observe", "wanted"), ("observe", "perform"), ("wanted", "observe"), ("perform", "observe")):
        assert f'"{other}.h"' not in code[f"{one}.c"]
