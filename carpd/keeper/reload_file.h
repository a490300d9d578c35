/*
 * The configuration read again, and on its way from its file to the engine.
 */
#ifndef CARPD_RELOAD_FILE_H
#define CARPD_RELOAD_FILE_H

#include "child.h"
#include "carpd/config/config.h"

struct reload_file {
	const char *path;         /* NULL: a configuration without a file, which cannot be */
	struct config **in_force; /* the keeper's */
	struct config *under_way; /* sent, but the engine has not said that it is in force */
	uint32_t wanted;          /* the number of the last request of the engine's clients */
	bool again;               /* asked for meanwhile */
};

/*
 * Reads and checks it, and gives it to the engine (if none runs, to the next one).  What is wrong is logged,
 * and told to the engine for those who asked for it.  While one is under way the next has to wait: the engine
 * waits for groups that leave, and the file may change once more.
 */
void reload_file_read(struct reload_file *reload_file, struct child *child);
/* The same for request number of the engine's clients, who are told of a reading that began after it. */
void reload_file_wanted(struct reload_file *reload_file, struct child *child, uint32_t number);

/* The engine has put it in force; or does not take it; or has died, and the next one gets the old one. */
void reload_file_confirmed(struct reload_file *reload_file, struct child *child);
void reload_file_refused(struct reload_file *reload_file, struct child *child, const char *why);
void reload_file_lost(struct reload_file *reload_file);

#endif
