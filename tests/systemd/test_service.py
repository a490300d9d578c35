"""
The service as the README installs and starts it, and everything that befalls its processes.

The stories follow each other on one machine, as they would in its life.
"""

import re

import pytest
import readme
from lab import wait_for
from pair import INSIDE, OUTSIDE, PAIR, causes, leftovers, wait_answered, wait_reigns, wait_settled

NET_ADMIN, NET_RAW, PERFMON, BPF = 12, 13, 38, 39
ERROR, WARNING, NOTICE = 3, 4, 5


def processes(fw1):
    """(keeper, engine)"""
    keeper = fw1.unit("MainPID")
    return int(keeper), int(fw1.run(f"pgrep -P {keeper} -x carpd-engine"))


def restarts(fw1):
    return int(fw1.unit("NRestarts"))


def test_install(fw1, installed):
    assert installed
    assert re.fullmatch("carpd:.*\ncarpd:.*\ncarpd-admin:.*\n", fw1.run("getent passwd carpd; getent group carpd carpd-admin"))
    assert fw1.run("systemd-analyze verify --man=no carpd.service") == ""


def test_pair(fw1, fw2):
    """What the README shows is what one sees, and nothing is amiss."""
    shown = readme.answers(readme.step(PAIR, 4))
    assert readme.without_times(fw1.run("carpctl status")) == readme.without_times(shown["fw1# carpctl status"])
    # A namespace has the name of the host that it is in.
    there = fw2.carpctl("status").stdout.replace(fw2.host.run("hostname").stdout.strip(), "fw2", 1)
    assert readme.without_times(there) == readme.without_times(shown["fw2# carpctl status"])
    said = fw1.journal()
    assert [line for line in said if line[0] <= ERROR] == [], said
    assert (6, "Started carpd.service - CARP: addresses that several hosts share.") in said
    assert (NOTICE, "carpd 0.1.0: 2 groups") in said


def test_runs_as(fw1, fw2):
    keeper, engine = processes(fw1)
    carpd = fw1.run("id -u carpd").strip()
    wanted = {keeper: [NET_ADMIN, NET_RAW, PERFMON, BPF], engine: [NET_ADMIN, NET_RAW]}
    for pid, capabilities in wanted.items():
        status = dict(re.findall(r"(?m)^(\w+):\s*(.*)$", fw1.run(f"cat /proc/{pid}/status")))
        assert set(status["Uid"].split()) == {carpd}
        assert int(status["CapEff"], 16) == int(status["CapPrm"], 16) == sum(1 << one for one in capabilities)
        assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")
        # The unit's filters, and on top those of the process: libseccomp's has one program, the engine has the keeper's too.
        assert int(status["Seccomp_filters"]) > (1 if pid == engine else 0)
        assert fw1.run(f"stat -c %U /proc/{pid}/mem") == "root\n", "its memory could be dumped"
        assert "SCHED_FIFO" in fw1.run(f"chrt -p {pid}")
    assert int(re.search(r"VmLck:\s*(\d+)", fw1.run(f"cat /proc/{engine}/status"))[1]) > 0
    assert {group["mac"] for group in fw1.status()["groups"]} == {"virtual"}
    assert fw2


def test_reload(fw1, fw2):
    """It returns when the new configuration is in force: no waiting here."""
    path, more = "/etc/carpd/carpd.conf", "203.0.113.7"
    before = fw1.read(path)
    fw1.write(path, before.replace('"203.0.113.1/24",', f'"203.0.113.1/24", "{more}/24",'))
    begin = fw1.cursor()
    fw1.run("systemctl reload carpd")
    assert more in fw1.run("carpctl show wan") and fw1.has(more)
    fw1.write(path, before.replace("vhid            = 2", "vhid            = 1 2"))
    status, _ = fw1.run("systemctl reload carpd", check=False)
    assert status != 0
    said = fw1.journal(begin)
    assert (ERROR, "the configuration was not reloaded; the old one stays in force:") in said
    assert any(priority == ERROR and message.startswith(f"{path}:") for priority, message in said), said
    assert fw1.has(more) and fw1.unit("ActiveState") == "active"
    fw1.write(path, before)
    fw1.run("systemctl reload carpd")
    assert not fw1.has(more)
    assert fw2


def test_stop_hands_over(fw1, fw2, client):
    begin = fw1.cursor()
    fw1.run("systemctl stop carpd")
    # It returned because the successor was heard, or it has left in vain.
    assert {group["state"] for group in fw2.ctl("status")["groups"]} == {"master"}
    assert all("silent" not in cause for cause in causes(fw2)), causes(fw2)
    wait_answered(client)
    assert leftovers(fw1) == ""
    assert fw1.unit("Result", "ActiveState") == ["success", "inactive"]
    said = fw1.journal(begin)
    assert [line for line in said if line[0] <= WARNING] == [], said
    fw1.run("systemctl start carpd")
    wait_settled(fw1, fw2)
    wait_answered(client)


def test_engine_killed(fw1, fw2, client):
    keeper, engine = processes(fw1)
    before, begin = restarts(fw1), fw1.cursor()
    fw1.run(f"kill -KILL {engine}")
    fw1.wait_journal(begin, ERROR, "the engine was killed by signal 9 (Killed); its addresses are dropped")
    wait_settled(fw1, fw2)
    wait_answered(client)
    assert processes(fw1)[0] == keeper and restarts(fw1) == before


