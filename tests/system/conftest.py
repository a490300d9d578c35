"""A lab for each test; when one fails, its report shows what every daemon said."""

import glob
import os
import re
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from lab import Lab  # noqa: E402

_SANITIZER = re.compile(r"runtime error:|ERROR: \w+Sanitizer")


def pytest_configure(config):
    config.addinivalue_line("markers", "alone: measures time, so nothing else may run beside it")


def _logs(lab):
    for path in sorted(glob.glob(os.path.join(lab.directory, "*.log"))):
        with open(path, encoding="utf-8", errors="replace") as file:
            yield os.path.basename(path), file.read()


@pytest.fixture(name="lab")
def _lab():
    with Lab() as lab:
        yield lab
        complaints = [name for name, text in _logs(lab) if _SANITIZER.search(text)]
        assert not complaints, f"a sanitizer complains in {complaints}"


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    outcome = yield
    report = outcome.get_result()
    lab = getattr(item, "funcargs", {}).get("lab")
    if report.failed and lab is not None and os.path.isdir(lab.directory):
        for name, text in _logs(lab):
            if text.strip() and "probe" not in name:
                report.sections.append((name, "\n".join(text.splitlines()[-40:])))
