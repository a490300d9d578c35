"""
Whether users without rights may load BPF programs (sysctl kernel.unprivileged_bpf_disabled) is not carpd's business:
its gate is there, whoever attaches it and whenever, and the fence with it.
"""

import os
import signal

from lab import Group, wait_for
from life import live, served_by, untroubled
from words import ADDRESS, ADDRESS6, detail, pid_of, start_pair, wait_settled

# 2 is Debian's own, and so every other story's; it refuses as 1 does.
BOOTS = ("sysctl.kernel.unprivileged_bpf_disabled=0",)


def test_pair(lab):
    with open("/proc/sys/kernel/unprivileged_bpf_disabled", encoding="ascii") as file:
        assert f"unprivileged_bpf_disabled={file.read().strip()}" in open("/proc/cmdline", encoding="ascii").read()
    client = lab.hosts("fw1", "fw2", "client", lans=2)[2]
    first, second = start_pair(lab, [Group(1, (ADDRESS, ADDRESS6))])
    served_by(first, client, (ADDRESS, ADDRESS6))

    # What an engine attaches, and tells the gate, that has no rights any more: at its start, and after a reload.
    os.kill(pid_of(second, engine=True), signal.SIGKILL)
    wait_for(lambda: second.ctl("status", check=False), 10, "an engine is there again")
    wait_settled(first, second)
    groups = [Group(1, (ADDRESS, ADDRESS6, "10.0.0.101")), Group(2, ("10.1.0.100",), interface="eth1")]
    # The master first, or the other one takes the new group before it.
    for one in (first, second):
        one.write_config(groups)
        one.reload()
    first.wait_state("master", group="group2")
    wait_settled(first, second)
    assert detail(first, "group2")["gate"]
    served_by(first, client, ("10.0.0.101",))
    untroubled(first, second)
    for one in (second, first):
        one.write_config([groups[0]])
        one.reload()
    live(first, second, client, (ADDRESS, ADDRESS6))
