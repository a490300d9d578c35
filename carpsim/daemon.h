/*
 * carpd on one host: what carpd/daemon.c is on a real one.  Each function is an
 * event; afterwards the engine's actions wait for perform_all.
 */
#ifndef CARPSIM_DAEMON_H
#define CARPSIM_DAEMON_H

#include "core/engine.h"
#include "scenario.h"

struct host;

struct daemon {
	struct group_settings *groups;
	struct node_settings *nodes;
	struct address unicast_peers[HOSTS_MAX];
	struct engine_settings settings;

	struct engine *engine; /* NULL: not running */
	struct action *todo;   /* those that are being performed */

	/* What is kept on disk. */
	struct replay *replays;
	uint64_t reserved_sequence;
};

void daemon_open(struct host *host);
void daemon_close(struct host *host);

void daemon_start(struct host *host);
/* At once, without a word. */
void daemon_end(struct host *host);
/* One turn of the loop. */
void daemon_turn(struct host *host);
/* Links that went down or came back unnoticed. */
void daemon_look_at_links(struct host *host);
/* An address of the first group is gone. */
void daemon_lose_address(struct host *host);

bool daemon_wants_to_advertise(const struct host *host);
void daemon_reserve_sequences(struct host *host);

#endif
