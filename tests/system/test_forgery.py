"""
An attacker on the LAN who has no passphrase, but hears everything and sends what he likes.

    fw1 (advskew 0) ---+
    fw2 (advskew 100) -+- switch - attacker, client
"""

import random
import struct

import pytest
from lab import Flood, Group, Prober, Sniffer, boottime_ns, let_pass, sanitized, wait_for
from words import ADDRESS, detail, start_pair, transitions

# Offset in the header: name and the values put there.
FIELDS = {
    0: ("version and type", (0x20, 0x22, 0x31, 0x11)),
    1: ("vhid", (0, 2, 255)),
    2: ("advskew", (0, 1, 254, 255)),
    3: ("authlen", (0, 6, 8, 255)),
    4: ("demote", (1, 255)),
    5: ("advbase", (0, 2, 254, 255)),
    8: ("counter", (0, 255)),
    15: ("counter", (0, 255)),
    16: ("digest", (0, 255)),
    35: ("digest", (0, 255)),
}
_PAYLOAD = 14 + 20


def _sum16(data):
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def _edit(frame, changes):
    """An IPv4 advert with other header bytes, and checksums that fit again."""
    frame = bytearray(frame)
    for offset, value in changes.items():
        frame[_PAYLOAD + offset] = value
    frame[_PAYLOAD + 6 : _PAYLOAD + 8] = bytes(2)
    frame[_PAYLOAD + 6 : _PAYLOAD + 8] = struct.pack(">H", _sum16(bytes(frame[_PAYLOAD : _PAYLOAD + 36])))
    return bytes(frame)


def _without_seal(frame):
    """Cut behind the 36 bytes of CARP, with lengths that fit."""
    frame = bytearray(frame[: _PAYLOAD + 36])
    frame[16:18] = struct.pack(">H", 56)
    frame[24:26] = bytes(2)
    frame[24:26] = struct.pack(">H", _sum16(bytes(frame[14:34])))
    return bytes(frame)


def _edited(frame):
    single = [_edit(frame, {offset: value}) for offset, (_, values) in FIELDS.items() for value in values]
    return single + [_edit(frame, {2: 0, 5: 0}), _edit(frame, {2: 255, 5: 255}), _edit(frame, {2: 255, 4: 255, 5: 255})]


@pytest.fixture(name="pair", params=["require", "offer"])
def _pair(lab, request):
    lab.hosts("fw1", "fw2", "attacker", "client")
    return start_pair(lab, seal=request.param, preempt=True)


def _heard(daemon):
    return detail(daemon)["counters"]["adverts_received"]


def _dropped(daemon):
    return sum(detail(daemon)["counters"]["dropped"].values())


def _captured(lab):
    """
    An advert of the master as the attacker sends it: from his own MAC. With the virtual one as source he would draw
    its frames to his port of the switch, which no daemon can help.
    """
    sniffer = Sniffer(lab)
    frame = wait_for(lambda: sniffer.adverts(lab.all_hosts[0])[2:], 10, "adverts are captured")[-1].frame
    sniffer.stop()
    return frame[:6] + bytes.fromhex(lab.all_hosts[2].mac().replace(":", "")) + frame[12:]


def _stands(lab, pair, flood, client):
    """Nothing moves while the flood lasts, and the backup hears its master all the time."""
    before = [transitions(one) for one in pair]
    prober = Prober(client, ADDRESS)
    prober.wait_answered()
    heard, dropped, begin_ns = _heard(pair[1]), _dropped(pair[1]), boottime_ns()
    sent = flood().wait()
    # Longer than a window.
    let_pass(4.5, begin_ns)
    assert _heard(pair[1]) - heard >= 4
    # They were seen; those with another vhid are not this group's.
    assert _dropped(pair[1]) - dropped > sent / 2
    assert [transitions(one) for one in pair] == before
    prober.wait_answered()
    assert prober.stop().outages() == []


