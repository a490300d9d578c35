"""
A kernel without IPv6: IPv4 does not notice, and whoever asks for a shared IPv6 address is told why there is none.
"""

import os

from lab import Carpd, Group, wait_for
from life import live
from words import ADDRESS, ADDRESS6, ping, start_pair

BOOTS = ("ipv6.disable=1",)


def test_ipv4(lab):
    assert not os.path.exists("/proc/net/if_inet6")
    client = lab.hosts("fw1", "fw2", "client")[2]
    live(*start_pair(lab, [Group(1, (ADDRESS,))]), client)


def test_both_families(lab):
    """The address that cannot be is named, with the reason; the other one is served."""
    fw1, client = lab.hosts("fw1", "client")
    first = Carpd(fw1, [Group(1, (ADDRESS, ADDRESS6))]).start()
    first.wait_state("master")
    wait_for(lambda: ping(client, ADDRESS), 5, first.log)
    said = " ".join(first.status()["problems"])
    assert ADDRESS6 in said and "IPv6" in said
    assert first.carpctl("status").returncode == 1
