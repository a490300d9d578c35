/*
 * A configuration in the form the core takes, with the engine that runs on it:
 * what must live and die together in memory.
 */
#ifndef CARPD_RUNTIME_H
#define CARPD_RUNTIME_H

#include <stdint.h>

#include "config.h"
#include "core/engine.h"

struct runtime {
	struct config *config;
	struct engine_settings settings;
	struct group_settings *groups;
	struct node_settings *nodes;
	struct seal_key *seal_keys;
	const char **parent_names; /* each interface once, pointing into config */
	struct engine *engine;
	struct runtime *retired; /* the one before, as long as its passphrases are in grace */
};

/* Whether the group shares the address; a configuration has them in order. */
bool runtime_shares(const struct group_settings *group, const struct address *address);

/* A seed for the engine that no other host has. */
uint64_t runtime_seed(void);

/* Takes over config.  seed and sequence_base as in struct engine_settings.  NULL if there is no memory. */
struct runtime *runtime_create(struct config *config, uint64_t seed, uint64_t sequence_base, instant start);
/* With config and everything that is retired. */
void runtime_free(struct runtime *runtime);
/* Frees what was kept for the grace only. */
void runtime_free_retired(struct runtime *runtime);

#endif
