/*
 * The gate: an eBPF program at a parent interface.  It makes the virtual MAC, takes
 * adverts out of the traffic, and stops answering for the shared addresses when this
 * host's lease runs out.  Its traps are in doc/linux.md 1 to 6.
 *
 * The keeper loads it once, before it forks the engine; both then hold the same
 * maps.  Opening and closing are stores into a mapped page, no system
 * calls.  Attached programs stay in the kernel when the processes die, on purpose.
 */
#ifndef CARPD_LINUX_GATE_H
#define CARPD_LINUX_GATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/address.h"
#include "core/clock.h"

#define GATE_PORTS_MAX     64 /* parent interfaces */
#define GATE_ADDRESSES_MAX 16384

struct gate;

/*
 * Loads program and maps.  Needs CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN.  On
 * failure -errno, and *ret_why says in words why, until the next call.
 */
int gate_load(struct gate **ret_gate, const char **ret_why);

/* Closes this process's handles; attached programs stay. */
void gate_unload(struct gate *gate);

/*
 * Shuts everything and forgets every port, address and virtual host.  A new engine does
 * this first, since those of the engine before it are still in the maps.  Attached programs
 * stay, let everything pass, and are used again by gate_attach.
 */
void gate_reset(struct gate *gate);

/*
 * Gives a parent interface one of the ports and attaches both programs, before
 * all others where the kernel can (tcx), else as clsact prio 1.  Needs
 * CAP_NET_ADMIN only.  parent_mac is what frames to a virtual MAC are rewritten
 * to.  Returns the port, 0 or more, or -errno, also if somebody else's program would
 * be before one of the two.
 *
 * The same program is found attached and used again, without a gap.  One of an
 * earlier gate_load is removed once ours is in front of it, but a tcx program can
 * only be recognised with CAP_SYS_ADMIN: the keeper calls gate_clean first.
 */
int gate_attach(struct gate *gate, int link_index, const struct mac *parent_mac);
void gate_set_parent_mac(struct gate *gate, int port, const struct mac *parent_mac);
/* Why gate_attach or gate_check failed and what would help, until the next call. */
const char *gate_explain_attach(int error, const char *link_name);
/* Detaches, frees the port and forgets its addresses and virtual hosts. */
void gate_detach(struct gate *gate, int port);

/*
 * Looks whether both programs are still attached, and first.  0 if so, 1 if they
 * were put back, -errno if that failed.
 */
int gate_check(struct gate *gate, int port);

/*
 * From the configuration, before anybody is master: adverts of vhid are taken out
 * (unicast ones only if unicast), and the address is known to be shared.
 */
int gate_watch(struct gate *gate, int port, uint8_t vhid, bool unicast);
void gate_ignore(struct gate *gate, int port, uint8_t vhid);
/* -EEXIST if the address belongs to another virtual host of the port. */
int gate_add_address(struct gate *gate, int port, uint8_t vhid, const struct address *address);
int gate_remove_address(struct gate *gate, int port, const struct address *address);

/*
 * Both are stores into memory.  At lease_end (boot clock) the gate shuts by itself.
 * Opening it again extends the lease.
 */
void gate_open(struct gate *gate, int port, uint8_t vhid, instant lease_end);
void gate_close(struct gate *gate, int port, uint8_t vhid);
/*
 * For the frames that were under way to this host when its successor took over.  Until
 * end they come in and are answered from the parent's own MAC, so that no switch learns
 * the virtual one here again.  ARP and neighbour discovery stay unanswered.
 */
void gate_pass(struct gate *gate, int port, uint8_t vhid, instant end);
/* Shuts every virtual host of every port: for the keeper when the engine has died, and for a new engine. */
void gate_close_all(struct gate *gate);

/* Per virtual host, since the port was attached. */
struct gate_counters {
	uint64_t accepted;     /* frames to the virtual MAC let in */
	uint64_t refused;      /* frames to or from it dropped because this host is not master */
	uint64_t fenced;       /* the same because the lease had run out */
	uint64_t rewritten;    /* frames sent from a shared address, with the virtual MAC */
	uint64_t adverts;      /* handed to the engine */
	uint64_t adverts_lost; /* no room in the ring */
	uint64_t vrrp;         /* VRRP packets that carry this id */
};
void gate_read_counters(struct gate *gate, int port, uint8_t vhid, struct gate_counters *ret_counters);

/* The ring of adverts, for the caller's event loop. */
int gate_fd(const struct gate *gate);

/* network points at the IP header; arrived is when the gate saw it. */
typedef void gate_received(void *context, int link_index, const uint8_t *network, size_t bytes,
                           bool multicast, instant arrived);
/* Hands over everything in the ring.  Returns the number of adverts or -errno. */
int gate_receive(struct gate *gate, gate_received *received, void *context);
/*
 * In a burst, waking the caller is most of what an advert costs (doc/linux.md 3): for a fraction of a
 * millisecond no advert does.  Returns when to call gate_receive without being woken.
 */
instant gate_hush(struct gate *gate, instant now);
/* Throws away what is in the ring: a new engine does not act on what the one before it did not read. */
void gate_drain(struct gate *gate);

/*
 * Detaches and removes gates that earlier runs left on any interface of this
 * network namespace.  Returns their number or -errno.
 */
int gate_clean(void);

#endif
