/*
 * Which of its own addresses a host speaks from.
 */
#ifndef CARPD_SOURCE_H
#define CARPD_SOURCE_H

#include "interface.h"
#include "carpd/config/runtime.h"

/*
 * For the adverts of a group: the one that its option says, wherever that is; else of the interface's own
 * ones the one that its peers know it by, because they are in one subnet, or the shared addresses are.  Of
 * several as good ones current stays, so that nothing changes when addresses come and go.  FAMILY_NONE: there
 * is none.
 */
struct address source_choose(const struct interface *interface, const struct runtime *runtime, size_t group,
                             enum family family, const struct address *current);

#endif
