/*
 * The state of everything, as doc/control-protocol.md describes it.
 */
#ifndef CARPD_STATUS_H
#define CARPD_STATUS_H

#include <jansson.h>

#include "carpd/engine/daemon.h"

/* group NULL: all of them, without detail. */
json_t *status_json(const struct daemon *daemon, const struct group *group);

#endif