def test_every_field_edited(lab, pair):
    """Sealed adverts with each header field changed, the checksum right, sent faster than the master's own."""
    attacker, client = lab.all_hosts[2:]
    frames = _edited(_captured(lab))
    _stands(lab, pair, lambda: Flood(attacker, frames, seconds=2, per_s=100), client)


def test_every_field_edited_and_the_seal_cut_off(lab, pair):
    attacker, client = lab.all_hosts[2:]
    frames = [_without_seal(frame) for frame in _edited(_captured(lab))]
    _stands(lab, pair, lambda: Flood(attacker, frames, seconds=2, per_s=100), client)


def test_replayed(lab, pair):
    """The backup is not held down by a dead master's last advert."""
    fw2, attacker, client = lab.all_hosts[1:]
    frame = _captured(lab)
    flood = Flood(attacker, [frame, _without_seal(frame)], seconds=8, per_s=4)
    pair[0].crash()
    wait_for(lambda: fw2.has(ADDRESS), 5, "fw2 takes over on time")
    prober = Prober(client, ADDRESS)
    prober.wait_answered()
    sent = flood.wait()
    prober.wait_answered()
    assert pair[1].status()["state"] == "master" and prober.stop().outages() == []
    dropped = detail(pair[1])["counters"]["dropped"]
    assert (dropped["replay"], dropped["unsealed"]) == (sent / 2, sent / 2)


def _garbage(frame, seed):
    """Truncated, oversized and random packets of protocol 112 with our vhid."""
    chance = random.Random(seed)
    found = []
    for _ in range(64):
        changed = bytearray(frame)
        for _ in range(chance.randint(1, 8)):
            changed[chance.randrange(14, len(changed))] = chance.randrange(256)
        found.append(bytes(changed))
    found += [frame[:length] for length in range(20, len(frame), 5)]
    found += [frame + bytes(extra) for extra in (1, 100, 1300)]
    found += [frame[:_PAYLOAD] + bytes(chance.randrange(256) for _ in range(72)) for _ in range(16)]
    return [one.ljust(60, b"\0") for one in found]


@pytest.mark.alone
def test_flood_of_garbage(lab):
    """40 000 packets a second for three seconds."""
    _, _, attacker, client = lab.hosts("fw1", "fw2", "attacker", "client")
    pair = start_pair(lab, preempt=True)
    seed = random.SystemRandom().randrange(1 << 32)
    print("seed", seed)
    frames = _garbage(_captured(lab), seed)
    memory = [one.pss_kib() for one in pair]
    logs = [one.log_bytes() for one in pair]
    before = [transitions(one) for one in pair]
    heard = _heard(pair[1])
    lost = detail(pair[1])["gate"]["adverts_lost"]
    sent = Flood(attacker, frames, seconds=3, per_s=40000).wait()
    assert sent > 10000
    assert detail(pair[1])["gate"]["adverts_lost"] == lost
    wait_for(lambda: _heard(pair[1]) - heard >= 4, 6, "the master is heard")
    assert [transitions(one) for one in pair] == before
    assert sanitized() or all(one.pss_kib() < then + 512 for one, then in zip(pair, memory))
    assert all(one.log_bytes() < then + 4096 for one, then in zip(pair, logs))
    assert sum(detail(pair[1])["counters"]["dropped"].values()) > 0
    prober = Prober(client, ADDRESS)
    prober.wait_answered()


@pytest.mark.alone
def test_a_fifth_of_the_adverts_lost(lab):
    """A false takeover is possible; then no client is without an answer for longer than an interval."""
    fw1, fw2, client = lab.hosts("fw1", "fw2", "client")
    pair = start_pair(lab, [Group(addresses=(ADDRESS,))], (10, 20), advbase=0, preempt=True)
    prober = Prober(client, ADDRESS)
    prober.wait_answered()
    for host in (fw1, fw2):
        lab.lose(host, 20)
    # 250 adverts.
    let_pass(10)
    lab.heal()
    wait_for(lambda: [one.status()["state"] for one in pair] == ["master", "backup"], 5, "one master")
    prober.wait_answered()
    assert prober.stop().worst_outage_ms() <= 1000 * 20 / 256
