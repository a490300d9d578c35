/*
 * A reload: a new engine goes on where the old one stands.
 */
#include "engine_private.h"

#include <string.h>

static bool same_addresses(const struct group_settings *a, const struct group_settings *b)
{
	if (a->address_count != b->address_count)
		return false;
	for (size_t i = 0; i < a->address_count; i++)
		if (!address_equal(&a->addresses[i].address, &b->addresses[i].address))
			return false;
	return true;
}

static bool same_passphrase(const struct group_settings *a, const struct group_settings *b)
{
	return a->passphrase.length == b->passphrase.length &&
	       memcmp(a->passphrase.bytes, b->passphrase.bytes, a->passphrase.length) == 0;
}

static bool has_key(const struct group_settings *settings, const struct seal_key *key)
{
	for (size_t i = 0; i < settings->seal_key_count; i++)
		if (seal_key_equal(&settings->seal_keys[i], key))
			return true;
	return false;
}

/* Whether a peer that is not changed yet verifies what we sign now, and we what it signs. */
static bool keys_overlap(const struct group_settings *next, const struct group_settings *old)
{
	if (next->seal_key_count == 0 || old->seal_key_count == 0)
		return next->seal_key_count == old->seal_key_count;
	return has_key(old, &next->seal_keys[0]) && has_key(next, &old->seal_keys[0]);
}

static void carry_grace(struct group *next, const struct group *old)
{
	next->previous_in_use = old->previous_in_use;
	next->previous_sent = old->previous_sent;
	next->previous_until = old->previous_until;
	next->previous_seal_keys = old->previous_seal_keys;
	next->previous_seal_key_count = old->previous_seal_key_count;
	next->previous_mark_key = old->previous_mark_key;
	for (size_t i = 0; i < next->node_count; i++)
		next->nodes[i].previous_digests = old->nodes[i].previous_digests;
}

/* A second reload within the grace keeps the credentials that the peers are known to have. */
static void begin_grace(struct group *next, const struct group *old, int64_t grace_ns, instant now)
{
	carry_grace(next, old);
	next->previous_until = instant_after(now, grace_ns);
	if (old->previous_sent)
		return;
	next->previous_in_use = true;
	next->previous_sent = true;
	next->previous_seal_keys = old->settings->seal_keys;
	next->previous_seal_key_count = old->settings->seal_key_count;
	next->previous_mark_key = &old->settings->mark_key;
	for (size_t i = 0; i < next->node_count; i++)
		next->nodes[i].previous_digests = old->nodes[i].digests;
}

bool engine_in_grace(const struct engine *engine)
{
	for (size_t i = 0; i < engine->settings->group_count; i++)
		if (engine->groups[i].previous_in_use)
			return true;
	return false;
}

/* What was configured anew stays; what has happened so far is carried over. */
static void adopt_node(struct node *next, const struct node *old, instant now)
{
	const struct node fresh = *next;

	*next = *old;
	next->vhost.group = fresh.vhost.group;
	next->vhost.advskew = fresh.vhost.advskew;
	memcpy(next->digests, fresh.digests, sizeof(next->digests));
	next->previous_digests = NULL;
	/* Told anew if they are still there. */
	next->conflict.source.family = FAMILY_NONE;
	next->other_form.source.family = FAMILY_NONE;
	/* Found out anew: the peers may be others, or one of them in another place. */
	memset(next->outlets, 0, sizeof(next->outlets));
	next->probe_at = now;
}

static bool same_terms(const struct group *next, const struct group *old, size_t node)
{
	return next->settings->advbase == old->settings->advbase &&
	       next->nodes[node].vhost.advskew == old->nodes[node].vhost.advskew;
}

static void adopt_group(struct engine *engine, struct group *next, const struct group *old, instant now)
{
	bool addresses_changed = !same_addresses(next->settings, old->settings);

	next->masters = old->masters;
	next->demotion = old->demotion;
	next->virtual_mac = old->virtual_mac;
	next->out_of_service = old->out_of_service;
	next->refused = old->refused;
	next->source_ipv4 = old->source_ipv4;
	next->source_ipv6 = old->source_ipv6;
	next->fight = old->fight;
	for (size_t i = 0; i < next->node_count; i++)
		adopt_node(&next->nodes[i], &old->nodes[i], now);
	/* Taken out of the configuration by a reload, and put back by the next before it had left. */
	for (size_t i = 0; i < next->node_count; i++)
		next->nodes[i].vhost.handover.stopping = false;
	if (addresses_changed || !same_passphrase(next->settings, old->settings) ||
	    !keys_overlap(next->settings, old->settings))
		begin_grace(next, old, engine->settings->grace_ns, now);
	else
		carry_grace(next, old);
	if (addresses_changed && next->masters > 0) {
		actions_add(engine, ACTION_TAKE, next, NULL);
		vhost_announce(engine, &next->nodes[0].vhost);
	}
	for (size_t i = 0; i < next->node_count; i++)
		if (!same_terms(next, old, i))
			vhost_terms_changed(engine, &next->nodes[i].vhost, now);
}

/* One group if it is the same virtual hosts on the same interface, whatever its name. */
static bool same_group(const struct engine *next, const struct group_settings *a, const struct engine *old,
                       const struct group_settings *b)
{
	if (strcmp(next->settings->parent_names[a->parent], old->settings->parent_names[b->parent]) != 0 ||
	    a->node_count != b->node_count)
		return false;
	for (size_t i = 0; i < a->node_count; i++)
		if (a->nodes[i].vhid != b->nodes[i].vhid)
			return false;
	return true;
}

