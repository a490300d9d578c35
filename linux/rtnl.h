/*
 * rtnetlink: what happens to links and addresses, and our own changes to them.
 * Two sockets: one listens, one asks, so that an answer is never behind a flood of events.
 */
#ifndef CARPD_LINUX_RTNL_H
#define CARPD_LINUX_RTNL_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/address.h"

/*
 * The mark of every address that carpd has added, so that a leftover is recognised: its protocol, and on
 * kernels before 5.18 its metric (doc/linux.md 7.2).
 */
#define RTNL_ADDRESS_PROTOCOL 112

enum link_kind {
	LINK_ORDINARY,
	LINK_BRIDGE,         /* the virtual MAC needs a local entry in its table */
	LINK_NO_VIRTUAL_MAC, /* macvlan other than passthru, bond in balance-tlb or -alb */
	LINK_NOT_ETHERNET,   /* not usable at all */
};

struct rtnl_link {
	int index;
	char name[IFNAMSIZ];
	enum link_kind kind;
	char kind_name[16]; /* as the kernel calls it ("bond", "veth"), empty for hardware */
	bool up;            /* administratively up and with carrier; unknown carrier counts as up */
	struct mac mac;
	int master;           /* the bridge or bond that takes its frames, which a VRF does not; 0: none */
	char master_kind[16]; /* "bridge" */
	int vrf;              /* 0: none */
	int lower;            /* of a macvlan or ipvlan: the link below; 0: that is in another namespace */
	bool passthru;        /* a macvlan that takes every frame of the link below */
	bool speaks_arp;
};

struct rtnl_address {
	int link_index;
	struct shared_address address;
	uint8_t protocol; /* RTNL_ADDRESS_PROTOCOL if it is ours, by either mark */
	bool scope_host;
	bool tentative; /* duplicate address detection not finished, or failed */
	bool fleeting;  /* secondary, temporary or deprecated: the kernel prefers others as source */
};

/*
 * What the listener is told.  When events were lost everything is read again:
 * resync_begin, every link and address as it is now, resync_end.  What was not
 * mentioned in between is gone, and filters may have changed anywhere.  rtnl_open
 * ends with one such round.  Handlers may gather and commit changes.
 */
struct rtnl_handler {
	void (*link)(void *context, const struct rtnl_link *link, bool gone);
	void (*address)(void *context, const struct rtnl_address *address, bool gone);
	void (*filter_changed)(void *context,
	                       int link_index); /* RTNLGRP_TC: a qdisc or filter came or went */
	void (*resync_begin)(void *context);
	void (*resync_end)(void *context);
};

struct rtnl;

/* 0 or -errno.  The caller's handler and context must outlive the object. */
int rtnl_open(const struct rtnl_handler *handler, void *context, struct rtnl **ret_rtnl);
void rtnl_close(struct rtnl *rtnl);

int rtnl_fd(const struct rtnl *rtnl);

/*
 * Reads what is there, non-blocking; in a flood it stops after a while and the fd stays
 * ready.  If events were lost (ENOBUFS) it reads everything again.  0 or -errno.  If that
 * failed, nobody was told anything: call it again, the fd does not become ready for it.
 */
int rtnl_read(struct rtnl *rtnl);

/* One round of resync_begin, everything, resync_end: for a caller that now wants to know of other links. */
int rtnl_resync(struct rtnl *rtnl);

/*
 * Changes are gathered and go to the kernel in as few calls as their size
 * allows.  tag comes back in the result; each request gets exactly one.
 */
struct rtnl_address_flags {
	bool scope_host; /* IPv4: another address is to be the source (doc/linux.md 7.1) */
};

int rtnl_take_address(struct rtnl *rtnl, int link_index, const struct address *address,
                      struct rtnl_address_flags flags, void *tag);
int rtnl_drop_address(struct rtnl *rtnl, int link_index, const struct address *address, void *tag);
/* Gives another scope to an IPv4 address that was taken.  It is never away meanwhile. */
int rtnl_rescope_address(struct rtnl *rtnl, int link_index, const struct address *address,
                         struct rtnl_address_flags flags, void *tag);
/* The route to the shared subnet, which a parent without an address of its own lacks. */
int rtnl_add_route(struct rtnl *rtnl, int link_index, const struct shared_address *subnet, void *tag);
int rtnl_remove_route(struct rtnl *rtnl, int link_index, const struct shared_address *subnet, void *tag);
struct address rtnl_network_of(const struct shared_address *subnet);
/*
 * A route through a gateway on the link.  Taking answers -EEXIST if there is one with the same destination
 * and metric, whoever's it is.  Dropping drops ours only.
 */
struct rtnl_route {
	struct shared_address destination; /* prefix length 0: all */
	struct address gateway;
	uint32_t metric; /* 0: the kernel's choice */
};
int rtnl_take_route(struct rtnl *rtnl, int link_index, const struct rtnl_route *route, void *tag);
int rtnl_drop_route(struct rtnl *rtnl, int link_index, const struct rtnl_route *route, void *tag);
/*
 * The IPv4 routes through gateways on the link, without those of the kernel, ours, and those of routing
 * daemons, which would put theirs back.  Returns their number, which may be above room; 0 if it cannot be
 * found out.
 */
size_t rtnl_list_routes(struct rtnl *rtnl, int link_index, struct rtnl_route *ret_routes, size_t room);
/* The local entry of a bridge for the virtual MAC (doc/linux.md 5.2). */
int rtnl_learn_mac(struct rtnl *rtnl, int link_index, const struct mac *mac, void *tag);
int rtnl_forget_mac(struct rtnl *rtnl, int link_index, const struct mac *mac, void *tag);

/*
 * Sends what was gathered and hears every answer.  error is 0 or -errno; text is
 * the kernel's own explanation or empty.  result may gather and commit anew.
 * Returns 0 if the kernel answered all of it, whatever it answered, else -errno.
 *
 * Taking an address that is there (EEXIST) and dropping one that is not
 * (EADDRNOTAVAIL) are successes.  An address that is not marked as ours is left as it
 * is by taking, but dropping would remove it.  To the kernel an IPv4 address with
 * another prefix length is another address, and it is not noticed here.
 */
typedef void rtnl_result(void *context, void *tag, int error, const char *text);
int rtnl_commit(struct rtnl *rtnl, rtnl_result *result, void *context);

/*
 * Whether a packet to address would be for this host.  A new IPv6 address is deaf until
 * the kernel has put its route in place, some time later (doc/linux.md 7.3).
 */
bool rtnl_delivers_locally(struct rtnl *rtnl, int link_index, const struct address *address);

/* The name of the link that has this alternative name.  False if there is none. */
bool rtnl_find_name(struct rtnl *rtnl, const char *alternative, char ret_name[IFNAMSIZ]);

/*
 * For a start after a crash and for `carpd --clean`: drops every address that
 * carries our mark, our routes, and every bridge entry of a virtual MAC.  Needs no listener.
 * Returns the number of things removed, or -errno if something is left.
 */
int rtnl_clean(void);

#endif
