"""
Bad networks: what is lost, late, doubled or out of order on the way to either host moves nothing and alarms nobody.

    fw1 ---+
    fw2 ---+- switch (netem at its ports) - client
"""

import pytest
from lab import Group, wait_for
from life import served_by, untroubled
from words import ADDRESS, ADDRESS6, detail, start_pair, transitions, wait_settled

KINDS = {
    "late": "delay 200ms 100ms distribution normal",
    "out-of-order": "delay 1500ms reorder 50% 50%",
    "all-at-once": "delay 50ms 20ms reorder 25% 50% loss 3% duplicate 10%",
}


@pytest.mark.parametrize("kind", KINDS)
def test_pair(lab, kind):
    fw1, fw2, client = lab.hosts("fw1", "fw2", "client")
    first, second = start_pair(lab, [Group(1, (ADDRESS, ADDRESS6))])
    before = transitions(first), transitions(second)
    for host in (fw1, fw2):
        lab.switch_run("tc", "qdisc", "add", "dev", lab.port(host), "root", "netem", *KINDS[kind].split())
    sent = detail(first)["counters"]["adverts_sent"]
    wait_for(lambda: detail(first)["counters"]["adverts_sent"] >= sent + 20, 60, "twenty adverts")
    assert (transitions(first), transitions(second)) == before, second.log()
    untroubled(first, second)
    assert first.ctl("handover")["handed_over"] == ["group1"]
    wait_settled(second, first)
    for host in (fw1, fw2):
        lab.switch_run("tc", "qdisc", "del", "dev", lab.port(host), "root")
    served_by(second, client, (ADDRESS, ADDRESS6))
    untroubled(first, second)
