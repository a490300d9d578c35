"""For the conftest.py of stories: a lab for each; when one fails, its report shows what every daemon said."""

import os

import pytest

from .net import Lab


@pytest.fixture(name="lab")
def lab_fixture():
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
