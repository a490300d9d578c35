/*
 * The words that ask the daemon; each takes its arguments up to a NULL and
 * returns what carpctl exits with.
 */
#ifndef CARPD_CARPCTL_COMMAND_H
#define CARPD_CARPCTL_COMMAND_H

#include "carpctl/carpctl.h"

int command_status(const struct options *options, char **arguments);
int command_show(const struct options *options, char **arguments);
int command_log(const struct options *options, char **arguments);
int command_demote(const struct options *options, char **arguments);
int command_undemote(const struct options *options, char **arguments);
int command_maintenance(const struct options *options, char **arguments);
int command_handover(const struct options *options, char **arguments);
int command_reload(const struct options *options, char **arguments);
int command_version(const struct options *options, char **arguments);

#endif
