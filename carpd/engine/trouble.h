/*
 * What about this host keeps a group from serving as it should: seen in what the kernel tells of
 * links and addresses, said in the status and the log, and by `carpd -n` before anything happens.
 */
#ifndef CARPD_TROUBLE_H
#define CARPD_TROUBLE_H

#include <jansson.h>

#include "daemon.h"

/* Appends sentences that say what is wrong and what to do. */
void trouble_find(const struct daemon *daemon, const struct group *group, json_t *texts);

/* Logs what is new, and what is over. */
void trouble_look(struct daemon *daemon);

#endif