def test_engine_stuck(fw1, fw2, client):
    """Its keeper ends it; systemd has no part in it."""
    keeper, engine = processes(fw1)
    before, begin = restarts(fw1), fw1.cursor()
    fw1.run(f"kill -STOP {engine}")
    fw1.wait_journal(begin, ERROR, "the engine has not been heard for 10 s; it is stuck, and ended")
    wait_settled(fw1, fw2)
    wait_answered(client)
    assert processes(fw1)[0] == keeper and restarts(fw1) == before


def test_keeper_killed(fw1, fw2, client):
    """The engine hands over and ends, then systemd starts both again."""
    _, engine = processes(fw1)
    before, begin = restarts(fw1), fw1.cursor()
    fw1.run("systemctl kill -s KILL --kill-whom=main carpd")
    fw1.wait_journal(begin, ERROR, "the keeper is gone; handing over")
    wait_reigns(fw2)
    assert all("silent" not in cause for cause in causes(fw2)), causes(fw2)
    wait_settled(fw1, fw2)
    wait_answered(client)
    assert restarts(fw1) == before + 1 and processes(fw1)[1] != engine


def test_both_killed(fw1, fw2, client):
    before = restarts(fw1)
    fw1.run("systemctl kill -s KILL carpd")
    wait_for(lambda: restarts(fw1) == before + 1, 60, "systemd starts it again", every_s=0.5)
    wait_settled(fw1, fw2)
    wait_answered(client)


def test_keeper_stuck(fw1, fw2, client):
    """The watchdog: while it waits the engine serves, and then it hands over."""
    keeper, _ = processes(fw1)
    before, begin = restarts(fw1), fw1.cursor()
    fw1.run(f"kill -STOP {keeper}")
    fw1.wait_journal(begin, ERROR, "carpd.service: Watchdog timeout (limit 30s)!")
    wait_reigns(fw2)
    wait_settled(fw1, fw2)
    wait_answered(client)
    assert restarts(fw1) == before + 1


def test_both_stuck(fw1, fw2, client):
    """As with a processor that is taken away: the gate shuts, fw2 serves, the watchdog clears up."""
    before = restarts(fw1)
    fw1.run("systemctl kill -s STOP carpd")
    wait_reigns(fw2)
    wait_answered(client)
    wait_for(lambda: restarts(fw1) == before + 1, 240, lambda: f"systemd starts it again\n{fw1.explain()}", every_s=1)
    wait_settled(fw1, fw2)
    wait_answered(client)


def test_configuration_with_errors(fw1, fw2):
    """A start fails with what is wrong, in the journal as an error, and is not tried again and again."""
    path = "/etc/carpd/carpd.conf"
    before = fw1.read(path)
    fw1.run("systemctl stop carpd")
    fw1.write(path, before.replace("interface       = eth1", "interfaces      = eth1"))
    begin = fw1.cursor()
    assert fw1.run("systemctl start carpd", check=False)[0] != 0
    assert any(priority == ERROR and message.startswith(f"{path}:") for priority, message in fw1.journal(begin))
    assert fw1.unit("ActiveState", "ExecMainStatus") == ["failed", "78"]
    fw1.write(path, before)
    fw1.run("systemctl start carpd")
    wait_settled(fw1, fw2)


SPOILT = {
    "Read-only file system": "mount --bind /var/lib/carpd /var/lib/carpd; mount -o remount,bind,ro /var/lib/carpd",
    "No space left on device": "mount -t tmpfs -o size=4k,mode=700,uid=$(id -u carpd),gid=$(id -g carpd) tmpfs /var/lib/carpd;"
                               "head -c 4096 /dev/zero >/var/lib/carpd/filler",
}  # fmt: skip


@pytest.mark.parametrize("reason", SPOILT)
def test_state_directory(fw1, fw2, client, reason):
    """It serves, and says what does not work and why."""
    assert fw2
    fw1.run("systemctl stop carpd")
    begin = fw1.cursor()
    fw1.run(SPOILT[reason])
    try:
        fw1.run("systemctl start carpd")
        fw1.wait_states("master")
        wait_answered(client)
        sentence = f"/var/lib/carpd/seals cannot be written: {reason}; after a restart replays from before it are not recognised"
        assert any(priority == WARNING and message.startswith(sentence) for priority, message in fw1.journal(begin))
        if reason == "Read-only file system":
            status, said = fw1.run("carpctl maintenance on", check=False)
            assert status == 1 and f"maintenance would not survive a restart: {reason}" in said
        fw1.run("systemctl stop carpd")
    finally:
        fw1.run("umount /var/lib/carpd")


def test_reboot(fw1, fw2, client):
    """A planned change: the other one serves before this one is gone, and this one takes over again when it is back."""

    def other_one_serves():
        assert {group["state"] for group in fw2.ctl("status")["groups"]} == {"master"}
        assert all("silent" not in cause for cause in causes(fw2)), causes(fw2)
        wait_answered(client)

    fw1.reboot(other_one_serves)
    wait_settled(fw1, fw2)
    wait_answered(client)
    assert fw1.has(OUTSIDE) and fw1.has(INSIDE, "eth1")


def test_reboot_under_maintenance(fw1, fw2, client):
    """It stays away until it is told to come back."""
    fw1.run("carpctl maintenance on")
    wait_reigns(fw2)
    fw1.reboot()
    fw1.wait_states("backup")
    assert fw1.status()["demotion"] == 254
    assert {group["state"] for group in fw2.ctl("status")["groups"]} == {"master"}
    wait_answered(client)
    fw1.run("carpctl maintenance off")
    wait_settled(fw1, fw2)
