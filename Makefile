# The front door; meson does the work underneath.

BUILD  ?= build
PREFIX ?= /usr/local

.PHONY: all demo check check-kernel fuzz bench cost install clean deps

all: $(BUILD)/build.ninja
	ninja -C $(BUILD)

$(BUILD)/build.ninja:
	meson setup --prefix=$(PREFIX) $(BUILD)

# Installs what is missing, if this is Debian and we are root; otherwise says what is.
deps:
	dist/install-needs build

demo:
	dist/install-needs build
	$(MAKE) all
	demo/run $(BUILD)

check:
	dist/install-needs build test
	tests/run

# On the kernels of Debian 11, 12 and 13, in virtual machines.
check-kernel:
	dist/install-needs build kernel
	$(MAKE) all
	tests/kernel/run --build $(BUILD) $(if $(ALL),--all)

fuzz:
	dist/install-needs build test
	tests/fuzz/run

bench:
	dist/install-needs build test
	$(MAKE) all
	bench/run

# What the gate adds to each frame.
cost:
	dist/install-needs build test
	$(MAKE) all
	$(BUILD)/tests/gate/gate_cost

install: all
	DESTDIR=$(DESTDIR) meson install -C $(BUILD) --no-rebuild

clean:
	rm -rf $(BUILD)
