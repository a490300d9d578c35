"""What every pair must do on whatever kind of interface: serve, hand over, fail over, and leave nothing behind."""

import re

from lab import wait_for
from words import ADDRESS, leftovers, neighbour, ping, transitions, virtual_mac, wait_settled


def answers(client, address, interface):
    """The MACs that answer one ARP request, each as often as it does."""
    text = client.run("arping", "-c", "1", "-w", "2", "-I", interface, address, check=False).stdout
    return re.findall(r"bytes from ([0-9a-f:]{17}) ", text)


def served_by(master, client, addresses, interface="eth0", vhid=1):
    """One host answers for all of them, by the virtual MAC, and says so; nobody complains."""
    assert master.status()["state"] == "master"
    for address in addresses:
        wait_for(lambda one=address: ping(client, one), 5, lambda one=address: f"{one} answers\n{master.log()}")
        assert neighbour(client, address, interface) == virtual_mac(vhid)
        if "." in address:
            assert answers(client, address, interface) == [virtual_mac(vhid)]


def untroubled(*daemons):
    for one in daemons:
        told = one.carpctl("status")
        assert told.returncode == 0 and "healthy" in told.stdout, f"{one.host.name}\n{told.stdout}\n{one.log()}"


def live(first, second, client, addresses=(ADDRESS,), interface="eth0"):
    """The settled pair hands over, is killed, stopped and cleaned; interface is the client's, the pair's is in its group."""
    parent = first.groups[0].interface
    served_by(first, client, addresses, interface)
    untroubled(first, second)
    assert first.status()["mac"] == "virtual"

    before = len(transitions(second))
    assert first.ctl("handover")["handed_over"] == [first.groups[0].name]
    wait_settled(second, first)
    served_by(second, client, addresses, interface)
    untroubled(first, second)
    assert len(transitions(second)) == before + 1, transitions(second)

    # Killed, keeper and all: its addresses are still there, and it does not answer for them.
    second.kill()
    first.wait_state("master")
    assert second.host.has(addresses[0], parent)
    served_by(first, client, addresses, interface)
    assert second.host.run(second.binary, "--clean", check=False).returncode == 0
    assert leftovers(second.host, parent) == []

    assert first.stop() == [0]
    assert leftovers(first.host, parent) == []
    assert not ping(client, addresses[0])
