#include "refusal.h"

#include <stdlib.h>
#include <string.h>

/* Twice as long after each refusal: what was tried without success is not tried all the time. */
#define AGAIN_NS     (10 * NS_PER_S)
#define AGAIN_MAX_NS (640 * NS_PER_S)

struct refusal *refusal_find(const struct interface *interface, const struct address *address)
{
	for (size_t i = 0; i < interface->refusal_count; i++)
		if (address_equal(&interface->refusals[i].address, address))
			return &interface->refusals[i];
	return NULL;
}

static bool is_foreseen(const struct interface *interface, const struct address *address)
{
	return address->family == FAMILY_IPV6 && interface->ipv6 != IPV6_ON;
}

static bool is_refused(const struct interface *interface, const struct address *address)
{
	const struct refusal *refusal = refusal_find(interface, address);

	return is_foreseen(interface, address) || (refusal != NULL && !refusal->lapsed);
}

bool refusal_stands(const struct interface *interface, const struct address *address, instant now)
{
	const struct refusal *refusal = refusal_find(interface, address);

	return is_foreseen(interface, address) ||
	       (refusal != NULL && !refusal->lapsed && !instant_reached(refusal->again_at, now));
}

static void forget(struct interface *interface, struct refusal *refusal)
{
	*refusal = interface->refusals[--interface->refusal_count];
}

bool refusal_note(struct interface *interface, const struct address *address, int error, const char *text,
                  instant now)
{
	struct refusal *refusal = refusal_find(interface, address);

	interface->refusals_changed = true;
	if (error == 0) {
		if (refusal != NULL)
			forget(interface, refusal);
		return refusal != NULL;
	}
	if (refusal == NULL) {
		struct refusal *grown =
		        reallocarray(interface->refusals, interface->refusal_count + 1, sizeof(*grown));
		if (grown == NULL)
			return false;
		interface->refusals = grown;
		refusal = &grown[interface->refusal_count++];
		*refusal = (struct refusal){.address = *address, .wait_ns = AGAIN_NS / 2};
	}
	if (refusal->wait_ns < AGAIN_MAX_NS)
		refusal->wait_ns *= 2;
	refusal->again_at = instant_after(now, refusal->wait_ns);
	refusal->lapsed = false;
	refusal->error = error;
	snprintf(refusal->text, sizeof(refusal->text), "%s", text);
	interface->ipv6 = ipv6_look(interface->name); /* it may be the reason */
	return false;
}

static enum refused how_many(const struct interface *interface, const struct group_settings *settings)
{
	size_t count = 0;

	for (size_t i = 0; i < settings->address_count; i++)
		count += is_refused(interface, &settings->addresses[i].address);
	if (count == 0 || interface->link.index == 0)
		return REFUSED_NONE;
	return count == settings->address_count ? REFUSED_ALL : REFUSED_SOME;
}

void refusal_follow(struct engine *engine, struct interfaces *interfaces, instant now)
{
	for (size_t g = 0; g < engine->settings->group_count; g++) {
		struct group *group = &engine->groups[g];
		const struct interface *interface = &interfaces->list[group->settings->parent];
		if (interface->refusals_changed)
			engine_refuse(engine, group, how_many(interface, group->settings), now);
	}
	for (size_t i = 0; i < interfaces->count; i++)
		interfaces->list[i].refusals_changed = false;
}

/* A master tries; to anybody else the address may be as good as any until it is needed. */
static void try_again(struct daemon *daemon, const struct interface *interface, const struct group *group)
{
	for (size_t i = 0; i < group->settings->address_count && interface->refusal_count > 0; i++) {
		struct refusal *refusal = refusal_find(interface, &group->settings->addresses[i].address);
		if (refusal == NULL || refusal->lapsed || !instant_reached(refusal->again_at, daemon->now))
			continue;
		if (group->masters > 0)
			daemon_move(daemon, group);
		else
			refusal->lapsed = true;
	}
}

void refusal_look(struct daemon *daemon)
{
	for (size_t i = 0; i < daemon->interfaces.count; i++) {
		struct interface *interface = &daemon->interfaces.list[i];
		if (interface->link.index != 0)
			interface->ipv6 = ipv6_look(interface->name);
		interface->refusals_changed = true;
	}
	for (size_t g = 0; g < daemon->engine->settings->group_count; g++) {
		const struct group *group = &daemon->engine->groups[g];
		try_again(daemon, daemon_interface_of(daemon, group), group);
	}
	refusal_follow(daemon->engine, &daemon->interfaces, daemon->now);
}

static json_t *describe_foreseen(const struct interface *interface, const char *addresses)
{
	const char *name = interface->name;

	switch (interface->ipv6) {
	case IPV6_OFF:
		return json_sprintf("%s cannot be had: IPv6 is switched off on %s; switch it on: sysctl -w "
		                    "net.ipv6.conf.%s.disable_ipv6=0",
		                    addresses, name, name);
	case IPV6_NARROW:
		return json_sprintf("%s cannot be had: the kernel gives %s no IPv6; raise its MTU to 1280 or "
		                    "more: ip link set %s mtu 1500",
		                    addresses, name, name);
	case IPV6_MISSING:
		return json_sprintf("%s cannot be had: this kernel runs without IPv6; start it without "
		                    "ipv6.disable=1, or take the address out on every host",
		                    addresses);
	case IPV6_ON:
		break;
	}
	return NULL;
}

static void describe_tried(const struct interface *interface, const struct address *address, json_t *texts)
{
	const struct refusal *refusal = refusal_find(interface, address);
	char text[TEXT_ADDRESS_MAX];

	if (refusal == NULL || refusal->lapsed || is_foreseen(interface, address))
		return;
	json_array_append_new(
	        texts,
	        json_sprintf("%s cannot be had: the kernel refuses it on %s: %s%s%s; it is tried again",
	                     text_address(address, text), interface->name, strerror(refusal->error),
	                     refusal->text[0] != '\0' ? ": " : "", refusal->text));
}

void refusal_describe(const struct daemon *daemon, const struct group *group, json_t *texts)
{
	const struct interface *interface = daemon_interface_of(daemon, group);
	const struct group_settings *settings = group->settings;
	char first[TEXT_ADDRESS_MAX], addresses[2 * TEXT_ADDRESS_MAX];
	size_t foreseen = 0;

	for (size_t i = 0; i < settings->address_count; i++) {
		const struct address *address = &settings->addresses[i].address;
		describe_tried(interface, address, texts);
		if (is_foreseen(interface, address) && foreseen++ == 0)
			text_address(address, first);
	}
	if (foreseen == 0)
		return;
	if (foreseen == 1)
		snprintf(addresses, sizeof(addresses), "%s", first);
	else
		snprintf(addresses, sizeof(addresses), "%s and %zu more", first, foreseen - 1);
	json_array_append_new(texts, describe_foreseen(interface, addresses));
}
