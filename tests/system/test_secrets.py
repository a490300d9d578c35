"""
Secrets changed on one host after the other: nobody notices.

    fw1 (advskew 50) ---+
    fw2 (advskew 100) --+- switch - client (1000 probes/s), observer
"""

import os

import pytest
from lab import ArpObserver, Group, Prober, wait_for
from words import ADDRESS, detail, start_pair, transitions

# Whoever does not understand the other takes over soon.
FAST = {"skews": (50, 100), "advbase": 0}


@pytest.fixture(name="key_file")
def _key_file(lab):
    def write(text):
        path = lab.new_path("seal.key")
        with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="ascii") as file:
            file.write(text * 64 + "\n")
        return path

    return write


def _group(keys, passphrase="correct horse"):
    return [Group(passphrase=passphrase, options={"keys": keys} if keys else {})]


def _dropped(pair):
    return [detail(one)["counters"]["dropped"] for one in pair]


def _wait_heard(backup):
    """Longer than its patience, were it for what it hears now."""
    heard = detail(backup)["counters"]["adverts_received"]
    wait_for(lambda: detail(backup)["counters"]["adverts_received"] >= heard + 6, 10, "six adverts are heard")


@pytest.fixture(name="change")
def _change(lab):
    """
    Starts the pair with the first groups and brings the others to one host after the other. Nothing said is dropped,
    no probe lost, and nobody but the master answers.
    """
    client, observer = lab.hosts("fw1", "fw2", "client", "observer")[2:]

    def run(order, steps, **options):
        pair = start_pair(lab, steps[0], **FAST, **options)
        prober, arp = Prober(client, ADDRESS), ArpObserver(observer, ADDRESS)
        prober.wait_answered()
        before = _dropped(pair), [transitions(one) for one in pair]
        for groups in steps[1:]:
            for index in order:
                pair[index].write_config(groups)
                pair[index].reload()
                _wait_heard(pair[1])
        if "grace" in options:
            wait_for(lambda: all("are in force" in one.log() for one in pair), 20, "the new ones are in force")
            _wait_heard(pair[1])
        prober.wait_answered()
        assert prober.stop().outages() == []
        assert arp.stop().owners() == {"fw1"}
        assert (_dropped(pair), [transitions(one) for one in pair]) == before

    return run


ORDERS = pytest.mark.parametrize("order", [(0, 1), (1, 0)], ids=["master-first", "backup-first"])
SEALS = pytest.mark.parametrize("seal", ["require", "offer"])


@SEALS
@ORDERS
def test_keys_rotated(change, key_file, seal, order):
    """As carpd.conf(5) has it: the new key is accepted, then sent, then the old one is forgotten."""
    old, new = f"1:{key_file('1')}", f"2:{key_file('2')}"
    change(order, [_group(keys) for keys in ([old], [old, new], [new, old], [new])], seal=seal)


CHANGES = {
    "passphrase": (None, None, "another horse"),
    "passphrase-beside-keys": ("1", "1", "another horse"),
    "key": ("1", "2", "correct horse"),
    "first-key": (None, "1", "correct horse"),
}


@SEALS
@ORDERS
@pytest.mark.parametrize("what", CHANGES)
def test_replaced(change, key_file, seal, order, what):
    """At one stroke: the hosts speak as before until `grace` is over."""
    before, after, passphrase = CHANGES[what]
    before, after = ([f"1:{key_file(text)}"] if text else [] for text in (before, after))
    change(order, [_group(before), _group(after, passphrase)], seal=seal, grace=10)
