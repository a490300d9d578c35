"""Stories that need what Debian's kernels have: they run in a virtual machine (tests/kernel/run), with the same lab."""

import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TESTS), str(TESTS / "system")]

pytest.register_assert_rewrite("life", "words")

from lab.stories import lab_fixture, pytest_runtest_makereport  # noqa: E402, F401
