"""The README's pair: what it tells to type, typed, on fw1 in the guest and on fw2 beside it."""

import os
import re
import shutil

import readme
from lab import Carpd, wait_for

PAIR = "A pair of gateways"
OUTSIDE, INSIDE = "203.0.113.1", "192.168.0.1"
OWN = {"fw1": ("203.0.113.2/24", "192.168.0.2/24"), "fw2": ("203.0.113.3/24", "192.168.0.3/24"),
       "client": ("203.0.113.9/24", "192.168.0.9/24")}  # fmt: skip

# fw1's own, as ifupdown gives them to a server of Debian.
INTERFACES = {
    "/etc/network/interfaces": "auto lo eth0 eth1\niface lo inet loopback\n" + "".join(
        f"iface eth{lan} inet static\n\taddress {address}\n" for lan, address in enumerate(OWN["fw1"]))
}  # fmt: skip


class SecondHost(Carpd):
    """carpd by hand with the README's configuration as it is on fw2, and the secrets that came over from fw1."""

    def __init__(self, host, secrets):
        super().__init__(host)
        text = readme.configuration(readme.step(PAIR, 2))
        text = text.replace("advskew = 0 ", "advskew = 100 ").replace("/etc/carpd", self.directory)
        assert "advskew = 100 " in text
        for name in os.listdir(secrets):
            shutil.copy(os.path.join(secrets, name), self.directory)
            os.chmod(os.path.join(self.directory, name), 0o600)
        state = os.path.join(self.directory, "state")
        with open(self.config_path, "w", encoding="utf-8") as file:
            file.write(f'control = "{self.socket}"\nstate-directory = "{state}"\nuser = nobody\n{text}')

    def write_config(self, groups=None, **options):
        """Once and for all, above."""


def number(host):
    """Its own addresses, as a person or a network manager gives them."""
    for lan, address in enumerate(OWN[host.name]):
        host.run("ip", "address", "add", address, "dev", f"eth{lan}")


def install(fw1):
    """As the README says, word for word."""
    commands = readme.commands(readme.section("Install"))
    # These were taken where the disk was made: what is built on this host runs in the guest.
    assert [line.split("#")[0].strip() for line in commands[:2]] == ["make", "make install"]
    for line in commands[2:]:
        fw1.run(line)


def start(fw1, second):
    """As the README says, word for word: secrets, configuration, service. Returns carpd on the second host."""
    for line in readme.commands(readme.step(PAIR, 1)):
        fw1.run(line)
    fw1.write("/etc/carpd/carpd.conf", readme.configuration(readme.step(PAIR, 2)))
    for line in readme.commands(readme.step(PAIR, 3)):
        fw1.run(line)
    return SecondHost(second, fw1.guest.share / "fw2/etc/carpd").start()


def settled(fw1, fw2):
    first, second = fw1.status(), fw2.ctl("status", check=False)
    return first and second and first["healthy"] and second["healthy"] and (
        {group["state"] for group in first["groups"]} == {"master"}
        and {(group["state"], group["master"] is not None) for group in second["groups"]} == {("backup", True)}
    )


def wait_settled(fw1, fw2, timeout_s=120):
    wait_for(lambda: settled(fw1, fw2), timeout_s, lambda: f"fw1 master, fw2 backup, both healthy\n{fw1.explain()}\n"
             f"{fw2.carpctl('status').stdout}\n{fw2.log()}", every_s=0.5)  # fmt: skip


def wait_reigns(fw2, timeout_s=60):
    """fw2 has taken over all groups."""
    wait_for(lambda: {group["state"] for group in fw2.ctl("status")["groups"]} == {"master"}, timeout_s,
             lambda: f"fw2 is master\n{fw2.log()}", every_s=0.1)  # fmt: skip


def causes(fw2):
    """Why fw2 has become master, last of all: one sentence for each group."""
    return [re.sub(r".*backup -> master: ", "", line) for line in fw2.log().splitlines() if "backup -> master" in line][-2:]


def answered(client, *addresses):
    """Whether the client reaches the shared addresses, whoever has them."""
    return all(client.run("ping", "-c", "1", "-W", "1", address, check=False).returncode == 0 for address in addresses)


def wait_answered(client, timeout_s=30):
    wait_for(lambda: answered(client, OUTSIDE, INSIDE), timeout_s, "the client is answered", every_s=0.2)


def leftovers(fw1):
    """What of carpd is still in the kernel, or in a directory of its own."""
    shared = "203.0.113.1|192.168.0.1|2001:db8:1::1|fe80::1"
    return fw1.run(f"ip -o address show | grep -E ' ({shared})/'; ip route show proto 112; ip -6 route show proto 112;"
                   "for i in eth0 eth1; do for j in ingress egress; do tc filter show dev $i $j 2>/dev/null; done; done;"
                   "ls /run/carpd 2>/dev/null || true")  # fmt: skip
