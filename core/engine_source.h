/*
 * The source address of a group's adverts.
 */
#ifndef CARPD_CORE_ENGINE_SOURCE_H
#define CARPD_CORE_ENGINE_SOURCE_H

#include "types.h"

/* An interface without an address speaks from the shared one, as OpenBSD does. */
struct address engine_source(const struct engine *engine, const struct group_settings *settings,
                             enum family family);
bool engine_source_is_shared(const struct engine *engine, const struct group_settings *settings,
                             enum family family);
/* The host's own address, or one of FAMILY_NONE if it has none. */
const struct address *engine_own_source(const struct engine *engine, const struct group_settings *settings,
                                        enum family family);

#endif
