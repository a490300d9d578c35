"""Virtual machines with the kernels that people run: Debian's, in QEMU, with this machine's files or others' as root."""

from .debian import RELEASES, fetch
from .guest import Guest, GuestError

__all__ = ["RELEASES", "Guest", "GuestError", "fetch"]
