"""
Two hosts with emulated network cards; the switch gives every frame to both, and a card must tell which are its own.

    fw1 eth0, eth0.7 ---+
    fw2 eth0, eth0.7 ---+- switch, which asks as a client, in VLAN 7 too

The stories of a card go on where the one before has ended: booting is what takes the time.
"""

import os
from pathlib import Path
from typing import NamedTuple

import pytest
from guest import fetch
from node import OTHER_MAC, TCP_PORT, VLAN, Group, Node, wait_for
from switch import Client, Switch

BUILD = Path(os.environ.get("CARPD_BUILD", Path(__file__).resolve().parents[2] / "build")).resolve()
RELEASE = os.environ.get("CARPD_RELEASE", "bookworm")


class Card(NamedTuple):
    device: str  # of QEMU
    driver: str  # of Linux
    carrier: bool = True  # whether the driver is told of a pulled cable
    offloads: bool = True  # QEMU gives virtio none where the cable is a socket


CARDS = (
    Card("e1000", "e1000"),
    Card("virtio-net-pci", "virtio_net", offloads=False),
    Card("e1000e", "e1000e", carrier=False),
)

# Those that are wanted, by the names that QEMU has for them; all if none is named.
WANTED = [name for name in os.environ.get("CARPD_CARDS", "").split(",") if name] or [card.device for card in CARDS]


class Pair:
    """fw1 is the better one and preempts."""

    def __init__(self, card, directory):
        self.card = card
        self.switch = Switch()
        self.groups = (
            Group(1, "eth0", Client(self.switch, "10.0.0.9", "fd00::9"), "10.0.0.100", "fd00::100"),
            Group(2, f"eth0.{VLAN}", Client(self.switch, "10.7.0.9", "fd07::9", VLAN), "10.7.0.100", "fd07::100"),
        )
        self.nodes = [Node(fetch(RELEASE), self.switch, card, BUILD, directory, number) for number in (1, 2)]

    def settle(self, master, backup):
        def settled():
            return master.states() == {"master"} and backup.states() == {"backup"} and all(
                group["master"] for group in backup.status().values())  # fmt: skip

        wait_for(settled, lambda: f"one master\n{master.carpctl('status')}{master.log()}\n"
                 f"{backup.carpctl('status')}{backup.log()}")  # fmt: skip

    def serve(self, virtual=True, by=None):
        """Every address is answered for by one MAC, and reached by it, in the VLAN and beside it."""
        for group in self.groups:
            wanted = group.virtual_mac if virtual else by.mac
            for address in group.addresses:
                assert group.client.resolve(address) == wanted, address
                assert group.client.ping(address, wanted) == wanted, address
                assert group.client.connect(address, wanted, TCP_PORT), address

    def close(self):
        for node in self.nodes:
            node.guest.close()
        self.switch.close()


@pytest.fixture(name="pair", scope="module", params=WANTED)
def pair_fixture(request, tmp_path_factory):
    card = next(card for card in CARDS if card.device == request.param)
    pair = Pair(card, tmp_path_factory.mktemp("switch"))
    try:
        for node in pair.nodes:
            node.guest.launch()
        for node in pair.nodes:
            node.start()
        for node in pair.nodes:
            node.start_carpd(pair.groups)
        pair.settle(*pair.nodes)
        yield pair
    finally:
        pair.close()


def test_two_macs(pair):
    """The card takes the virtual MAC beside its own and no other; adverts of both families arrive."""
    fw1, fw2 = pair.nodes
    pair.serve()
    for group in pair.groups:
        assert fw1.gate(group)["accepted"] >= 2 * len(group.addresses)
        assert fw1.status()[group.name]["mac"] == "virtual"
    pair.switch.carry(None, bytes.fromhex(OTHER_MAC.replace(":", "")) + bytes(54))
    pair.serve()
    for node in pair.nodes:
        assert node.problems() == [], node.log()
        assert node.promiscuity() == 0
        assert node.strays() == 0
    assert len(fw2.transitions()) == len(pair.groups), "to backup and no more"


def test_offloads(pair):
    """Tags and checksums by the card or by the kernel; a group with a tag and one without."""
    for on in (False, True):
        for node in pair.nodes:
            node.switch_offloads(on)
        pair.settle(*pair.nodes)
        pair.serve()


def test_cable(pair):
    fw1, fw2 = pair.nodes
    fw1.plug(False)
    wait_for(lambda: fw2.states() == {"master"}, lambda: f"fw2 takes over\n{fw2.log()}")
    if pair.card.carrier:
        wait_for(lambda: "master" not in fw1.states(), lambda: f"fw1 knows\n{fw1.log()}")
        assert any("has no carrier" in text for text in fw1.problems())
    pair.serve()
    fw1.plug(True)
    pair.settle(fw1, fw2)
    pair.serve()
    assert fw1.problems() == [] and fw2.problems() == []


def test_one_mac(pair):
    """
    A network that knows one MAC for each port: what the manual says that it looks like, and what it says to set, which
    serves by the interface's own.
    """
    fw1, fw2 = pair.nodes
    for node in pair.nodes:
        node.stop_carpd()
    pair.switch.one_mac = True
    try:
        for node in pair.nodes:
            node.start_carpd(pair.groups)
        for node in pair.nodes:
            wait_for(lambda one=node: one.states() == {"master"}, node.log)
            for group in pair.groups:
                wait_for(lambda one=node, of=group: one.gate(of)["rewritten"] > 0, node.log)
                assert node.gate(group)["accepted"] == 0
        for node in pair.nodes:
            node.stop_carpd()
        for node in pair.nodes:
            node.start_carpd(pair.groups, "mac = interface")
        pair.settle(fw1, fw2)
        pair.serve(virtual=False, by=fw1)
        fw1.stop_carpd()
        wait_for(lambda: fw2.states() == {"master"}, fw2.log)
        pair.serve(virtual=False, by=fw2)
        fw2.stop_carpd()
    finally:
        pair.switch.one_mac = False
    for node in pair.nodes:
        node.start_carpd(pair.groups)
    pair.settle(fw1, fw2)


def test_power_cut(pair):
    """The last story of a card: one host is gone."""
    fw1, fw2 = pair.nodes
    pair.serve()
    before = fw2.transitions()
    fw1.guest.close()
    wait_for(lambda: fw2.states() == {"master"}, fw2.log)
    pair.serve()
    assert len(fw2.transitions()) == len(before) + len(pair.groups), fw2.transitions()
