/*
 * What outlives the daemon: maintenance, the sequence of our seals and how far
 * those of the peers had come.  All of it may be lost without harm to anything
 * but the memory of replays, so nothing here waits for a disk.
 */
#ifndef CARPD_STATE_H
#define CARPD_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "config.h"
#include "core/engine.h"

struct state {
	char directory[CONFIG_PATH_MAX];
	uint64_t reserved_sequence; /* a restart begins above this */
	bool failing;               /* told that nothing can be saved */
};

/* Reads what is there; what cannot be read is told, with the consequence, and done without. */
void state_open(struct state *state, const char *directory);

bool state_maintenance(const struct state *state);
/* 0 or -errno. */
int state_set_maintenance(const struct state *state, bool on);

/*
 * Reserves the sequences that follow, and saves the marks of the peers.  Ahead of
 * their use, so that a crash repeats none; not far, since a peer that sees us for
 * the first time compares them with its clock.  That it fails, and that it works
 * again, is told once; meanwhile state_renew tries each time.
 */
void state_save(struct state *state, const struct engine *engine, instant now);
/* The same, if what is reserved will soon be used up. */
void state_renew(struct state *state, const struct engine *engine, instant now);
/* At the end, when no more are used: the next run begins right above what this one has used. */
void state_close(struct state *state, const struct engine *engine);
/* Gives the engine the marks that were saved. */
void state_restore_marks(const struct state *state, struct engine *engine, instant now);

#endif
