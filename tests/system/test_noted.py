"""
What an outsider's packets bring about in the status is a note: count, source and since when, and no alarm.

    fw1 (advskew 0) ---+
    fw2 (advskew 100) -+- switch - outsider
"""

import struct

import pytest
from lab import Carpd, Flood, Group, Sniffer, let_pass, wait_for
from words import ADDRESS, detail, start_pair

_IP, _CARP = 14, 34


def _sum16(data):
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def _with(frame, changes):
    """With other bytes, and checksums that fit again."""
    frame = bytearray(frame)
    for offset, value in changes.items():
        frame[offset] = value
    frame[24:26] = bytes(2)
    frame[24:26] = struct.pack(">H", _sum16(bytes(frame[_IP:_CARP])))
    frame[_CARP + 6 : _CARP + 8] = bytes(2)
    frame[_CARP + 6 : _CARP + 8] = struct.pack(">H", _sum16(bytes(frame[_CARP : _CARP + 36])))
    return bytes(frame)


def _captured(lab, outsider):
    sniffer = Sniffer(lab)
    frame = wait_for(lambda: sniffer.adverts(lab.all_hosts[0])[1:], 10, "adverts are captured")[-1].frame
    sniffer.stop()
    # From another address, and his own MAC.
    frame = frame[:6] + bytes.fromhex(outsider.mac().replace(":", "")) + frame[12:]
    return _with(frame, {29: 77})


FORGED = {
    "digest": ({_CARP + 16: 0xA5}, "another digest"),
    "routed": ({_IP + 8: 254}, "through a router"),
    "version": ({_CARP: 0x41}, "not CARP version 2"),
    "seal": ({_CARP + 36 + 20: 0xA5}, "seal that does not fit"),
    "vrrp": ({_CARP: 0x21, _CARP + 3: 1}, None),
}


@pytest.mark.parametrize("case", FORGED)
def test_single_forged_advert(lab, case):
    """And a handful at once: nobody is paged, but it can be looked up."""
    outsider = lab.hosts("fw1", "fw2", "outsider")[2]
    pair = start_pair(lab)
    changes, words = FORGED[case]
    frame = _with(_captured(lab, outsider), changes)
    Flood(outsider, [frame], seconds=1, per_s=10).wait()
    if words:
        note = wait_for(lambda: pair[0].status()["notes"], 5, "it is noted")[0]
        assert words in note and "times since" in note
        if case != "routed":
            assert ".77 " in note
        assert note[:20] in pair[0].carpctl("status").stdout.replace("\n", " ")
    for one in pair:
        done = one.carpctl("status")
        assert done.returncode == 0 and "CONFLICT" not in done.stdout + one.log(), done.stdout
        assert one.ctl("status")["healthy"]
    assert [one.status()["state"] for one in pair] == ["master", "backup"]


def test_backup_that_hears_its_master_is_well(lab):
    """However long it goes on; the master, which is contradicted, says so."""
    outsider = lab.hosts("fw1", "fw2", "outsider")[2]
    pair = start_pair(lab)
    flood = Flood(outsider, [_with(_captured(lab, outsider), {_CARP + 16: 0xA5})], seconds=8, per_s=2)
    wait_for(lambda: detail(pair[1])["conflict"], 8, "it goes on")
    assert pair[1].carpctl("status").returncode == 0 and pair[1].status()["notes"]
    assert not pair[1].status()["problems"]
    wait_for(lambda: pair[0].status()["problems"], 8, "the master is contradicted")
    assert pair[0].carpctl("status").returncode == 1
    flood.wait()


def test_vrrp_that_goes_on(lab):
    """As a router does, whose MAC is ours."""
    outsider = lab.hosts("fw1", "fw2", "outsider")[2]
    pair = start_pair(lab)
    frame = _with(_captured(lab, outsider), FORGED["vrrp"][0])
    flood = Flood(outsider, [frame], seconds=10, per_s=2)
    wait_for(lambda: any("VRRP" in text for text in pair[0].status()["problems"]), 15, "it is a problem")
    assert pair[0].carpctl("status").returncode == 1
    flood.wait()


def test_forged_arp_claim(lab):
    fw1, outsider = lab.hosts("fw1", "outsider")
    first = Carpd(fw1, [Group(addresses=(ADDRESS,))]).start()
    first.wait_state("master")
    # What others say of the addresses while masters change is not listened to.
    let_pass(5.5)
    mac = bytes.fromhex(outsider.mac().replace(":", ""))
    address = bytes(int(part) for part in ADDRESS.split("."))
    claim = b"\xff" * 6 + mac + bytes.fromhex("0806000108000604" + "0002") + mac + address + b"\xff" * 6 + address
    Flood(outsider, [claim.ljust(60, b"\0")], seconds=1, per_s=1).wait()
    note = wait_for(lambda: first.status()["notes"], 5, "it is noted")[0]
    assert outsider.mac() in note and ADDRESS in note
    assert first.carpctl("status").returncode == 0
    wait_for(lambda: not first.status()["notes"], 40, "and over")
    assert not first.status()["problems"]
