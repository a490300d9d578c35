/*
 * A network namespace with one parent interface, eth0, its peer p0, and a gate.
 * Needs root; the test programs skip without.
 */
#ifndef TESTS_GATE_WORLD_H
#define TESTS_GATE_WORLD_H

#include "linux/gate_private.h"
#include "tests/address_of.h"

#include "frame.h"

#define PARENT_MAC "02:00:00:00:00:01"
#define OTHER_MAC  "02:00:00:00:00:99"
#define VHID       7
#define VIRTUAL    "00:00:5e:00:01:07"
#define SHARED     "10.0.0.100"
#define SHARED6    "2001:db8::100"

struct world {
	struct gate *gate;
	int link_index;
	int port;
	struct mac parent_mac;
};

/*
 * False if it takes root; ends the process if there is no gate.  It is in a
 * namespace of its own afterwards.
 */
bool world_make(struct world *ret_world);
void world_end(struct world *world);

/* Runs a command line of the shell; the first one fails the test if it fails. */
void world_run(const char *command);
bool world_try(const char *command);

/* A program as a filter of eth0, whose clsact is there. */
void world_add_filter(enum gate_direction direction, int program_fd, uint32_t handle, uint32_t priority);

/* Out of that interface.  0 or -errno. */
int world_send(const char *interface, const struct frame *frame);

instant world_now(void);
instant world_in_ms(int64_t span_ms);

#endif
