"""
A network that allows one MAC for each port, as a cloud does: what it refuses is found out, and nothing else is taken for it.

    fw1 -+
         +- switch - client
"""

import socket

import pytest
from lab import Carpd, Group, let_pass, wait_for
from lab.net import run, socket_in
from words import ADDRESS, ADDRESS6, detail, ping, virtual_mac

ETH_P_ARP = 0x0806
# Frames from it are dropped as well in most networks; but not where a hypervisor lets them out.
KINDS = {
    "both-ways": ("iifname fw1 ether saddr", "oifname fw1 ether daddr"),
    "inwards": ("oifname fw1 ether daddr",),
}


def refuse(lab, *matches):
    rules = [f"add rule bridge lab forward {match} {virtual_mac()} drop" for match in matches]
    run("ip", "netns", "exec", lab.switch, "nft", "-f", "-", text="\n".join(rules) + "\n")


def start(lab, **options):
    fw1, client = lab.hosts("fw1", "client")
    daemon = Carpd(fw1, [Group(addresses=(ADDRESS, ADDRESS6), options=options)]).start()
    daemon.wait_state("master")
    return daemon, client


def count(daemon, name):
    return detail(daemon)["gate"][name]


@pytest.mark.parametrize("kind", KINDS)
def test_refused(lab, kind):
    daemon, client = start(lab)
    refuse(lab, *KINDS[kind])

    def found():
        assert not ping(client, ADDRESS)
        return daemon.status()["problems"]

    (problem,) = wait_for(found, 90, "it is found")
    assert f"the network behind eth0 refuses the virtual MAC {virtual_mac()}" in problem
    assert "say mac = interface" in problem
    assert daemon.log().count(problem) == 1 and daemon.carpctl("status").returncode == 1
    assert count(daemon, "accepted") == 0

    # The network is told to allow it, and a client's frame shows it.
    lab.heal()
    wait_for(lambda: ping(client, ADDRESS), 10, "the client is answered")
    wait_for(lambda: not daemon.status()["problems"], 20, "it is over")
    assert f"no longer so: {problem}" in daemon.log()


def test_cure(lab):
    """What the sentence says to do."""
    daemon, client = start(lab, mac="interface")
    refuse(lab, *KINDS["both-ways"])
    wait_for(lambda: ping(client, ADDRESS) and ping(client, ADDRESS6), 10, "the client is answered")
    assert daemon.status()["problems"] == []


def ask(client, mac):
    """An ARP question from that MAC for the shared address, as everybody hears it."""
    raw = bytes.fromhex(mac.replace(":", ""))
    frame = b"\xff" * 6 + raw + b"\x08\x06" + b"\x00\x01\x08\x00\x06\x04\x00\x01"
    frame += raw + socket.inet_aton(client.ipv4) + b"\0" * 6 + socket.inet_aton(ADDRESS)
    with socket_in(client.netns, socket.AF_PACKET, socket.SOCK_RAW, 0) as sender:
        sender.bind(("eth0", ETH_P_ARP))
        return sender.send(frame)


def test_one_who_only_asks(lab):
    """A scanner, for instance: it is answered, and sends nothing more. Asked itself, it answers the virtual MAC too."""
    daemon, client = start(lab)
    wait_for(lambda: ask(client, client.mac()) and count(daemon, "accepted") > 0, 60, "its answer has come", every_s=0.5)
    assert daemon.status()["problems"] == []


def test_one_who_answers_nobody(lab):
    """Its silence shows nothing."""
    daemon, client = start(lab)
    since = daemon.status()["since_s"]
    wait_for(lambda: daemon.status()["since_s"] > since + 12, 30, "the reign is no longer young")
    let_pass(40, while_true=lambda: ask(client, "02:00:00:00:00:99") and daemon.status()["problems"] == [])
    assert count(daemon, "accepted") == 0
