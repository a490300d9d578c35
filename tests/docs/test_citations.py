"""What comments and pages cite is in the tree: the file, and the section that they name."""
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("core", "linux", "carpd", "carpctl", "carpsim", "examples", "tests", "bench", "demo", "dist", "man")
SUFFIXES = {"", ".build", ".c", ".conf", ".h", ".json", ".patch", ".py", ".sh", ".1", ".5", ".7", ".8"}

FILE = re.compile(r"(?<![\w/*{}.-])[\w./-]*\w\.md\b")
SECTION = re.compile(r"(doc/[\w/-]+\.md)[:,]? (?:sections? |part )?(\d+(?:\.\d+)?)\b(?:(?: to|,| and) (\d+(?:\.\d+)?)\b)?")


def _one_line(text):
    """A comment's words, wherever its lines break."""
    return re.sub(r"\s*\n[ \t]*(?:\*|#|//)?[ \t]*", " ", text)


def _sections(document):
    return set(re.findall(r"^#+ (\d+(?:\.\d+)?)\.? ", (ROOT / document).read_text(), re.M))


def _wrong(text):
    text = _one_line(text)
    wrong = re.findall(r"\bdesign section\b", text)
    wrong += [name for name in FILE.findall(text) if not (ROOT / name).is_file()]
    for document, *numbers in SECTION.findall(text):
        if (ROOT / document).is_file():
            wrong += [f"{document} {number}" for number in numbers if number and number not in _sections(document)]
    return wrong


def _sources():
    found = [ROOT / "meson.build", ROOT / "Makefile"]
    for room in ROOMS:
        base = ROOT / room
        found += base.rglob("*") if base.is_dir() else [base]
    return sorted(path for path in found if path.is_file() and path.suffix in SUFFIXES and path != Path(__file__)
                  and "__pycache__" not in path.parts)  # fmt: skip


@pytest.mark.parametrize("text, wrong", [
    ("/* As gate.md G1 says. */", ["gate.md"]),
    ("(protocol.md 4.1)", ["protocol.md"]),
    ("/* A paper (design\n * section 5). */", ["design section"]),
    ("/* As it is in doc/carp.md\n * 4.99. */", ["doc/carp.md 4.99"]),
    ("doc/linux.md 1 to 77", ["doc/linux.md 77"]),
    ("# doc/nowhere.md section 1", ["doc/nowhere.md"]),
    ("doc/carp.md 4.1, doc/linux.md 1 to 6, doc/protocol.md\n * section 3. README.md", []),
    ('glob("doc/**/*.md")', []),
])  # fmt: skip
def test_the_test(text, wrong):
    assert _wrong(text) == wrong


def test_sources():
    sources = _sources()
    assert len(sources) > 300
    assert not [f"{path.relative_to(ROOT)}: {wrong}" for path in sources for wrong in _wrong(path.read_text(errors="replace"))]


@pytest.mark.parametrize("document", ["carp.md", "linux.md"])
def test_sections_of_a_document(document):
    """It cites its own by "section N"."""
    cited = re.findall(r"section (\d+(?:\.\d+)?)", (ROOT / "doc" / document).read_text())
    assert set(cited) <= _sections(f"doc/{document}")
