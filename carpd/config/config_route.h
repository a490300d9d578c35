/*
 * A route as it is written: "default via 203.0.113.6", "2001:db8::/32 via fe80::1 metric 50".
 */
#ifndef CARPD_CONFIG_ROUTE_H
#define CARPD_CONFIG_ROUTE_H

#include <stdbool.h>

#include "config_read.h"
#include "config_report.h"
#include "linux/rtnl.h"

#define CONFIG_ROUTE_TEXT_MAX 160

bool config_route_read(struct config_report *report, const struct config_word *word,
                       struct rtnl_route *ret_route);
const char *config_route_text(const struct rtnl_route *route, char text[CONFIG_ROUTE_TEXT_MAX]);

#endif
