"""
A build with sanitizers: what they find fails the story in which it happened, and nothing leaks.

    fw1 ---+
    fw2 ---+- switch
"""

import os
import signal
import socket

import pytest
from lab import Carpd, Group, Lab, wait_for
from words import start_pair


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


def _leave_waiting(carpd, requests):
    """A client that goes away without its answers."""
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(carpd.socket)
        client.sendall(requests)


def test_nothing_leaks(lab):
    """Without the sandbox, in which leaks cannot be looked for: both processes at their end."""
    hosts = lab.hosts("fw1", "fw2")
    groups = [Group(), Group(2, ("10.0.0.102", "fd00::102"))]
    pair = start_pair(lab, groups, sandbox=False, user="root")
    for carpd in pair:
        carpd.ctl("show", groups[1].name)
        carpd.ctl("log")
        carpd.ctl("maintenance", "on")
        carpd.ctl("maintenance", "off")
        _leave_waiting(carpd, b'{"do":"reload"}\n{"do":"handover"}\n{"do":"sta')
        _leave_waiting(carpd, b"no request\n")
    pair[0].ctl("handover")
    for carpd in pair:
        carpd.write_config(groups[:1])
        carpd.reload()
        carpd.write_config([Group(passphrase="another"), groups[1]])
        carpd.reload()
        with open(carpd.config_path, "a", encoding="ascii") as file:
            file.write("nonsense\n")
        with pytest.raises(RuntimeError, match="nonsense"):
            carpd.reload()
    hosts[0].run("ip", "link", "set", "eth0", "down")
    hosts[0].run("ip", "link", "set", "eth0", "up")
    wait_for(lambda: {one["state"] for carpd in pair for one in carpd.ctl("status")["groups"]} == {"master", "backup"},
             15, "all take part again")  # fmt: skip
    assert [carpd.stop() for carpd in pair] == [[0], [0]]
