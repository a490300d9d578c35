/*
 * The small process with the rights: it reads files and secrets, opens what needs root, and
 * keeps an engine running.  It reads no packet.
 */
#ifndef CARPD_KEEPER_H
#define CARPD_KEEPER_H

#include "carpd/config/config.h"

/*
 * Takes over config, which came from path (read again on SIGHUP; NULL: a
 * configuration without a file, which cannot be).  Returns the exit status.
 */
int keeper_run(struct config *config, const char *path);

#endif
