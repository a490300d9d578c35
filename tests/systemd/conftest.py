"""
One guest for all stories: fw1 with systemd, and on this host fw2 and a client, as the README draws them.

    fw1 (guest) -+- switch, eth0: outside, eth1: inside - fw2 (namespace, carpd by hand)
                 +- client (inside and outside)

A story begins with both hosts settled, fw1 as the master, and leaves them so.
"""

import os
import sys

import pytest

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__)), os.path.dirname(os.path.dirname(os.path.abspath(__file__)))]

from lab import Lab  # noqa: E402
from machine import Machine  # noqa: E402
from pair import INTERFACES, install, number, start, wait_settled  # noqa: E402


@pytest.fixture(name="lab", scope="session")
def _lab():
    with Lab() as lab:
        yield lab


@pytest.fixture(name="fw1", scope="session")
def _fw1(lab):
    machine = Machine(lab, INTERFACES)
    try:
        machine.boot()
        yield machine
    finally:
        machine.close()


@pytest.fixture(name="installed", scope="session")
def _installed(fw1):
    install(fw1)
    return True


@pytest.fixture(name="client", scope="session")
def _client(lab):
    client = lab.host("client", lans=2, numbered=False)
    number(client)
    return client


@pytest.fixture(name="pair", scope="session")
def _pair(lab, fw1, installed):
    assert installed
    second = lab.host("fw2", lans=2, numbered=False)
    number(second)
    return start(fw1, second)


@pytest.fixture(name="fw2")
def _fw2(fw1, pair):
    fw1.run("systemctl start carpd")  # a story that failed may have left it stopped
    wait_settled(fw1, pair)
    return pair


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    report = (yield).get_result()
    machine = getattr(item, "funcargs", {}).get("fw1")
    if report.failed and machine is not None and machine.guest.running():
        report.sections.append(("fw1", machine.explain()))


def pytest_unconfigure(config):
    """The last line, as every check here ends."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter:
        count = {name: len(reporter.stats.get(name, [])) for name in ("passed", "failed", "error", "skipped")}
        print(f"{count['passed']} passed, {count['failed'] + count['error']} failed, {count['skipped']} skipped")
