"""
Those who ask for what takes its time: each is answered for what it asked, and when that is over.

    fw1 -- switch -- fw2
"""

import contextlib
import subprocess

import pytest
from lab import Carpd, Group, wait_for

WAIT_MS = 12000

ALONE = Group(2, ("10.0.0.102",))


@contextlib.contextmanager
def _asking(daemon, *words):
    """carpctl, which runs until the daemon answers."""
    command = ["ip", "netns", "exec", daemon.host.netns, daemon.client, "-s", daemon.socket, *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as one:
        try:
            yield one
        finally:
            one.kill()


def _wait_handing_over(daemon, group):
    wait_for(lambda: daemon.status(group)["handing_over"], 5, f"{group} is handed over")


@pytest.fixture(name="lone")
def _lone(lab):
    """Nobody takes its groups over, so that whatever hands over lasts for all of handover-wait."""
    lone = Carpd(lab.host("fw1"), [Group(), ALONE], handover_wait=WAIT_MS).start()
    for group in lone.groups:
        lone.wait_state("master", group=group.name)
    return lone


def test_second_reload_is_answered_for_itself(lone):
    """While the first waits for a group to leave the file becomes another; and carpctl has the patience for both."""
    lone.write_config(lone.groups[:1])
    with _asking(lone, "reload") as first:
        _wait_handing_over(lone, ALONE.name)
        lone.write_config(advskew="none")
        with _asking(lone, "reload") as second:
            assert first.wait(2 * WAIT_MS / 1000) == 0, first.stderr.read()
            assert second.wait(10) == 1
            assert "advskew" in second.stderr.read()
    assert [group["name"] for group in lone.ctl("status")["groups"]] == ["group1"]


def test_reloads_meanwhile_are_one_reload(lone):
    lone.write_config(lone.groups[:1])
    with _asking(lone, "reload") as first:
        _wait_handing_over(lone, ALONE.name)
        lone.write_config([*lone.groups, Group(3, ("10.0.0.103",))])
        with _asking(lone, "reload") as second, _asking(lone, "reload") as third:
            assert [one.wait(2 * WAIT_MS / 1000) for one in (first, second, third)] == [0, 0, 0]
            assert [group["name"] for group in lone.ctl("status")["groups"]] == ["group1", "group3"]


def test_reload_is_answered_by_a_stop(lone):
    lone.write_config(lone.groups[:1])
    with _asking(lone, "reload") as reload:
        _wait_handing_over(lone, ALONE.name)
        lone.signal(15)
        assert reload.wait(5) == 1
        assert "carpd is stopping" in reload.stderr.read()


def test_handover_waits_for_its_own_group_only(lab):
    first = Carpd(lab.host("fw1"), [Group(), ALONE], handover_wait=WAIT_MS).start()
    second = Carpd(lab.host("fw2"), [Group()], advskew=100)
    first.wait_state("master", group=ALONE.name)
    first.wait_state("master")
    second.start()
    wait_for(lambda: second.status()["master"], 5, "it hears its master")
    with _asking(first, "handover", ALONE.name) as other:
        _wait_handing_over(first, ALONE.name)
        assert first.ctl("handover", "group1") == {
            "ok": True, "handed_over": ["group1"], "kept": [], "not_master": [],
        }  # fmt: skip
        assert other.poll() is None and first.status(ALONE.name)["handing_over"]
    second.wait_state("master")
