"""
An attacker who has recorded everything on the LAN plays it back to a host that could not hear it then.

    fw1 (advskew 0) ---+
    fw2 (advskew 100) -+- switch - attacker
"""

import os
import struct

import pytest
from lab import Carpd, Flood, Group, Sniffer, boottime_ns, let_pass, wait_for
from words import ADDRESS, detail, transitions, wait_settled

_IP = 14
_PAYLOAD = _IP + 20


def _sum16(data):
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def _with_ip(frame, length, source=None):
    frame = bytearray(frame[: _IP + length])
    frame[16:18] = struct.pack(">H", length)
    if source:
        frame[26:30] = source
    frame[24:26] = bytes(2)
    frame[24:26] = struct.pack(">H", _sum16(bytes(frame[_IP:_PAYLOAD])))
    return bytes(frame)


def _from(attacker, frame):
    """With the virtual MAC as source the attacker would draw its frames to his port of the switch."""
    return frame[:6] + bytes.fromhex(attacker.mac().replace(":", "")) + frame[12:]


def _dropped(daemon, *reasons):
    return sum(detail(daemon)["counters"]["dropped"][reason] for reason in reasons)


def _takes_over_in_time(fw2, second, flood):
    """While the flood lasts, as if there were none."""
    started_ns = boottime_ns()
    second.start()
    second.wait_state("master", timeout_s=second.window_s + 2)
    assert boottime_ns() - started_ns < (second.window_s + 1.5) * 1e9
    assert fw2.has(ADDRESS)
    sent = flood.wait()
    assert transitions(second)[-1][2] == "master" and sent > 10


@pytest.mark.parametrize("numbered", [True, False])
@pytest.mark.parametrize("seal", ["require", "offer"])
def test_what_a_host_has_missed(lab, seal, numbered):
    """It was stopped in good order while its peer went on, and the peer died before it came back."""
    fw1, fw2, attacker = [lab.host(name, numbered=numbered or name == "attacker") for name in ("fw1", "fw2", "attacker")]
    first = Carpd(fw1, seal=seal).start()
    second = Carpd(fw2, advskew=100, seal=seal).start()
    wait_settled(first, second)
    second.stop()
    sniffer = Sniffer(lab)
    wait_for(lambda: sniffer.adverts()[3:], 10, "adverts that fw2 does not hear")
    sniffer.stop()
    frames = [_from(attacker, one.frame) for one in sniffer.adverts()]
    died_ns = first.crash()
    # So long the last of them may be of now: a slow network might bring it.
    let_pass(second.window_s + 0.2, died_ns)
    _takes_over_in_time(fw2, second, Flood(attacker, frames, seconds=8, per_s=5))
    assert _dropped(second, "stale") > 10


def test_own_adverts_of_a_former_run(lab):
    """Without an address of its own a host tells its own adverts by the id of its seals, which it draws at each start."""
    fw2, attacker = lab.host("fw2", numbered=False), lab.host("attacker")
    second = Carpd(fw2, seal="require").start()
    second.wait_state("master")
    sniffer = Sniffer(lab)
    wait_for(lambda: sniffer.adverts()[1:], 10, "adverts of the first run")
    second.stop()
    sniffer.stop()
    frames = [_from(attacker, one.frame) for one in sniffer.adverts()]
    _takes_over_in_time(fw2, second, Flood(attacker, frames, seconds=8, per_s=5))
    assert _dropped(second, "own") > 10 and _dropped(second, "stale") == 0


def _key_file(lab, name):
    path = lab.new_path(name)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="ascii") as file:
        file.write(os.urandom(32).hex() + "\n")
    os.chown(path, 0, 0)
    return path


@pytest.mark.parametrize("before", ["passphrase", "file"])
def test_what_a_key_has_sealed_that_is_gone(lab, before):
    """With offer as well: rotated as the manual says, to the end, then played back under any source."""
    fw1, fw2, attacker = lab.hosts("fw1", "fw2", "attacker")
    new = f"2:{_key_file(lab, 'new.key')}"
    old = "passphrase" if before == "passphrase" else f"1:{_key_file(lab, 'old.key')}"
    pair = [Carpd(host, [Group(options={"keys": [old]})], advskew=100 * skew, seal="offer").start()
            for skew, host in enumerate((fw1, fw2))]  # fmt: skip
    wait_settled(*pair)
    sniffer = Sniffer(lab)
    wait_for(lambda: sniffer.adverts()[1:], 10, "adverts of the old key")
    sniffer.stop()
    recorded = [_from(attacker, one.frame) for one in sniffer.adverts()]
    for keys in ([old, new], [new, old], [new]):
        for one in pair:
            one.write_config([Group(options={"keys": keys})])
            one.reload()
        wait_settled(*pair)
    before_them = [transitions(one) for one in pair]
    stranger = bytes([10, 0, 0, 77])
    frames = [_with_ip(frame, 20 + length, source) for frame in recorded for length in (36, 72)
              for source in (stranger, frame[26:30])]  # fmt: skip
    began_ns = boottime_ns()
    sent = Flood(attacker, frames, seconds=2, per_s=20).wait()
    let_pass(pair[1].window_s + 0.5, began_ns)
    assert [transitions(one) for one in pair] == before_them
    assert _dropped(pair[1], "key", "unsealed") == sent
