"""doc/control-protocol.md against the code that answers: words, members and events, in both directions."""
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = (ROOT / "doc/control-protocol.md").read_text()
CODE = "\n".join(path.read_text() for path in [*(ROOT / "carpd/control").glob("*.c"), ROOT / "carpd/engine/history.c"])


def code_words():
    """{word: whether it acts}"""
    table = re.findall(r'\{"(\w+)", (true|false), do_\w+, \{', CODE)
    return {word: acts == "true" for word, acts in table}


def named(text):
    return set(re.findall(r"`(\w+)`", text))


def test_words():
    words = code_words()
    assert len(words) > 5
    sentence = re.search(r"Who may ask:(.*?)\n\n", DOCUMENT, re.S)[1]
    look, act = re.findall(r"\((`.*?)\)", sentence, re.S)
    assert named(look) == {word for word, acts in words.items() if not acts}
    assert named(act) == {word for word, acts in words.items() if acts}
    assert set(re.findall(r'^\| `\{"do":"(\w+)"', DOCUMENT, re.M)) == set(words)


def code_members():
    """String literals that stand where json_pack and json_object_set_new take a name."""
    packed = [name for call in re.findall(r"json_pack\((.*?)\);", CODE, re.S)
              for name in re.findall(r'(?<![?:] )"([a-z_]+)",', call)]
    return set(packed) | set(re.findall(r'json_object_set_new\(\w+, "([a-z_]+)"', CODE))


def test_members():
    members = code_members()
    assert {"healthy", "groups", "detail", "sources", "adverts_sent", "from"} <= members
    assert {name for name in members if not re.search(f'["`]{name}["`]', DOCUMENT)} == set()
    literals = set(re.findall(r'"([a-z_]+)"', CODE + (ROOT / "core/drop.c").read_text()))
    assert {name for name in re.findall(r'"(\w+)":', DOCUMENT) if name not in literals} == set()


def test_events():
    everywhere = "\n".join(path.read_text() for path in (ROOT / "carpd").rglob("*.c"))
    noted = re.findall(r'history_note\(.*?(?:NULL|name), "(\w+)",', everywhere, re.S)
    events = set(noted) | set(re.findall(r'return "(\w+)";', (ROOT / "carpd/engine/history.c").read_text()))
    assert len(events) > 5
    sample = re.search(r'"event":"([\w|]+)"', DOCUMENT)[1]
    assert set(sample.split("|")) == events
