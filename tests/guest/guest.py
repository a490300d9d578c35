"""One virtual machine: boots, runs what it is asked to run, and is gone with the process that made it."""

import atexit
import itertools
import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

_HERE = Path(__file__).resolve().parent
# Mitigations cost an emulated processor much and protect nobody; the same program at the same address is translated once.
# Where many things run, the timer is late when the kernel tries it, and it would panic ("IO-APIC + timer doesn't work!").
_APPEND = "console=ttyS0 panic=1 mitigations=off norandmaps no_timer_check"


class GuestError(RuntimeError):
    """The guest died, hangs or was refused; what its console said is part of it."""


class _Line:
    """A serial line or monitor of QEMU: a socket that QEMU connects to when it starts."""

    def __init__(self, path):
        self.path = path
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen(1)
        self._socket = None
        self._data = b""

    def send(self, text):
        self._socket.sendall(text.encode())

    def wait_for(self, text, end_s):
        """What comes until this text, which is left out; EOFError if the other end is gone, TimeoutError."""
        if self._socket is None:
            self._listener.settimeout(max(end_s - time.monotonic(), 0.01))
            self._socket = self._listener.accept()[0]
        while text.encode() not in self._data:
            self._socket.settimeout(max(end_s - time.monotonic(), 0.01))
            data = self._socket.recv(4096)
            if not data:
                raise EOFError
            self._data += data
        before, self._data = self._data.split(text.encode(), 1)
        return before.decode(errors="replace")

    def hang_up(self):
        """Ready for another QEMU: what the last one has left, also a call that nobody answered, is let go."""
        self._listener.setblocking(False)
        try:
            while True:
                self._listener.accept()[0].close()
        except BlockingIOError:
            pass
        if self._socket:
            self._socket.close()
        self._socket, self._data = None, b""

    def close(self):
        self._listener.close()
        if self._socket:
            self._socket.close()


