/*
 * What outlives the daemon: maintenance, the sequence of our seals and how far
 * those of the peers had come.  All of it may be lost without harm to anything
 * but the memory of replays, so nothing here waits for a disk: the engine says what
 * is to be kept, and the keeper's writer (writer.h) writes it.
 */
#ifndef CARPD_STATE_H
#define CARPD_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "carpd/config/config.h"
#include "core/engine.h"
#include "carpd/keeper/state_pages.h"

struct state {
	char directory[CONFIG_PATH_MAX];
	int channel; /* to the keeper */
	struct state_pages *pages;
	unsigned page;              /* that is written next */
	uint64_t reserved_sequence; /* a restart begins above this */
	bool same_boot;             /* the kernel runs on since the file was written */
	int64_t lead_ns;            /* of our sequences before the boot clock, as it was then */
	int64_t ahead_ns;           /* before the wall clock */
	bool asked;                 /* the keeper has not answered yet */
	uint64_t asked_sequence;    /* what will be reserved if it says yes */
	instant asked_at;
	uint32_t maintenance_asked; /* how often */
	char problem[96];           /* empty, or why nothing is kept */
};

/* Reads what is there; what cannot be read is told, with the consequence, and done without. */
void state_open(struct state *state, const char *directory, int channel, struct state_pages *pages);

/* For this run.  now is of the boot clock. */
uint64_t state_first_sequence(const struct state *state, instant now, int64_t wall_ns);

bool state_maintenance(const struct state *state);
/* The keeper answers with MESSAGE_MAINTENANCE and that number.  0 or -errno. */
int state_ask_maintenance(struct state *state, bool on, uint32_t *ret_number);

/*
 * Asks the keeper to reserve the sequences that follow, and to keep the marks of the
 * peers.  Ahead of their use, so that a crash repeats none; not far, since a peer that
 * sees us for the first time compares them with its clock.  That it fails, and that it
 * works again, is told once; meanwhile state_renew tries each time.
 */
void state_save(struct state *state, const struct engine *engine, instant now);
/* The same, if what is reserved will soon be used up. */
void state_renew(struct state *state, const struct engine *engine, instant now);
/* The keeper has answered: error is empty, or why not. */
void state_saved(struct state *state, const char *error);
/* At the end, when no more are used: the next run begins right above what this one has used. */
void state_close(struct state *state, const struct engine *engine, instant now);
/* Gives the engine the marks that were saved, and the ids of its earlier runs. */
void state_restore(const struct state *state, struct engine *engine, instant now);

#endif