const struct group *engine_counterpart(const struct engine *engine, const struct engine *other,
                                       const struct group *others)
{
	for (size_t i = 0; i < engine->settings->group_count; i++)
		if (same_group(engine, engine->groups[i].settings, other, others->settings))
			return &engine->groups[i];
	return NULL;
}

/* Its index, or engine's number of parents. */
static size_t find_parent(const struct engine *engine, const char *name)
{
	size_t i = 0;

	while (i < engine->settings->parent_count && strcmp(engine->settings->parent_names[i], name) != 0)
		i++;
	return i;
}

/* The same virtual host, in whatever group, or NULL. */
static struct node *find_node(const struct engine *engine, const char *parent, uint8_t vhid)
{
	size_t i = find_parent(engine, parent);
	uint16_t place = i < engine->settings->parent_count ? engine->parents[i].node_of[vhid] : 0;

	return place > 0 ? &engine->nodes[place - 1] : NULL;
}

/* Back in its place, or kept for later; the one that left first makes room. */
static void place_departed(struct engine *next, const struct departed *departed)
{
	struct node *node = find_node(next, departed->parent, departed->vhid);

	if (node != NULL) {
		node->replay = departed->replay;
		node->sequence = departed->sequence;
		return;
	}
	memmove(&next->departed[1], &next->departed[0], sizeof(next->departed) - sizeof(next->departed[0]));
	next->departed[0] = *departed;
}

static void adopt_seals(struct engine *next, const struct engine *old)
{
	for (size_t i = DEPARTED_MAX; i-- > 0;)
		if (old->departed[i].vhid != 0)
			place_departed(next, &old->departed[i]);
	for (size_t i = 0; i < old->settings->node_count; i++) {
		const struct node *node = &old->nodes[i];
		const char *parent = old->settings->parent_names[node->vhost.group->settings->parent];
		struct departed departed = {
		        .vhid = node->vhost.vhid, .replay = node->replay, .sequence = node->sequence};
		memcpy(departed.parent, parent, strnlen(parent, sizeof(departed.parent) - 1));
		place_departed(next, &departed);
	}
}

static void adopt_parents(struct engine *next, const struct engine *old)
{
	for (size_t i = 0; i < next->settings->parent_count; i++) {
		size_t j = find_parent(old, next->settings->parent_names[i]);
		if (j == old->settings->parent_count)
			continue;
		next->parents[i].parent = old->parents[j].parent;
		next->parents[i].demoted_for_link = old->parents[j].demoted_for_link;
		next->parents[i].demoted_for_sending = old->parents[j].demoted_for_sending;
		next->parents[i].adopted = true;
	}
}

static const char *const parent_reasons[] = {"link", "sending"};
#define PARENT_REASONS (sizeof(parent_reasons) / sizeof(parent_reasons[0]))

/* The number of a scope means something in its own configuration only. */
static void rescope_demotions(struct engine *next, const struct engine *old)
{
	char name[DEMOTION_NAME_MAX];

	for (size_t i = 0; i < next->settings->parent_count; i++)
		for (size_t r = 0; r < PARENT_REASONS; r++) {
			demotion_name(name, parent_reasons[r], next->settings->parent_names[i]);
			demotion_rescope(&next->demotions, name, engine_scope_of_parent(next, i));
		}
	for (size_t i = 0; i < old->settings->group_count; i++) {
		const struct group *group = engine_counterpart(next, old, &old->groups[i]);
		demotion_name(name, "addresses", old->settings->groups[i].name);
		if (group != NULL)
			demotion_rescope(&next->demotions, name, group->settings->demotion_scope);
	}
}

/* Reasons of what is no longer ours would otherwise stay for ever. */
static void lift_orphans(struct engine *next, const struct engine *old, instant now)
{
	char name[DEMOTION_NAME_MAX];

	for (size_t j = 0; j < old->settings->parent_count; j++) {
		const char *parent = old->settings->parent_names[j];
		for (size_t r = 0; r < PARENT_REASONS; r++) {
			demotion_name(name, parent_reasons[r], parent);
			if (find_parent(next, parent) == next->settings->parent_count)
				engine_undemote(next, name, now);
		}
	}
	for (size_t i = 0; i < old->settings->group_count; i++) {
		demotion_name(name, "addresses", old->settings->groups[i].name);
		if (engine_counterpart(next, old, &old->groups[i]) == NULL)
			engine_undemote(next, name, now);
	}
}

void engine_adopt(struct engine *next, const struct engine *old, instant now)
{
	next->random = old->random;
	next->sequence_lead_ns = old->sequence_lead_ns;
	next->sender = old->sender;
	memcpy(next->former_senders, old->former_senders, sizeof(next->former_senders));
	next->wall_offset_ns = old->wall_offset_ns;
	next->demotions = old->demotions;
	adopt_parents(next, old);
	adopt_seals(next, old);
	rescope_demotions(next, old);
	for (size_t i = 0; i < next->settings->group_count; i++) {
		const struct group *before = engine_counterpart(old, next, &next->groups[i]);
		if (before != NULL)
			adopt_group(next, &next->groups[i], before, now);
	}
	lift_orphans(next, old, now);
	engine_spread_demotion(next, now);
	for (size_t i = 0; i < next->settings->parent_count; i++) {
		const struct parent parent = next->parents[i].parent;
		/* What nobody has looked at yet is not down: a demotion would move the other groups. */
		if (next->parents[i].adopted)
			engine_parent_changed(next, i, &parent, now);
	}
	next->deadline = now; /* one look at everybody, of whom some may be overdue */
	for (size_t i = 0; i < next->settings->node_count; i++)
		engine_wake_for(next, &next->nodes[i]);
}