class Guest:
    """
    with Guest(fetch("bookworm")) as guest:
        print(guest.run("uname -r"))

    Its root is this host's file system, read-only below a layer in memory; or with `disk` the ext4 file system in that
    file, whose own /sbin/init it starts (that has to start `sh /share/agent`, or run() waits in vain).
    `share` is a directory that the guest has as /share. `qemu` are further words for QEMU, for instance for network
    cards, and `files` are descriptors that it inherits for them; it has none by itself. Several may run at once.
    A guest that reboots ends, so that start() is its next boot: QEMU's emulation is slow in memory that held programs.
    """

    def __init__(self, kernel, name="guest", disk=None, append="", qemu=(), files=(), memory_mib=2048, processors=2):
        self.kernel = kernel
        self.name = name
        self.share = Path(tempfile.mkdtemp(prefix=f"carpd-{name}-"))
        self._files = files
        self._numbers = itertools.count(1)
        self._process = None
        self._greeted = False
        atexit.register(self.close)
        for source in ("agent", "alone"):
            shutil.copy(_HERE / source, self.share / source)
        self._agent = _Line(self.share / "agent.socket")
        self._monitor = _Line(self.share / "monitor.socket")
        words = [_APPEND, append, "disk init=/sbin/init" if disk else f"overlay init=/share/alone modules={kernel.modules}"]
        if disk:  # what is on it is of use to this guest only, so nobody waits for the host's disk
            root = ("-drive", f"file={disk},if=none,id=root,format=raw,cache=unsafe", "-device", "virtio-blk-pci,drive=root")
        else:
            root = ("-fsdev", "local,id=root,path=/,security_model=none,readonly=on,multidevs=remap",
                    "-device", "virtio-9p-pci,fsdev=root,mount_tag=root")  # fmt: skip
        self._argv = [
            *("qemu-system-x86_64", "-cpu", "max", "-smp", processors, "-m", memory_mib, "-accel", "tcg,thread=multi"),
            *("-nodefaults", "-display", "none", "-no-reboot"),
            *("-kernel", kernel.image, "-initrd", kernel.initrd, "-append", " ".join(words)),
            *("-serial", f"file:{self.share}/console"),
            *("-chardev", f"socket,id=agent,path={self._agent.path}", "-serial", "chardev:agent"),
            *("-chardev", f"socket,id=monitor,path={self._monitor.path}", "-mon", "chardev=monitor,mode=control"),
            *root,
            *("-fsdev", f"local,id=share,path={self.share},security_model=none,multidevs=remap"),
            *("-device", "virtio-9p-pci,fsdev=share,mount_tag=share", "-device", "virtio-rng-pci", *qemu),
        ]

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.close()

    def launch(self):
        """Begins to boot. The guest ends with the thread that launched it, as the kernel sees a parent's death."""
        self._greeted = False
        self._agent.hang_up()
        self._monitor.hang_up()
        with open(self.share / "qemu.log", "wb") as log:
            # However this process ends, no guest outlives it.
            argv = ["setpriv", "--pdeathsig", "KILL", *(str(word) for word in self._argv)]
            self._process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                             pass_fds=self._files)  # fmt: skip

    def start(self, timeout_s=300):
        """Boots unless it does so already, and returns when it listens; again, after it has ended by itself."""
        if not self.running():
            self.launch()
        self._wait(self._agent, "ready\n", timeout_s, "boots")
        return self

    def wait_end(self, timeout_s=300):
        """Until it has ended by itself: it was told to power off or to reboot."""
        try:
            self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise GuestError(f"{self.name}: not within {timeout_s} s: it ends\n{self.console()}") from None

    def run(self, script, timeout_s=60, check=True):
        """A shell script to its end, as root: what it printed, or with check=False (status, what it printed)."""
        number = next(self._numbers)
        (self.share / str(number)).write_text(script)
        self._agent.send(f"{number}\n")
        what = f"runs: {script.strip().splitlines()[0]}"
        status = int(self._wait(self._agent, "\n", timeout_s, what, number).split()[-1])
        output = self.output(number)
        if not check:
            return status, output
        if status != 0:
            raise GuestError(f"{self.name}: exit {status}: {script}\n{output}")
        return output

    def output(self, number):
        """What the numbered script has printed so far."""
        path = self.share / f"{number}.out"
        return path.read_text(errors="replace") if path.exists() else ""

    def monitor(self, command, timeout_s=30):
        """A command of QEMU's monitor as a person types it, for instance "set_link card0 off": what it answers."""
        if not self._greeted:
            self._tell_monitor("qmp_capabilities", timeout_s)
            self._greeted = True
        return self._tell_monitor("human-monitor-command", timeout_s, {"command-line": command})

    def _tell_monitor(self, what, timeout_s, arguments=None):
        request = {"execute": what, "arguments": arguments or {}}
        # The greeting and events stand between the answers.
        answer = json.loads(self._wait(self._monitor, "\n", timeout_s, "greets")) if not self._greeted else {}
        self._monitor.send(json.dumps(request) + "\n")
        while "return" not in answer and "error" not in answer:
            answer = json.loads(self._wait(self._monitor, "\n", timeout_s, f"obeys its monitor: {request}"))
        if "error" in answer:
            raise GuestError(f"{self.name}: {request}: {answer['error']['desc']}")
        return answer["return"]

    def _wait(self, line, text, timeout_s, what, number=None):
        try:
            return line.wait_for(text, time.monotonic() + timeout_s)
        except (TimeoutError, EOFError, ConnectionError) as error:
            how = f"not within {timeout_s} s" if isinstance(error, TimeoutError) else "the guest died"
            said = [self.output(number), (self.share / "qemu.log").read_text(errors="replace"), self.console()]
            raise GuestError(f"{self.name}: {how}: it {what}\n" + "\n".join(filter(None, said))) from None

    def console(self, lines=40):
        path = self.share / "console"
        return "\n".join(path.read_text(errors="replace").splitlines()[-lines:]) if path.exists() else ""

    def running(self):
        return self._process is not None and self._process.poll() is None

    def close(self):
        """Ends it at once, as a power cut does; may be called again."""
        atexit.unregister(self.close)
        if self._process:
            self._process.kill()
            self._process.wait()
        self._agent.close()
        self._monitor.close()
        if os.environ.get("LAB_KEEP") != "1":
            shutil.rmtree(self.share, ignore_errors=True)
