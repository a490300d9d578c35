#include "drop.h"

#include <stddef.h>

static const char *const names[] = {
        [DROP_NONE] = "none",         [DROP_HEADER] = "header",
        [DROP_FRAGMENT] = "fragment", [DROP_TTL] = "ttl",
        [DROP_LENGTH] = "length",     [DROP_VERSION] = "version",
        [DROP_CHECKSUM] = "checksum", [DROP_VRRP] = "vrrp",
        [DROP_VHID] = "vhid",         [DROP_DESTINATION] = "destination",
        [DROP_STRANGER] = "stranger", [DROP_DIGEST] = "digest",
        [DROP_OWN] = "own",           [DROP_SEAL] = "seal",
        [DROP_KEY] = "key",           [DROP_REPLAY] = "replay",
        [DROP_STALE] = "stale",       [DROP_UNSEALED] = "unsealed",
        [DROP_FORGED] = "forged",     [DROP_INACTIVE] = "inactive",
};

_Static_assert(sizeof(names) / sizeof(names[0]) == DROP_COUNT, "every reason has a name");

const char *drop_name(enum drop reason)
{
	return names[reason];
}
