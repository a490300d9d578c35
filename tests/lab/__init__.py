"""Network-namespace labs: a switch, hosts, daemons on them, and instruments that time what a client sees."""

from .daemons import Carpd, Group, Keepalived, Ucarp, sanitized
from .net import Host, Lab
from .probe import ArpObserver, Flood, Hog, Prober, TcpEcho, TcpHold
from .process import Process
from .sniff import Sniffer
from .wait import LabTimeout, boottime_ns, let_pass, wait_for

__all__ = [
    "ArpObserver",
    "Carpd",
    "Flood",
    "Group",
    "Hog",
    "Host",
    "Keepalived",
    "Lab",
    "LabTimeout",
    "Prober",
    "Process",
    "Sniffer",
    "TcpEcho",
    "TcpHold",
    "Ucarp",
    "boottime_ns",
    "let_pass",
    "sanitized",
    "wait_for",
]
