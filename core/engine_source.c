#include "engine_source.h"

const struct address *engine_own_source(const struct engine *engine, const struct group_settings *settings,
                                        enum family family)
{
	const struct parent *parent = &engine->parents[settings->parent].parent;
	const struct group *group = &engine->groups[settings - engine->settings->groups];
	const struct address *own = family == FAMILY_IPV4 ? &group->source_ipv4 : &group->source_ipv6;

	if (own->family != FAMILY_NONE)
		return own;
	return family == FAMILY_IPV4 ? &parent->source_ipv4 : &parent->source_ipv6;
}

bool engine_source_is_shared(const struct engine *engine, const struct group_settings *settings,
                             enum family family)
{
	return engine_own_source(engine, settings, family)->family != family;
}

struct address engine_source(const struct engine *engine, const struct group_settings *settings,
                             enum family family)
{
	const struct address *own = engine_own_source(engine, settings, family);
	const struct address *chosen = NULL;

	if (own->family == family)
		return *own;
	for (size_t i = 0; i < settings->address_count; i++) {
		const struct address *shared = &settings->addresses[i].address;
		if (shared->family == family && (chosen == NULL || address_is_link_local(shared)))
			chosen = shared;
	}
	return chosen != NULL ? *chosen : (struct address){.family = (uint8_t)family};
}
