"""
Two hosts that are told to leave within the time in which a successor waits for its addresses.

    fw1 ---+
    fw2 ---+- switch - client (1000 probes/s, IPv4 and IPv6)
"""

import json
import os
import signal
import socket
import time

import pytest
from lab import Group, Prober, Sniffer, boottime_ns, wait_for
from words import ADDRESS, ADDRESS6, start_pair, wait_settled

# A frame that the load of other tests holds up on its way to the old master is a lost probe.
pytestmark = pytest.mark.alone

OFFSETS_MS = [*range(9), *range(9), *range(10, 61, 5)]


class Request:
    """At the socket, since carpctl takes longer to start than two requests may be apart."""

    def __init__(self, daemon):
        self.socket = socket.socket(socket.AF_UNIX)
        directory = os.open(daemon.directory, os.O_RDONLY)
        self.socket.connect(f"/proc/self/fd/{directory}/control")
        os.close(directory)

    def hand_over(self):
        self.socket.sendall(b'{"do":"handover"}\n')

    def answer(self):
        with self.socket, self.socket.makefile() as lines:
            return json.loads(lines.readline())


def _check_owners(adverts, master):
    """
    By what is said on one family: whoever begins does not begin with a goodbye, and whoever hands over says no more
    than what crosses its successor's first word.
    """
    owner, left, said_behind = master, None, 0
    for one in adverts:
        if one.source == owner:
            continue
        if one.source == left and one.gone:
            said_behind += 1
            assert said_behind <= 1, adverts
            continue
        assert not one.gone, adverts
        owner, left, said_behind = one.source, owner, 0


def _master_and_backup(pair):
    found = {}

    def settled():
        found.clear()
        found.update({one.status()["state"]: one for one in pair})
        return set(found) == {"master", "backup"} and found["backup"].status()["master"]

    wait_for(settled, 15, "one of them is master, and the other has heard it")
    return found["master"], found["backup"]


@pytest.fixture(name="pair")
def _pair(lab):
    lab.hosts("fw1", "fw2", "client")
    return start_pair(lab, [Group(addresses=(ADDRESS, ADDRESS6))])


@pytest.fixture(name="prober")
def _prober(lab, pair):
    prober = Prober(lab.all_hosts[2], [ADDRESS, ADDRESS6])
    prober.wait_answered()
    return prober


def test_two_hand_overs(lab, pair, prober):
    sniffer = Sniffer(lab)
    for offset_ms in OFFSETS_MS:
        master, backup = _master_and_backup(pair)
        first, second = Request(master), Request(backup)
        since_ns = boottime_ns()
        first.hand_over()
        time.sleep(offset_ms / 1000)
        second.hand_over()
        assert first.answer()["ok"] and second.answer()["ok"]
        _master_and_backup(pair)
        _check_owners([one for one in sniffer.adverts(since_ns=since_ns) if ":" not in one.source], master.host.ipv4)
    sniffer.stop()
    prober.wait_answered()
    prober.stop()
    assert [prober.outages(target=target) for target in (0, 1)] == [[], []]


@pytest.mark.parametrize("offset_ms", [0, 1, 2, 4, 8, 30])
def test_hand_over_and_stop(lab, pair, prober, offset_ms):
    """The one that goes on is the other's successor, whether or not it had begun to be relieved by it."""
    first, second = pair
    sniffer = Sniffer(lab)
    request = Request(first)
    since_ns = boottime_ns()
    request.hand_over()
    time.sleep(offset_ms / 1000)
    second.signal(signal.SIGTERM)
    assert second.stop() == [0]
    assert request.answer()["ok"]
    first.wait_state("master")
    lab.wait_for_owner(ADDRESS, lab.all_hosts[0])
    _check_owners([one for one in sniffer.adverts(since_ns=since_ns) if ":" not in one.source], first.host.ipv4)
    prober.wait_answered()
    prober.stop()
    assert [prober.outages(target=target) for target in (0, 1)] == [[], []]
    second.start()
    wait_settled(first, second)
