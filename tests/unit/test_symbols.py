"""The core is pure: what it takes from outside is memory, text and hashes only."""

import os
import re
import subprocess

ALLOWED = re.compile(
    r"memcpy|memmove|memset|memcmp|strlen|strnlen|strcmp|strncmp|snprintf|explicit_bzero"
    r"|__(memcpy|memmove|memset|snprintf|explicit_bzero)_chk"
    r"|__assert_fail|__stack_chk_fail|_GLOBAL_OFFSET_TABLE_"
    r"|nettle_\w+"
    # What a sanitizer or a coverage build adds.
    r"|__(asan|ubsan|sanitizer|gcov|llvm)_\w+"
)


def symbols(kind):
    listing = subprocess.run(["nm", kind, os.environ["CORE_LIBRARY"]], check=True,
                             capture_output=True, text=True).stdout
    return {line.split()[-1] for line in listing.splitlines() if len(line.split()) > 1}


def test_core_needs_nothing_else():
    needed = symbols("--undefined-only") - symbols("--defined-only")
    assert "nettle_hmac_sha1_update" in needed  # nm has been understood
    assert not [name for name in sorted(needed) if not ALLOWED.fullmatch(name)]


def test_core_keeps_nothing():
    table = subprocess.run(["objdump", "-t", os.environ["CORE_LIBRARY"]], check=True,
                           capture_output=True, text=True).stdout
    kept = re.findall(r"^\S+ .{7} (?:\.data|\.bss|\*COM\*)\t(?!0+ )\S+ +(\S+)$", table, re.MULTILINE)
    assert not [name for name in kept if not name.startswith(("_", ".", "*"))]
