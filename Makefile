# The front door; meson does the work underneath.

BUILD  ?= build
PREFIX ?= /usr/local

.PHONY: all demo quick check check-bare check-kernel check-systemd fuzz soak bench cost install clean deps

all: $(BUILD)/build.ninja
	ninja -C $(BUILD)

$(BUILD)/build.ninja:
	@command -v meson >/dev/null || { echo "meson is missing; \"make deps\" installs what building needs." >&2; exit 1; }
	meson setup --prefix=$(PREFIX) $(BUILD)

# Installs what is missing, if this is Debian and we are root; otherwise says what is.
deps:
	dist/install-needs build

demo:
	dist/install-needs build lab
	$(MAKE) all
	demo/run $(BUILD)

# Two minutes, for the developer's hand.
quick:
	dist/install-needs build lab test
	$(MAKE) all
	tests/run --quick $(BUILD)

check:
	dist/install-needs build lab test
	tests/run

# The demo and the quick tests on a Debian 12 and a Debian 13 that have nothing but git and make.
check-bare:
	dist/install-needs bare
	tests/stages 'tests/bare bookworm demo' 'tests/bare trixie demo'

# On the kernels of Debian 11, 12 and 13, in virtual machines.
check-kernel:
	dist/install-needs build kernel
	$(MAKE) all
	tests/kernel/run --build $(BUILD) $(if $(ALL),--all)

# Under a real systemd, in a virtual machine.
check-systemd:
	dist/install-needs build systemd
	$(MAKE) all
	CARPD_BUILD=$(abspath $(BUILD)) /usr/bin/python3 -m pytest -q -p no:cacheprovider tests/systemd

fuzz:
	dist/install-needs build test
	tests/fuzz/run

# A night's run: fresh seeds for the simulator and the fuzzers.
HOURS ?= 8
soak:
	dist/install-needs build test
	$(MAKE) all
	tests/soak $(HOURS)

bench:
	dist/install-needs build lab bench
	$(MAKE) all
	bench/run

# What the gate adds to each frame.
cost:
	dist/install-needs build
	$(MAKE) all
	$(BUILD)/tests/gate/gate_cost

install: all
	DESTDIR=$(DESTDIR) meson install -C $(BUILD) --no-rebuild

clean:
	rm -rf $(BUILD)
