/*
 * What a virtual host says of itself.
 */
#include "vhost.h"

const char *vhost_state_name(enum vhost_state state)
{
	static const char *const names[] = {"init", "backup", "master"};

	return names[state];
}

struct terms vhost_terms(const struct vhost *vhost)
{
	struct terms terms = {
	        .advbase = vhost->group->settings->advbase,
	        .advskew = vhost->advskew,
	        .demote = vhost->group->demotion,
	};

	if (terms.demote > 0 && terms.advskew < DEMOTED_ADVSKEW)
		terms.advskew = DEMOTED_ADVSKEW;
	return terms;
}

int64_t vhost_interval_ns(const struct vhost *vhost)
{
	return terms_interval_ns(vhost_terms(vhost));
}

bool vhost_speaks(const struct vhost *vhost)
{
	return vhost->state == VHOST_MASTER && !instant_is_never(vhost->speaks_since);
}

bool vhost_says_goodbye(const struct vhost *vhost)
{
	return vhost->handover.active && vhost->lease_end.ns != 0;
}
