"""
What others do at the gate's place, and what happens where it cannot be: the interface's MAC, or no service, and a
sentence that says why.
"""

import os

import pytest
from lab import Carpd, Group, wait_for
from lab.net import run
from words import ADDRESS, detail

# From Linux 6.6 on the gate does without clsact.
BEFORE_TCX = tuple(int(part) for part in os.uname().release.split("-")[0].split(".")[:2]) < (6, 6)
before_tcx = pytest.mark.skipif(not BEFORE_TCX, reason="this kernel has tcx")
PASS = ("bpf", "da", "bytecode", "1,6 0 0 0")

IN_THE_WAY = {
    "ingress": ([("qdisc", "add", "dev", "eth0", "ingress")], ("qdisc", "del", "dev", "eth0", "ingress"), "clsact"),
    "priority": (
        [("qdisc", "add", "dev", "eth0", "clsact"),
         ("filter", "add", "dev", "eth0", "ingress", "protocol", "ip", "pref", "1", *PASS)],
        ("qdisc", "del", "dev", "eth0", "clsact"),
        "priority 1",
    ),
}  # fmt: skip


def _problems(carpd, group=None):
    return " ".join(carpd.status(group)["problems"])


@before_tcx
@pytest.mark.parametrize("case", IN_THE_WAY)
@pytest.mark.parametrize("later", [False, True], ids=["before", "while-serving"])
def test_somebody_has_the_place(lab, case, later):
    """auto gets along and comes back, virtual stays out; both say why, and nobody is kept busy."""
    add, remove, word = IN_THE_WAY[case]
    fw1, fw2 = lab.hosts("fw1", "fw2")
    auto, strict = Carpd(fw1), Carpd(fw2, [Group(2, ("10.0.0.101",), options={"mac": "virtual"})])

    def obstruct():
        for carpd in (auto, strict):
            if later:
                # Else carpd is back sooner than the next command comes.
                carpd.pause()
                carpd.host.run("tc", "qdisc", "del", "dev", "eth0", "clsact")
            for command in add:
                carpd.host.run("tc", *command)
            if later:
                carpd.resume()

    if not later:
        obstruct()
    for carpd in (auto, strict):
        carpd.start()
    if later:
        auto.wait_state("master")
        strict.wait_state("master")
        obstruct()
    wait_for(lambda: auto.status()["mac"] == "interface" and word in _problems(auto), 30, "auto gets along")
    wait_for(lambda: strict.status()["state"] == "init" and word in _problems(strict), 30, "virtual stays out")
    auto.wait_state("master")
    assert fw1.has(ADDRESS) and not fw2.has("10.0.0.101")
    assert len(auto.log().splitlines()) < 40
    for host in (fw1, fw2):
        host.run("tc", *remove)
    wait_for(lambda: auto.status()["mac"] == "virtual" and not _problems(auto), 30, "the virtual MAC is back")
    strict.wait_state("master", 30)
    assert detail(auto)["gate"] and detail(strict)["gate"]


@before_tcx
def test_a_program_that_fights_for_the_place(lab):
    """It loses each time, ever more slowly; the status says that there are gaps."""
    fw1 = lab.host("fw1")
    carpd = Carpd(fw1).start()
    carpd.wait_state("master")
    fight = fw1.start("sh", "-c", "while sleep 0.05; do tc filter del dev eth0 ingress 2>/dev/null; done")
    wait_for(lambda: "again and again" in _problems(carpd), 60, "it is told")
    begun = len(carpd.log().splitlines())
    fight.stop()
    wait_for(lambda: "again and again" not in _problems(carpd), 60, "it is over")
    assert begun < 40 and "no longer so" in carpd.log()


def test_the_65th_interface(lab):
    """It has the interface's MAC, says so, and takes nothing from the others; carpd -n knew."""
    fw1 = lab.host("fw1")
    text = "".join(f"link add p{n} type veth peer q{n}\nlink set p{n} up\nlink set q{n} up\n" for n in range(66))
    fw1.run("ip", "-batch", "-", text=text)
    groups = [Group(1, (f"10.66.{n}.1",), name=f"g{n}", interface=f"p{n}") for n in range(66)]
    carpd = Carpd(fw1, groups)
    checked = run(carpd.binary, "-n", "-f", carpd.config_path, check=False)
    assert checked.returncode == 0
    told = [line for line in checked.stderr.splitlines() if "room for 64 interfaces" in line]
    assert len(told) == 2 and "g64" in told[0] and "g65" in told[1]
    carpd.start()
    wait_for(lambda: all(g["state"] == "master" for g in carpd.ctl("status")["groups"]), 60, "all serve")
    without = [g for g in carpd.ctl("status")["groups"] if g["mac"] == "interface"]
    assert len(without) == 2 and all("room for 64 interfaces" in " ".join(g["problems"]) for g in without)
    # One leaves, and its place is taken.
    named = {group["name"] for group in without}
    leaver = next(n for n in range(66) if f"g{n}" not in named)
    fw1.run("ip", "link", "del", f"p{leaver}")

    def taken():
        return sum(g["mac"] == "virtual" and g["state"] == "master" for g in carpd.ctl("status")["groups"]) == 64

    wait_for(taken, 30, "one of them has the virtual MAC now")
    carpd.write_config([Group(group.vhid, group.addresses, group.name, group.interface, options={"mac": "virtual"})
                        for group in groups])  # fmt: skip
    refused = run(carpd.binary, "-n", "-f", carpd.config_path, check=False)
    assert refused.returncode == 1 and "room for 64 interfaces" in refused.stderr
