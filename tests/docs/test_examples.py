"""What the documents show must be true: examples parse, names exist, links resolve."""
import hashlib
import hmac
import os
import re
import subprocess
from ipaddress import ip_address
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CARPD = os.environ.get("CARPD", str(ROOT / "build/carpd/carpd"))
CARPCTL = os.environ.get("CARPCTL", str(ROOT / "build/carpctl/carpctl"))
MANDOC = os.environ.get("MANDOC", "mandoc")
MARKDOWN = sorted(path for path in [*ROOT.glob("*.md"), *ROOT.glob("doc/**/*.md"), *ROOT.glob("bench/*.md"),
                                    *ROOT.glob("tests/**/*.md")])
PAGES = sorted(ROOT.glob("man/*.[1-9]"))
DOCUMENTS = [path for path in [*MARKDOWN, *PAGES] if "tests" not in path.relative_to(ROOT).parts]


def name(path):
    return str(path.relative_to(ROOT))


def output(*command):
    result = subprocess.run(command, text=True, capture_output=True, timeout=10, check=False)
    return result.stdout + result.stderr


def plain(page):
    """The text of a manual page or of a markdown file, as a reader sees it."""
    if page.suffix == ".md":
        return page.read_text()
    text = page.read_text()
    text = re.sub(r"\\\(dq", '"', text).replace(r"\&", "").replace(r"\e", "\\")
    return text


def configurations(path):
    """Complete configurations: fenced blocks and displays that hold a group with an interface."""
    if path.suffix == ".md":
        blocks = re.findall(r"^```conf\n(.*?)^```", path.read_text(), re.M | re.S)
    elif path.suffix == ".example":
        blocks = [path.read_text()]
    else:
        blocks = re.findall(r"^\.Bd -literal.*?\n(.*?)^\.Ed", plain(path), re.M | re.S)
    return [block for block in blocks if re.search(r"^\s*group \w+ \{", block, re.M)]


EXAMPLES = [pytest.param(block, id=f"{name(path)}-{number}")
            for path in [*DOCUMENTS, ROOT / "dist/carpd.conf.example"]
            for number, block in enumerate(configurations(path), 1)]


def test_there_are_examples():
    assert len(EXAMPLES) >= 4


@pytest.mark.parametrize("text", EXAMPLES)
def test_configuration_parses(text, tmp_path):
    """With the secrets that it names, in a directory of the test."""
    for path in set(re.findall(r"/etc/carpd/([\w.-]+\.(?:pass|key))", text)):
        secret = tmp_path / path
        secret.write_text("00112233" * 8 + "\n" if path.endswith(".key") else "a passphrase\n")
        secret.chmod(0o600)
    conf = tmp_path / "carpd.conf"
    conf.write_text(text.replace("/etc/carpd", str(tmp_path)))
    conf.chmod(0o600)
    result = subprocess.run([CARPD, "-n", "-f", str(conf)], text=True, capture_output=True, timeout=10, check=False)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def shown_commands(path):
    """Command lines: indented in markdown, in displays and .Dl of a page; comments and prompts removed."""
    text = plain(path)
    if path.suffix == ".md":
        lines = re.findall(r"^    (.*)$", text, re.M) + re.findall(r"`([^`\n]+)`", text)
    else:
        lines = re.findall(r"^\.Dl (.*)$", text, re.M)
        for block in re.findall(r"^\.Bd -literal.*?\n(.*?)^\.Ed", text, re.M | re.S):
            lines += block.splitlines()
        lines += re.findall(r"^\.Ql ([^\n]*)$", text, re.M)
    for line in lines:
        yield re.sub(r"^(\w*[#$]) ", "", re.sub(r"\s+#.*", "", line.strip()))


def uses(program):
    """Every use of a program in the documents, as the words behind its name."""
    found = []
    for path in DOCUMENTS:
        for line in shown_commands(path):
            for words in re.findall(rf"(?:^|[;&|] *|sudo |[A-Z_]+=\S+ ){program}((?: +[^\s;&|<>,]+)*)", line):
                found.append((name(path), words.split()))
    return found


WORDS = set(re.findall(r"^  ([a-z]+) ", output(CARPCTL, "--help").split("-j, --json")[0], re.M))
CARPCTL_OPTIONS = set(re.findall(r"(--?[a-zA-Z]+)", output(CARPCTL, "--help"))) | {"-h", "--help", "-V", "--version"}
CARPD_OPTIONS = set(re.findall(r"(?<![\w-])(--?[a-zA-Z-]+)", output(CARPD, "--help")))
RUN_OPTIONS = set(re.findall(r"(?<![\w-])(--?[a-zA-Z-]+)", output(CARPD, "run", "--help"))) | {"--help"}
COMBINED = {"-nv": ("-n", "-v")}


def test_helps_were_read():
    assert {"status", "show", "handover", "maintenance"} <= WORDS
    assert {"-n", "-v", "-f", "--clean"} <= CARPD_OPTIONS
    assert {"-i", "-V", "--preempt"} <= RUN_OPTIONS


def test_carpctl_words_exist():
    used = uses("carpctl")
    assert len(used) > 10
    for where, words in used:
        options = [word for word in words if word.startswith("-")]
        assert set(options) <= CARPCTL_OPTIONS, where
        rest = [word for word in words if not word.startswith("-") and not word.isdigit()]
        if rest and rest[0].islower() and rest[0].isalpha():
            assert rest[0] in WORDS, (where, words)


def test_carpd_options_exist():
    used = uses("carpd")
    assert len(used) > 5
    for where, words in used:
        known = RUN_OPTIONS if words[:1] == ["run"] else CARPD_OPTIONS
        for word in words:
            if word.startswith("-"):
                assert set(COMBINED.get(word, (word,))) <= known, (where, words)


