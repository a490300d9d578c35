"""A program on a host, with all the processes it has started."""

import os
import signal
import subprocess

from .wait import LabTimeout, wait_for

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def _stat(pid):
    """(state, parent, session, CPU ticks) of a process, None if it is gone."""
    try:
        with open(f"/proc/{pid}/stat", encoding="latin-1") as file:
            # The name is in parentheses and may hold anything, also parentheses.
            fields = file.read().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return fields[0], int(fields[1]), int(fields[3]), sum(int(field) for field in fields[11:15])


def family(roots):
    """The pids that descend from one of the roots or are in its session, without zombies."""
    table = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit() and (stat := _stat(entry)):
            table[int(entry)] = stat
    found = {pid for pid, (_, _, session, _) in table.items() if session in roots or pid in roots}
    grown = True
    while grown:
        children = {pid for pid, (_, parent, _, _) in table.items() if parent in found}
        grown = not children <= found
        found |= children
    return sorted(pid for pid in found if table.get(pid, ("Z",))[0] != "Z")


def command(pid):
    """The name of a process, None if it is gone."""
    try:
        with open(f"/proc/{pid}/comm", encoding="ascii") as file:
            return file.read().strip()
    except (FileNotFoundError, ProcessLookupError):
        return None


def send(pids, number):
    """One signal to many processes, the oldest first; those that are gone are left out."""
    for pid in sorted(pids):
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass


def kill(pids):
    """At once: all are stopped before the first dies, so that no parent replaces a child, and no child says good-bye."""
    send(pids, signal.SIGSTOP)
    send(pids, signal.SIGKILL)


def cpu_s(pids):
    """CPU seconds so far, of ended children as well."""
    return sum(stat[3] for stat in map(_stat, pids) if stat) / _TICKS_PER_S


def pss_kib(pids):
    """Memory, shared pages divided by their users."""
    total = 0
    for pid in pids:
        try:
            with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
                total += next(int(line.split()[1]) for line in file if line.startswith("Pss:"))
        except (FileNotFoundError, ProcessLookupError):
            pass
    return total


class Process:
    """A running program. Its output goes to `log_path`; `pids()` counts its children as well."""

    def __init__(self, host, argv, name=None, environment=None):
        self.host = host
        self.argv = [str(word) for word in argv]
        self.name = name or os.path.basename(self.argv[0])
        self.log_path = host.lab.new_path(f"{host.name}-{self.name}.log")
        with open(self.log_path, "wb") as log:
            self._popen = subprocess.Popen(
                ["ip", "netns", "exec", host.netns, *self.argv],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env={**os.environ, **(environment or {})},
            )
        self.pid = self._popen.pid
        host.lab.track(self)

    def pids(self):
        """Every living process of this program, the first one first."""
        return family({self.pid})

    def running(self):
        return self._popen.poll() is None

    def signal(self, number):
        """To the first process only, as an administrator or a service manager does."""
        if self.running():
            self._popen.send_signal(number)

    def signal_all(self, number):
        """To all its processes within microseconds."""
        send(self.pids(), number)

    def kill(self):
        """SIGKILL to every process of the program, and waits until all are gone."""
        kill(self.pids())
        self.wait(5)
        wait_for(lambda: not self.pids(), 5, f"{self.name} leaves no process behind")

    def pause(self):
        self.signal_all(signal.SIGSTOP)

    def resume(self):
        self.signal_all(signal.SIGCONT)

    def stop(self, timeout_s=10):
        """SIGTERM and the exit status; one that does not end is killed and reported."""
        self.signal(signal.SIGTERM)
        try:
            return self.wait(timeout_s)
        except LabTimeout:
            self.kill()
            raise

    def wait(self, timeout_s):
        """The exit status of the first process."""
        try:
            return self._popen.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise LabTimeout(f"{self.name} (pid {self.pid}) did not end within {timeout_s} s\n{self.tail()}") from None

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def log_bytes(self):
        return os.stat(self.log_path).st_size

    def tail(self, lines=20):
        return "\n".join(self.log().splitlines()[-lines:])

    def cpu_s(self):
        """CPU seconds so far of every process, children that have ended included."""
        return cpu_s(self.pids())

    def pss_kib(self):
        """Memory of every process, shared pages divided by their users."""
        return pss_kib(self.pids())

    def reap(self):
        """After its death: takes the exit status, so that no zombie stays."""
        self._popen.wait()
