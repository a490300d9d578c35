"""
A macvlan that takes all frames of the link below carries a virtual MAC as that link does; others cannot, and say so.

    fw1 mv0 on eth0 ---+
    fw2 mv0 on eth0 ---+- switch - client
"""

import pytest
from lab import Group
from life import live, untroubled
from words import ADDRESS, ADDRESS6, neighbour, ping, start_pair, wait_settled


def make_hosts(lab, mode):
    hosts = lab.hosts("fw1", "fw2", "client")
    for host in hosts[:2]:
        host.run("sh", "-ec", f"""
            ip link add mv0 link eth0 type macvlan mode {mode}; ip addr flush dev eth0; ip link set mv0 up
            ip addr add {host.ipv4}/16 dev mv0; ip addr add {host.ipv6}/64 dev mv0 nodad""")
        # Linux answers for any of its addresses on any interface, and eth0 hears the question too: that is to be switched off.
        host.run("sysctl", "-qw", "net.ipv4.conf.eth0.arp_ignore=1")
    return hosts


def test_passthru(lab):
    client = make_hosts(lab, "passthru")[2]
    live(*start_pair(lab, [Group(1, (ADDRESS, ADDRESS6), interface="mv0")]), client, (ADDRESS, ADDRESS6))


@pytest.mark.parametrize("mode", ["bridge", "private"])
def test_own_mac(lab, mode):
    fw1, fw2, client = make_hosts(lab, mode)
    first, second = start_pair(lab, [Group(1, (ADDRESS, ADDRESS6), interface="mv0")])
    assert first.status()["mac"] == "interface"
    untroubled(first, second)
    assert ping(client, ADDRESS) and ping(client, ADDRESS6)
    assert neighbour(client, ADDRESS) == fw1.mac("mv0")
    assert first.stop() == [0]
    second.wait_state("master")
    assert ping(client, ADDRESS) and ping(client, ADDRESS6)
    assert neighbour(client, ADDRESS) == fw2.mac("mv0")
    first.start()
    wait_settled(second, first)
