#include "await.h"

#include "refusal.h"

/* Rivals wait for our advert too, so the kernel gets no more than this. */
#define PATIENCE_NS (50 * NS_PER_MS)

/* Nobody tells of the route, so we look this often. */
#define LOOK_EVERY_NS (500 * NS_PER_US)

/* IPv4 is in place with the answer to the request. */
static bool is_in_place(const struct daemon *daemon, const struct group *group)
{
	const struct group_settings *settings = group->settings;
	const struct interface *interface = &daemon->interfaces.list[settings->parent];

	for (size_t i = 0; i < settings->address_count; i++) {
		const struct address *address = &settings->addresses[i].address;
		if (address->family == FAMILY_IPV6 && !refusal_stands(daemon, interface, address) &&
		    !rtnl_delivers_locally(daemon->rtnl, interface->link.index, address))
			return false;
	}
	return true;
}

/* What belongs to one group stays in its order. */
static bool waits_already(const struct await *await, size_t count, const struct group *group)
{
	for (size_t i = 0; i < count; i++)
		if (await->kept[i].group == group)
			return true;
	return false;
}

static bool begins_a_reign(const struct action *action)
{
	return action->node != NULL && action->node->vhost.state == VHOST_MASTER &&
	       action->node->vhost.lease_end.ns == 0;
}

bool await_keep(struct daemon *daemon, const struct action *action)
{
	struct await *await = &daemon->await;

	if (!begins_a_reign(action) || await->count == await->capacity)
		return false;
	if (!waits_already(await, await->count, action->group) && is_in_place(daemon, action->group))
		return false;
	if (await->count == 0)
		await->until = instant_after(daemon->now, PATIENCE_NS);
	await->kept[await->count++] = *action;
	await->look_at = instant_after(daemon->now, LOOK_EVERY_NS);
	return true;
}

size_t await_release(struct daemon *daemon, struct action *ret_actions)
{
	struct await *await = &daemon->await;
	bool impatient = instant_reached(await->until, daemon->now);
	size_t released = 0, left = 0;

	for (size_t i = 0; i < await->count; i++) {
		const struct action *action = &await->kept[i];
		if (impatient || action->group->masters == 0 ||
		    (!waits_already(await, left, action->group) && is_in_place(daemon, action->group)))
			ret_actions[released++] = *action;
		else
			await->kept[left++] = *action;
	}
	await->count = left;
	await->look_at = instant_after(daemon->now, LOOK_EVERY_NS);
	return released;
}

instant await_deadline(const struct daemon *daemon)
{
	return daemon->await.count > 0 ? daemon->await.look_at : INSTANT_NEVER;
}
