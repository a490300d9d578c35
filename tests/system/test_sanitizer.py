"""
A build with sanitizers: what they find fails the story in which it happened.

    fw1 - switch
"""

import os
import signal

import pytest
from lab import Carpd, Lab, sanitized, wait_for

pytestmark = pytest.mark.skipif(not sanitized(), reason="a build without sanitizers")


def _engine(carpd):
    return next(pid for pid in carpd.pids() if pid != carpd.processes[0].pid)


@pytest.mark.parametrize("of", [_engine, lambda carpd: carpd.processes[0].pid], ids=["engine", "keeper"])
def test_a_report_leaves_the_sandbox_and_fails_the_story(of):
    with pytest.raises(AssertionError, match="(?s)carpd.*AddressSanitizer: SEGV.*SUMMARY"), Lab() as lab:
        carpd = Carpd(lab.host("fw1")).start()
        carpd.wait_state("master")
        engine = _engine(carpd)
        os.kill(of(carpd), signal.SIGSEGV)
        wait_for(lambda: any("SUMMARY" in one for one in lab.findings()), 10, "the report")
        if of is _engine:
            # The keeper has replaced it, and without the report nobody would know.
            wait_for(lambda: carpd.ctl("status", check=False) and _engine(carpd) != engine, 10, "another engine")
            carpd.wait_state("master")


def test_a_report_of_a_client_fails_the_story(lab):
    with pytest.raises(RuntimeError, match="made up"):
        lab.host("fw1").run("sh", "-c", "echo 'carpctl.c:1:1: runtime error: made up' >&2", check=False)
