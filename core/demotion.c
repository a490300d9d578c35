#include "demotion.h"

#include <stdio.h>
#include <string.h>

/* A longer name was cut when it was kept. */
static bool has_name(const struct demotion *reason, const char *name)
{
	return strncmp(reason->name, name, DEMOTION_NAME_MAX - 1) == 0;
}

void demotion_name(char name[DEMOTION_NAME_MAX], const char *what, const char *whose)
{
	snprintf(name, DEMOTION_NAME_MAX, "%s %s", what, whose);
}

static struct demotion *find(struct demotions *demotions, const char *name)
{
	for (size_t i = 0; i < DEMOTIONS_MAX; i++)
		if (has_name(&demotions->reasons[i], name))
			return &demotions->reasons[i];
	return NULL;
}

bool demotion_raise(struct demotions *demotions, const char *name, int value, int scope, instant now,
                    instant until)
{
	struct demotion *reason = find(demotions, name);

	if (name[0] == '\0')
		return false;
	if (reason == NULL) {
		reason = find(demotions, "");
		if (reason == NULL)
			return false;
		size_t length = strnlen(name, DEMOTION_NAME_MAX - 1);
		memcpy(reason->name, name, length);
		reason->name[length] = '\0';
		reason->since = now;
	}
	reason->value = value;
	reason->scope = scope;
	reason->until = until;
	return true;
}

bool demotion_lift(struct demotions *demotions, const char *name)
{
	struct demotion *reason = find(demotions, name);

	if (name[0] == '\0' || reason == NULL)
		return false;
	memset(reason, 0, sizeof(*reason));
	return true;
}

void demotion_rescope(struct demotions *demotions, const char *name, int scope)
{
	struct demotion *reason = find(demotions, name);

	if (name[0] != '\0' && reason != NULL)
		reason->scope = scope;
}

const struct demotion *demotion_find(const struct demotions *demotions, const char *name)
{
	for (size_t i = 0; i < DEMOTIONS_MAX; i++)
		if (name[0] != '\0' && has_name(&demotions->reasons[i], name))
			return &demotions->reasons[i];
	return NULL;
}

uint8_t demotion_sum(const struct demotions *demotions, int scope)
{
	int sum = 0;

	for (size_t i = 0; i < DEMOTIONS_MAX; i++) {
		const struct demotion *reason = &demotions->reasons[i];
		if (reason->name[0] != '\0' &&
		    (reason->scope == scope || reason->scope == DEMOTION_EVERYWHERE))
			sum += reason->value;
	}
	/* A larger sum must not wrap around to a small one (FreeBSD PR 259528). */
	return (uint8_t)(sum < DEMOTION_SUM_MAX ? sum : DEMOTION_SUM_MAX);
}

bool demotion_expire(struct demotions *demotions, instant now, struct demotion *ret_expired)
{
	for (size_t i = 0; i < DEMOTIONS_MAX; i++) {
		struct demotion *reason = &demotions->reasons[i];
		if (reason->name[0] != '\0' && instant_reached(reason->until, now)) {
			*ret_expired = *reason;
			memset(reason, 0, sizeof(*reason));
			return true;
		}
	}
	return false;
}

instant demotion_deadline(const struct demotions *demotions)
{
	instant deadline = INSTANT_NEVER;

	for (size_t i = 0; i < DEMOTIONS_MAX; i++)
		if (demotions->reasons[i].name[0] != '\0')
			deadline = instant_earlier(deadline, demotions->reasons[i].until);
	return deadline;
}
