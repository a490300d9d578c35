/*
 * The engine's process: everything that its parts share.
 */
#ifndef CARPD_DAEMON_H
#define CARPD_DAEMON_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/engine.h"
#include "history.h"
#include "carpd/net/interface.h"
#include "carpd/config/runtime.h"
#include "state.h"
#include "carpd/net/surroundings.h"

/* Adverts and timers go before people who ask. */
enum loop_priority {
	LOOP_PRIORITY_PROTOCOL,
	LOOP_PRIORITY_CLIENTS,
	LOOP_PRIORITIES,
};

struct daemon {
	struct loop *loop;
	struct runtime *runtime;
	struct engine *engine; /* runtime's */
	struct runtime *next;  /* reload.c: waits for groups to leave; NULL if there is no reload */
	struct interfaces interfaces;
	struct surroundings surroundings;
	struct squatters *squatters;
	struct trial *trial;
	struct route *routes; /* route.c: of the configuration */
	size_t route_count;
	bool look_at_routes; /* those that are in place, too */
	json_t *troubles;    /* trouble.c: what the log has been told */
	struct rtnl *rtnl;
	struct gate *gate;
	bool *moved; /* wanted.c: whose addresses are to be taken or dropped, by number of the group */
	bool wanted_changed;  /* wanted.c: what the kernel should have of ours, or has */
	bool resyncing;       /* observe.c: not all links have been told of yet */
	int rtnl_error;       /* 0, or why the kernel's links and addresses cannot be read */
	bool look_for_losses; /* observe.c: an address that we share went away */
	bool wires_changed;   /* observe.c: sockets of interfaces were opened or closed */
	unsigned gate_faults; /* how often somebody else detached it */
	int peer_fds[2];      /* IPv4, IPv6; -1: not open */
	struct history history;
	struct state state;
	gid_t admins;
	int keeper_sandbox, engine_sandbox; /* 0, or -errno of one that was wanted and is not there */
	instant now;                        /* as of the last daemon_read_clock */
	instant started;
	bool stopping;
	instant look_for_routes; /* wanted.c: when the kernel may route what has been taken */
	struct action *todo;     /* perform.c: the actions of this turn */
	struct action *told;     /* perform.c: what the log is owed */
	size_t told_count;
};

/* Room for the actions of engine, which is not yet or no longer daemon's. */
bool daemon_make_room(struct daemon *daemon, const struct engine *engine);

/* Reads the clocks: now, and the offset of the wall clock for the engine. */
instant daemon_read_clock(struct daemon *daemon);

/* The wall clock at daemon's now. */
static inline int64_t daemon_wall_ns(const struct daemon *daemon)
{
	return daemon->now.ns + daemon->engine->wall_offset_ns;
}

static inline struct interface *daemon_interface_of(const struct daemon *daemon, const struct group *group)
{
	return &daemon->interfaces.list[group->settings->parent];
}

/* Its addresses are to be taken, or dropped if it is not master, in this turn. */
void daemon_move(struct daemon *daemon, const struct group *group);

/* The group that shares address on that link, or NULL. */
const struct group *daemon_find_group(const struct daemon *daemon, int link_index,
                                      const struct address *address);

void daemon_set_maintenance(struct daemon *daemon, bool on);

#endif
