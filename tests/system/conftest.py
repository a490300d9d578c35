"""A lab for each test; when one fails, its report shows what every daemon said."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from lab import sanitized  # noqa: E402
from lab.stories import lab_fixture, pytest_runtest_makereport  # noqa: E402, F401

# Stories about a build with sanitizers, which the other one is not.
collect_ignore = [] if sanitized() else ["test_sanitizer.py"]


<<<<<<< HEAD
@pytest.fixture(name="lab")
def _lab():
    with Lab() as lab:
        yield lab


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    outcome = yield
    report = outcome.get_result()
    lab = getattr(item, "funcargs", {}).get("lab")
    if report.failed and lab is not None and os.path.isdir(lab.directory):
        for name, text in lab.logs():
            if text.strip() and "probe" not in name:
                report.sections.append((name, "\n".join(text.splitlines()[-40:])))
=======
def pytest_configure(config):
    config.addinivalue_line("markers", "alone: measures time, so nothing else may run beside it")
>>>>>>> b521cc5 (tests: stories of VLANs, bonds and other interfaces that only Debian's kernels have)
