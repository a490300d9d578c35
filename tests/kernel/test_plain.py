"""
The pair as such, with nothing special below it.

    fw1 ---+
    fw2 ---+- switch - client
"""

import pytest
from lab import Carpd, Group
from life import live
from words import ADDRESS, ADDRESS6, start_pair, wait_settled


@pytest.mark.parametrize("numbered", [True, False], ids=["numbered", "unnumbered"])
def test_pair(lab, numbered):
    """With addresses of its own on the interface, and without."""
    for name in ("fw1", "fw2"):
        lab.host(name, numbered=numbered)
    client = lab.host("client")
    live(*start_pair(lab, [Group(1, (f"{ADDRESS}/16", f"{ADDRESS6}/64"))]), client, (ADDRESS, ADDRESS6))


def test_peers(lab):
    """Adverts to each other's address instead of the group's."""
    fw1, fw2, client = lab.hosts("fw1", "fw2", "client")
    pair = [Carpd(host, [Group(1, (ADDRESS, ADDRESS6), options={"peers": [peer.ipv4, peer.ipv6]})], advskew=skew).start()
            for host, peer, skew in ((fw1, fw2, 0), (fw2, fw1, 100))]  # fmt: skip
    wait_settled(*pair)
    live(*pair, client, (ADDRESS, ADDRESS6))