def test_options_of_carpd_are_in_its_page():
    page = (ROOT / "man/carpd.8").read_text()
    documented = {"-" + word for word in re.findall(r"Fl (\w)\b", page)}
    documented |= {"--" + word for word in re.findall(r"Fl Fl ([a-z-]+)", page)}
    code = (ROOT / "carpd/main.c").read_text() + (ROOT / "carpd/run.c").read_text()
    long_options = {"--" + word for word in re.findall(r'^\s*\{"([a-z-]+)", \w+_argument', code, re.M)}
    assert long_options <= documented
    assert CARPD_OPTIONS | RUN_OPTIONS <= documented


def config_words():
    code = (ROOT / "carpd/config/config_option.c").read_text()
    return set(re.findall(r'^\s*\{"([a-z-]+)", FOR_', code, re.M))


def test_configuration_page_and_code_have_the_same_words():
    page = (ROOT / "man/carpd.conf.5").read_text()
    documented = set(re.findall(r"^\.It Ic ([a-z-]+) =", page, re.M))
    assert documented == config_words()


def test_words_of_other_pages_exist():
    known = config_words() | {"auto", "virtual", "interface", "off", "offer", "require"}
    for page in ("carpd.8", "carp.7"):
        for word in re.findall(r"\bIc ([a-z][a-z-]*)", (ROOT / "man" / page).read_text()):
            assert word in known, (page, word)


LINKS = [pytest.param(path, link, id=f"{name(path)}-{link}")
         for path in MARKDOWN
         for link in sorted(set(re.findall(r"\]\(([^)\s]+)\)", path.read_text())))
         if not re.match(r"[a-z]+:", link)]


def anchors(path):
    titles = re.findall(r"^#+ (.*)$", path.read_text(), re.M)
    return {re.sub(r"[^\w -]", "", title).strip().lower().replace(" ", "-") for title in titles}


@pytest.mark.parametrize("path,link", LINKS)
def test_link(path, link):
    target, _, anchor = link.partition("#")
    file = (path.parent / target).resolve() if target else path
    assert file.exists()
    if anchor:
        assert anchor in anchors(file)


CITED = sorted({(name(path), cited) for path in DOCUMENTS
                for cited in re.findall(r"`((?:core|linux|carpd|carpctl|carpsim|tests|bench|dist|doc|man|demo)/[\w./-]+)`",
                                        path.read_text())})


@pytest.mark.parametrize("where,cited", CITED)
def test_named_file_exists(where, cited):
    assert (ROOT / cited).exists(), where


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_page_is_clean(page):
    if not MANDOC:
        pytest.skip("mandoc is not installed")
    assert output(MANDOC, "-T", "lint", "-W", "warning", str(page)) == ""


def test_figures_of_the_readme_were_measured():
    readme = (ROOT / "README.md").read_text()
    table = readme.split("<!-- figures:")[1].split("<!-- end of figures -->")[0]
    rows = [row for row in re.findall(r"^\|(.*)\|$", table, re.M) if "---" not in row][1:]
    figures = (ROOT / "doc/figures.md").read_text()
    numbers = {number for row in rows for cell in row.split("|")[1:] for number in re.findall(r"\d+(?:\.\d+)?", cell)}
    assert numbers
    for number in numbers:
        assert re.search(rf"(?<![\d.]){re.escape(number)}(?!\.?\d)", figures), number


def example_of_the_seal():
    text = (ROOT / "doc/protocol.md").read_text().split("<!-- example")[1]
    rows = re.findall(r"^\| ([^|]+?) \| `([^`]+)` \|$", text, re.M)
    return dict(rows)


def mac_of(key, *parts):
    return hmac.new(key, b"".join(parts), hashlib.sha256).digest()


def ones_complement_sum(data):
    total = sum(data[at] << 8 | data[at + 1] for at in range(0, len(data), 2))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def test_seal_example():
    """By the rules of doc/protocol.md and nothing else."""
    example = example_of_the_seal()
    field = {word: bytes.fromhex(value) for word, value in example.items() if re.fullmatch("[0-9a-f]+", value)}
    key = mac_of(mac_of(b"carp seal", field["key file"]), field["key id"], b"\x01")
    assert key == field["key of the MAC"]
    header = field["CARP header"]
    start = b"CX\x01" + field["key id"] + field["sequence"] + field["flags"] + field["sender"]
    covered = (b"carp seal 1" + start + b"\x04" + ip_address(example["source"]).packed + header[1:2] +
               header[:6] + b"\0\0" + header[8:])
    assert covered == field["what the MAC covers"]
    mac = mac_of(key, covered)[:16]
    assert mac == field["MAC"]
    balance = (~ones_complement_sum(start + mac) & 0xFFFF).to_bytes(2, "big")
    assert balance == field["balance"]
    trailer = start + mac + balance + b"\0\0"
    assert trailer == field["trailer"]
    assert ones_complement_sum(trailer) == 0xFFFF
    marking = mac_of(mac_of(b"carp seal", field["passphrase"]), b"\0", b"\x01")
    random = bytes.fromhex("01020304")
    counter = random + mac_of(marking, b"carp counter 1", b"\x2a", random)[:4]
    [marked] = [value for word, value in field.items() if word.startswith("marked counter of vhid 42")]
    assert counter == marked


def test_seal_example_is_that_of_the_code():
    """The unit test holds the code to the same bytes."""
    unit = (ROOT / "tests/unit/test_seal.c").read_text()
    example = example_of_the_seal()
    assert example["trailer"] in unit
    assert example["CARP header"] in unit
