/*
 * A parent interface as the daemon runs it: what the kernel says about it, the
 * sockets on it, its port of the gate, and how each group's MAC came out.
 */
#ifndef CARPD_INTERFACE_H
#define CARPD_INTERFACE_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>

#include "address_list.h"
#include "core/engine.h"
#include "linux/gate.h"
#include "linux/ipv6.h"
#include "linux/rtnl.h"
#include "linux/wire.h"
#include "carpd/log/text.h"

struct runtime;

/* VRRP packets with the number of a group (vrrp.h). */
struct vrrp {
	uint64_t packets; /* counted so far */
	instant since, heard;
	bool near;
};

/* What is known of a virtual MAC on an interface. */
enum second_mac {
	SECOND_MAC_UNKNOWN,
	SECOND_MAC_LET_IN,
	SECOND_MAC_REFUSED,
};

#define ROUTES_LOST_MAX 4

/* An address that the kernel has refused (refusal.h). */
struct refusal {
	struct address address;
	int error;     /* errno */
	char text[64]; /* the kernel's own words, or empty */
	int64_t wait_ns;
	instant again_at;
	bool lapsed; /* not master meanwhile, so only the next time tells */
};

struct interface {
	char name[IFNAMSIZ];
	struct rtnl_link link;       /* link.index 0: it does not exist */
	struct address_list ours;    /* addresses with our mark */
	struct address_list others;  /* and without */
	struct address_list subnets; /* that we have put a route to: the address of the network */
	bool own_changed;            /* wanted.c: an address that is not carpd's came or went */
	bool leftovers;              /* wanted.c: one with our mark is there, of no group that serves */
	struct wire *wire;
	int taker;               /* what takes its frames (surroundings.h); 0: nobody */
	bool renamed;            /* the kernel's has another name now; ours is still as it was */
	int gate_port;           /* -1: no group on it uses the gate */
	char gate_refused[256];  /* why it is not on it although a group asks for it, or empty */
	bool gate_doubtful;      /* guard.c: somebody changed the interface's filters */
	instant gate_look_at;    /* not earlier */
	struct fight gate_fight; /* for its place */
	bool listening;          /* adverts come by packet socket */
	struct address stranger; /* told of: shared, but not put there by us (FAMILY_NONE: none) */
	bool groups_doubtful;    /* the kernel may have forgotten the multicast groups */
	bool router;             /* it forwards IPv6, when last looked at */
	struct rtnl_route lost[ROUTES_LOST_MAX]; /* route.c: gone with our last address on it */
	size_t lost_count;
	bool lost_pending; /* route.c: listed, but it is not sure yet that they go */
	bool mentioned;    /* during a resync: still there */
	enum ipv6_state ipv6;
	struct refusal *refusals;
	size_t refusal_count;
	bool refusals_changed;            /* the engine is to hear of it */
	struct vrrp vrrp[256];            /* by number */
	enum second_mac second_macs[256]; /* by number, too */
	char problem[128];                /* empty, or why no group can run on it */
};

struct interfaces {
	struct interface *list; /* one for each of the engine's parents, in its order */
	size_t count;
	struct gate *gate; /* NULL: there is none, and gate_missing says why */
	const char *gate_missing;
	int fd_limit; /* of the process */
};

/* One for each of runtime's parents, taking over from old (may be NULL) what both have.  0 or -errno. */
int interfaces_create(struct interfaces *interfaces, const struct runtime *runtime, struct interfaces *old);
void interfaces_free(struct interfaces *interfaces);

struct interface *interfaces_find(struct interfaces *interfaces, int link_index);
struct interface *interfaces_find_name(struct interfaces *interfaces, const char *name);

/* Keeps the picture of the kernel's addresses.  True if something changed. */
bool interface_note_address(struct interface *interface, const struct rtnl_address *address, bool gone);
void interface_forget_addresses(struct interface *interface);
/* Whoever has put it there. */
bool interface_has_address(const struct interface *interface, const struct address *address);

/*
 * Opens what a parent that exists needs for its groups, and decides on their
 * MAC.  What is open already stays open, so groups that a reload leaves alone
 * notice nothing.
 */
void interface_attach(struct interfaces *interfaces, struct interface *interface, struct runtime *runtime,
                      instant now);
void interface_detach(struct interfaces *interfaces, struct interface *interface);
/* From the next interface_attach on it does without the gate, as gate_attach or gate_check failed. */
void interface_refuse_gate(struct interface *interface, int error);

/* After a reload: an address that vhid no longer shares, or (NULL) all of a vhid that is gone. */
void interface_release(struct interfaces *interfaces, struct interface *interface, uint8_t vhid,
                       const struct address *address);

/* Somebody else takes its frames or has given it another name, and what we have on it is still there. */
bool interface_is_leaving(const struct interface *interface);
/* As the engine wants to know it, without the addresses that its groups speak from. */
struct parent interface_as_parent(const struct interface *interface);

/*
 * The same address, added by somebody else, or NULL.  With several lengths the
 * longest, since it may be in the place of ours.
 */
const struct rtnl_address *interface_stranger(const struct interface *interface,
                                              const struct address *address);
/* What is wrong with it, and what to do. */
const char *interface_describe_stranger(const struct interface *interface,
                                        const struct rtnl_address *stranger, char text[TEXT_SENTENCE_MAX]);

/* An address that no group shares: the host's own. */
bool interface_is_own(const struct rtnl_address *address, const struct runtime *runtime);
/* Whether address is in subnet. */
bool interface_same_subnet(const struct shared_address *subnet, const struct address *address);
/*
 * The own address whose prefix length says what subnet is, or NULL: one in it, or in whose subnet it is;
 * of several the one that agrees with it.  One without a subnet (/32, /128) says nothing.
 */
const struct shared_address *interface_own_in(const struct interface *interface,
                                              const struct runtime *runtime,
                                              const struct shared_address *subnet);

/* Whether the host has an address of its own on it, of IPv4. */
bool interface_has_own_ipv4(const struct interface *interface, const struct runtime *runtime);

#endif
