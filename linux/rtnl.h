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
 * Marks every address that carpd has added, so that a leftover is recognised: as its protocol (IFA_PROTO),
 * and for kernels before 5.18, which have none, as its metric, which means nothing without a prefix route.
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
	int master; /* the bridge, bond or the like that takes its frames; 0: none, or a VRF, which takes none
	             */
	char master_kind[16]; /* "bridge" */
	int vrf;              /* 0: none */
	int lower;            /* of a macvlan or ipvlan: what it is on; 0 if that is in another namespace */
	bool passthru;        /* a macvlan that takes every frame of the link below */
	bool speaks_arp;
};

struct rtnl_address {
	int link_index;
	struct shared_address address;
	uint8_t protocol; /* RTNL_ADDRESS_PROTOCOL if it is ours, by either mark */
	bool scope_host;
	bool tentative; /* duplicate address detection not finished, or failed */
	bool fleeting;  /* not the first of its subnet, temporary or deprecated: the kernel prefers others */
};

/*
 * What the listener is told.  After an overrun everything is read again:
 * resync_begin, every link and address as it is now, resync_end; what was not
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
 * Reads what is there, non-blocking; in a flood it stops after a while and the fd
 * stays ready.  Answers an overrun (ENOBUFS) with a full re-dump.  0 or -errno;
 * if a re-dump failed nobody was told anything, and the next call tries again,
 * for which the fd does not become ready.
 */
int rtnl_read(struct rtnl *rtnl);

/* One round of resync_begin, everything, resync_end: for a caller who wants to know of other links now. */
int rtnl_resync(struct rtnl *rtnl);

/*
 * Changes are gathered and go to the kernel in as few calls as their size
 * allows.  tag comes back in the result; each request gets exactly one.
 */
struct rtnl_address_flags {
	bool scope_host; /* IPv4: the parent has another address, which must stay the one chosen as source */
};

int rtnl_take_address(struct rtnl *rtnl, int link_index, const struct address *address,
                      struct rtnl_address_flags flags, void *tag);
int rtnl_drop_address(struct rtnl *rtnl, int link_index, const struct address *address, void *tag);
/* Gives an IPv4 address that was taken another scope; it is never away meanwhile. */
int rtnl_rescope_address(struct rtnl *rtnl, int link_index, const struct address *address,
                         struct rtnl_address_flags flags, void *tag);
/* The route to the shared subnet, which a parent without an address of its own lacks. */
int rtnl_add_route(struct rtnl *rtnl, int link_index, const struct shared_address *subnet, void *tag);
int rtnl_remove_route(struct rtnl *rtnl, int link_index, const struct shared_address *subnet, void *tag);
struct address rtnl_network_of(const struct shared_address *subnet);
/*
 * A route through a gateway on the link.  Taking answers -EEXIST if there is one with the same destination
 * and metric, ours or somebody's; dropping drops ours only.
 */
struct rtnl_route {
	struct shared_address destination; /* prefix length 0: all */
	struct address gateway;
	uint32_t metric; /* 0: the kernel's choice */
};
int rtnl_take_route(struct rtnl *rtnl, int link_index, const struct rtnl_route *route, void *tag);
int rtnl_drop_route(struct rtnl *rtnl, int link_index, const struct rtnl_route *route, void *tag);
/*
 * The IPv4 routes through gateways on the link that are nobody's in particular: neither the kernel's, nor
 * ours, nor a routing daemon's, who would put his back.  Their number, of which no more than room are
 * written; 0 if it cannot be found out.
 */
size_t rtnl_list_routes(struct rtnl *rtnl, int link_index, struct rtnl_route *ret_routes, size_t room);
/* The local entry of a bridge for the virtual MAC (doc/linux.md 5.2). */
int rtnl_learn_mac(struct rtnl *rtnl, int link_index, const struct mac *mac, void *tag);
int rtnl_forget_mac(struct rtnl *rtnl, int link_index, const struct mac *mac, void *tag);

/*
 * Sends what was gathered and hears every answer.  error is 0 or -errno; text is
 * the kernel's own explanation or empty.  Taking an address that is there
 * (EEXIST) and dropping one that is not (EADDRNOTAVAIL) count as success; taking
 * leaves one that does not carry our mark as it is, but dropping would remove it.
 * An IPv4 address that is there with another prefix length is another address to
 * the kernel, not noticed here.  result may gather and commit anew.
 * Returns 0 if the kernel answered all of it, whatever it answered, else -errno.
 */
typedef void rtnl_result(void *context, void *tag, int error, const char *text);
int rtnl_commit(struct rtnl *rtnl, rtnl_result *result, void *context);

/*
 * Whether a packet to address would be this host's own.  The kernel puts the route
 * of a new IPv6 address in place from a work queue, even after it has told of the
 * address; until then the address is there and deaf.
 */
bool rtnl_delivers_locally(struct rtnl *rtnl, int link_index, const struct address *address);

/* The name under which the kernel tells of the link with that alternative name.  False if there is none. */
bool rtnl_find_name(struct rtnl *rtnl, const char *alternative, char ret_name[IFNAMSIZ]);

/*
 * For a start after a crash and for `carpd --clean`: drops every address that
 * carries our mark, our routes, and every bridge entry of a virtual MAC.  Needs no listener.
 * Returns the number of things removed, or -errno if something is left.
 */
int rtnl_clean(void);

#endif
