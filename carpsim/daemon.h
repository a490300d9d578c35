/*
 * carpd on one host: what carpd/engine/daemon.c is on a real one.  Each function is an
 * event; afterwards the engine's actions wait for perform_all.
 */
#ifndef CARPSIM_DAEMON_H
#define CARPSIM_DAEMON_H

#include "core/engine.h"
#include "scenario.h"

struct host;

/* A configuration file, in as far as a reload may find another one: bits of what is other than usual. */
enum {
	CONFIGURED_BACKWARDS = 1,   /* the last group is the first, and so with their interfaces */
	CONFIGURED_WITHOUT_ONE = 2, /* the first group is missing, unless it is the only one */
	CONFIGURED_SPLIT = 4,       /* each segment is a demotion group of its own */
	CONFIGURED_ANYHOW = 7,
};

#define GROUP_NAME_MAX 12

/* One of them, read. */
struct configuration {
	unsigned how;
	char (*names)[GROUP_NAME_MAX];
	struct group_settings *groups;
	struct node_settings *nodes;
	size_t *places; /* of each unit, counted from one; 0: it is missing */
	const char *parent_names[SEGMENTS_MAX];
	struct engine_settings settings;
};

struct daemon {
	struct configuration *configuration; /* NULL: not running */
	struct address unicast_peers[HOSTS_MAX];
	unsigned configured; /* how the file is now */
	bool reloading;      /* groups that are not in it any more are leaving */

	struct engine *engine; /* NULL: not running */
	struct action *todo;   /* those that are being performed */

	/* What is kept on disk. */
	struct replay *replays;
	int64_t kept_offset_ns; /* of the wall clock before the boot clock, at that time */
	uint64_t reserved_sequence;
	int64_t kept_lead_ns, kept_ahead_ns; /* of the sequences before the boot clock and the wall clock */
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
/* The file has changed: groups that are not in it any more leave, and then the new one is in force. */
void daemon_reload(struct host *host, unsigned configured);
/* When nothing is left to wait for. */
void daemon_finish_reload(struct host *host);

/*
 * A group, its virtual host and a segment are numbered by the scenario; their places
 * in the engine are the configuration's.  NULL: it is not configured, or nothing runs.
 */
struct node *daemon_node(const struct host *host, size_t unit);
size_t daemon_unit(const struct node *node);
size_t daemon_port(const struct host *host, size_t parent);

/* An address of the first group is gone. */
void daemon_lose_address(struct host *host);

int64_t daemon_wall_clock_ns(const struct host *host);

bool daemon_wants_to_advertise(const struct host *host);
void daemon_reserve_sequences(struct host *host);

#endif
