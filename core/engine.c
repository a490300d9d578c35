#include "engine_private.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

/*
 * The most that one event can ask of a node: to leave and to rise again with
 * everything that belongs to it.  Host-wide reports have the rest.
 */
#define ACTIONS_PER_NODE 14
#define ACTIONS_FOR_HOST (2 * DEMOTIONS_MAX)

static size_t align(size_t bytes)
{
	size_t unit = _Alignof(max_align_t);

	return (bytes + unit - 1) / unit * unit;
}

static size_t action_capacity(const struct engine_settings *settings)
{
	return settings->node_count * ACTIONS_PER_NODE + ACTIONS_FOR_HOST;
}

size_t engine_bytes(const struct engine_settings *settings)
{
	return align(sizeof(struct engine)) + align(settings->parent_count * sizeof(struct engine_parent)) +
	       align(settings->group_count * sizeof(struct group)) +
	       align(settings->node_count * sizeof(struct node)) +
	       align(action_capacity(settings) * sizeof(struct action));
}

static void *place(char **cursor, size_t bytes)
{
	void *block = *cursor;

	*cursor += align(bytes);
	return block;
}

static void prepare_digests(struct digest digests[DIGEST_FORMS], const struct group_settings *settings,
                            uint8_t vhid)
{
	for (int form = 0; form < DIGEST_FORMS; form++)
		digest_prepare(&digests[form], &settings->passphrase, vhid, settings->addresses,
		               settings->address_count, (enum digest_form)form);
}

static void place_group(struct engine *engine, struct group *group, const struct group_settings *settings,
                        struct node *nodes, size_t first_index)
{
	group->settings = settings;
	group->nodes = nodes;
	group->node_count = settings->node_count;
	group->previous_until = INSTANT_NEVER;
	group->fight.put_back_at = INSTANT_NEVER;
	for (size_t i = 0; i < settings->node_count; i++) {
		struct node *node = &nodes[i];
		node->vhost = (struct vhost){
		        .group = group,
		        .vhid = settings->nodes[i].vhid,
		        .advskew = settings->nodes[i].advskew,
		        .state = VHOST_INIT,
		        .last = {.at = engine->settings->start},
		        .deadline = INSTANT_NEVER,
		        .master = {.heard = INSTANT_NEVER,
		                   .heard_ipv4 = INSTANT_NEVER,
		                   .heard_ipv6 = INSTANT_NEVER},
		        .rival = {.heard = INSTANT_NEVER},
		        .handover = {.deadline = INSTANT_NEVER},
		        .announce_at = INSTANT_NEVER,
		        .announce_again = INSTANT_NEVER,
		        .relief_until = INSTANT_NEVER,
		};
		node->probe_at = INSTANT_NEVER;
		prepare_digests(node->digests, settings, node->vhost.vhid);
		engine->parents[settings->parent].node_of[node->vhost.vhid] = (uint16_t)(first_index + i + 1);
	}
}

struct engine *engine_place(void *memory, const struct engine_settings *settings)
{
	char *cursor = memory;
	struct engine *engine = place(&cursor, sizeof(*engine));
	size_t next_node = 0;

	engine->settings = settings;
	engine->parents = place(&cursor, settings->parent_count * sizeof(struct engine_parent));
	engine->groups = place(&cursor, settings->group_count * sizeof(struct group));
	engine->nodes = place(&cursor, settings->node_count * sizeof(struct node));
	engine->action_capacity = action_capacity(settings);
	engine->actions = place(&cursor, engine->action_capacity * sizeof(struct action));
	engine->deadline = INSTANT_NEVER;
	engine->random = settings->seed;
	engine->sequence_lead_ns = (int64_t)settings->sequence_base - settings->start.ns;
	engine->sender = (uint32_t)engine_random(engine) & SEAL_SENDER_MAX;
	if (engine->sender == 0)
		engine->sender = 1;
	for (size_t i = 0; i < settings->group_count; i++) {
		place_group(engine, &engine->groups[i], &settings->groups[i], &engine->nodes[next_node],
		            next_node);
		next_node += settings->groups[i].node_count;
	}
	assert(next_node == settings->node_count);
	return engine;
}

void engine_clear_actions(struct engine *engine)
{
	engine->action_count = 0;
}

/* Longer for those who speak rarely. */
#define CONFLICT_OVER_NS (30 * NS_PER_S)

instant engine_silent_at(const struct advert *last, instant heard)
{
	struct terms terms = {.advbase = last->advbase, .advskew = last->advskew};
	/* A goodbye's say how long nobody will hear of him. */
	int64_t patience_ns = terms_are_goodbye(terms) ? 0 : 3 * terms_interval_ns(terms);

	return instant_after(heard, patience_ns > CONFLICT_OVER_NS ? patience_ns : CONFLICT_OVER_NS);
}

static instant conflict_end(const struct conflict *conflict)
{
	return engine_silent_at(&conflict->advert, conflict->heard);
}

static instant node_deadline(const struct node *node)
{
	instant deadline = vhost_deadline(&node->vhost);

	if (node->vhost.state != VHOST_INIT)
		deadline = instant_earlier(deadline, node->probe_at);
	if (node->conflict.source.family != FAMILY_NONE)
		deadline = instant_earlier(deadline, conflict_end(&node->conflict));
	if (node->other_form.source.family != FAMILY_NONE)
		deadline = instant_earlier(deadline, node->other_form.until);
	return deadline;
}

/*
 * The stored deadline only ever moves forward in engine_tick, which looks at
 * everybody; an event that puts one node's deadline off leaves it as it is.  So
 * the advert that a backup hears each second costs no search through all groups.
 */
void engine_wake_for(struct engine *engine, const struct node *node)
{
	engine->deadline = instant_earlier(engine->deadline, node_deadline(node));
}

instant engine_deadline(const struct engine *engine)
{
	return engine->deadline;
}

static void tell_demotion(struct engine *engine, enum report_kind kind, const char *name, int value)
{
	struct report report = {.kind = kind, .value = value};

	memcpy(report.name, name, strnlen(name, DEMOTION_NAME_MAX - 1));
	actions_tell(engine, NULL, NULL, &report);
}

void engine_spread_demotion(struct engine *engine, instant now)
{
	for (size_t i = 0; i < engine->settings->group_count; i++) {
		struct group *group = &engine->groups[i];
		uint8_t sum = demotion_sum(&engine->demotions, group->settings->demotion_scope);
		if (sum == group->demotion)
			continue;
		group->demotion = sum;
		for (size_t n = 0; n < group->node_count; n++) {
			vhost_terms_changed(engine, &group->nodes[n].vhost, now);
			engine_wake_for(engine, &group->nodes[n]);
		}
	}
}

static bool demote(struct engine *engine, const char *name, int value, int scope, instant now, instant until)
{
	const struct demotion *before = demotion_find(&engine->demotions, name);
	bool news = before == NULL || before->value != value;

	if (!demotion_raise(&engine->demotions, name, value, scope, now, until))
		return false;
	engine->deadline = instant_earlier(engine->deadline, until);
	if (news)
		tell_demotion(engine, REPORT_DEMOTED, name, value);
	engine_spread_demotion(engine, now);
	return true;
}

bool engine_demote(struct engine *engine, const char *name, int value, instant now, instant until)
{
	return demote(engine, name, value, DEMOTION_EVERYWHERE, now, until);
}

bool engine_undemote(struct engine *engine, const char *name, instant now)
{
	if (!demotion_lift(&engine->demotions, name))
		return false;
	tell_demotion(engine, REPORT_UNDEMOTED, name, 0);
	engine_spread_demotion(engine, now);
	return true;
}

int engine_scope_of_parent(const struct engine *engine, size_t parent)
{
	const struct group_settings *first = NULL;

	for (size_t i = 0; i < engine->settings->group_count; i++) {
		const struct group_settings *settings = engine->groups[i].settings;
		if (settings->parent != parent)
			continue;
		if (first != NULL && settings->demotion_scope != first->demotion_scope)
			return DEMOTION_EVERYWHERE;
		first = settings;
	}
	return first != NULL ? first->demotion_scope : DEMOTION_EVERYWHERE;
}

static void set_parent_demotion(struct engine *engine, size_t index, const char *what, bool *demoted,
                                bool wanted, int value, instant now)
{
	char name[DEMOTION_NAME_MAX];

	if (*demoted == wanted)
		return;
	demotion_name(name, what, engine->settings->parent_names[index]);
	if (!wanted)
		engine_undemote(engine, name, now);
	else if (!demote(engine, name, value, engine_scope_of_parent(engine, index), now, INSTANT_NEVER))
		return; /* the table is full; the next event tries again */
	*demoted = wanted;
}

static bool parent_has_groups(const struct engine *engine, size_t parent)
{
	for (size_t i = 0; i < engine->settings->group_count; i++)
		if (engine->groups[i].settings->parent == parent)
			return true;
	return false;
}

/* Whether what a master has announced is no longer so. */
static bool is_news(const struct group *group, const struct parent *before, const struct parent *after)
{
	return (!group->virtual_mac && !mac_equal(&before->mac, &after->mac)) ||
	       before->router != after->router;
}

/*
 * A backup sends no adverts.  Without probes it would not learn that sending works again,
 * and would stay demoted for ever as the BSDs do (doc/carp.md 4.6); nor would it learn in
 * time that a firewall or a missing route keeps it from its peers.
 */
#define PROBE_BLOCKED_NS NS_PER_S
#define PROBE_PEERS_NS   (30 * NS_PER_S)

static bool node_is_blocked(const struct node *node)
{
	for (size_t i = 0; i < DESTINATIONS_MAX; i++)
		if (outlet_is_blocked(&node->outlets[i]))
			return true;
	return false;
}

static int64_t probe_interval_ns(const struct node *node)
{
	const struct vhost *vhost = &node->vhost;

	if (vhost->state == VHOST_INIT)
		return 0;
	if (node_is_blocked(node))
		return PROBE_BLOCKED_NS;
	return vhost->state == VHOST_BACKUP && vhost->group->settings->peer_count > 0 ? PROBE_PEERS_NS : 0;
}

static void plan_probe(struct engine *engine, struct node *node, instant now)
{
	int64_t interval_ns = probe_interval_ns(node);

	if (interval_ns == 0)
		node->probe_at = INSTANT_NEVER;
	else if (instant_is_never(node->probe_at))
		node->probe_at = instant_after(now, interval_ns);
	engine_wake_for(engine, node);
}

/* One at a time, since there may be many: what is left is told with the next advert or probe. */
static void tell_outlet(struct engine *engine, struct node *node)
{
	struct group *group = node->vhost.group;

	for (size_t i = 0; i < DESTINATIONS_MAX; i++) {
		struct outlet *outlet = &node->outlets[i];
		bool blocked = outlet_is_blocked(outlet);
		struct report report = {.kind = blocked ? REPORT_CANNOT_SEND : REPORT_CAN_SEND,
		                        .value = outlet->error};
		if (blocked == outlet->told || !engine_destination(group->settings, i, &report.peer))
			continue;
		outlet->told = blocked;
		actions_tell(engine, group, node, &report);
		return;
	}
}

static void follow_blocked(struct engine *engine, size_t index, instant now)
{
	struct engine_parent *parent = &engine->parents[index];
	bool blocked = false;

	for (size_t i = 0; i < engine->settings->node_count; i++)
		blocked |= engine->nodes[i].vhost.group->settings->parent == index &&
		           node_is_blocked(&engine->nodes[i]);
	set_parent_demotion(engine, index, "sending", &parent->demoted_for_sending, blocked,
	                    DEMOTE_SEND_ERRORS, now);
}

/* A probe that fails is proof enough: nobody waits for it, and the next advert may be the first of a reign.
 */
static void note_errors(struct engine *engine, struct node *node, const int *errors, size_t copies,
                        uint8_t failures, instant now)
{
	bool before = node_is_blocked(node);

	for (size_t i = 0; i < copies; i++) {
		struct outlet *outlet = &node->outlets[i];
		if (errors[i] == 0) {
			outlet->failures = 0;
			continue;
		}
		outlet->error = errors[i];
		if (outlet->failures < SEND_FAILURES_MAX)
			outlet->failures = (uint8_t)(outlet->failures + failures);
	}
	tell_outlet(engine, node);
	if (node_is_blocked(node) != before) {
		node->probe_at = INSTANT_NEVER; /* planned anew, sooner or later than before */
		follow_blocked(engine, node->vhost.group->settings->parent, now);
	}
	plan_probe(engine, node, now);
}

void engine_sent(struct engine *engine, struct node *node, instant before, const int *errors, size_t copies)
{
	int error = ENODEV;

	for (size_t i = 0; i < copies && error != 0; i++)
		error = errors[i];
	vhost_sent(&node->vhost, before, error);
	if (error == 0)
		node->counters.adverts_sent++;
	for (size_t i = 0; i < copies; i++)
		node->counters.send_errors += errors[i] != 0;
	note_errors(engine, node, errors, copies, 1, before);
}

void engine_probed(struct engine *engine, struct node *node, const int *errors, size_t copies, instant now)
{
	note_errors(engine, node, errors, copies, SEND_FAILURES_MAX, now);
}

static void tick_probe(struct engine *engine, struct node *node, instant now)
{
	bool due = instant_reached(node->probe_at, now);

	if (node->vhost.state == VHOST_INIT && node_is_blocked(node)) {
		memset(node->outlets, 0, sizeof(node->outlets));
		follow_blocked(engine, node->vhost.group->settings->parent, now);
	}
	if (due)
		node->probe_at = INSTANT_NEVER;
	plan_probe(engine, node, now);
	if (due && probe_interval_ns(node) > 0)
		actions_add(engine, ACTION_PROBE, node->vhost.group, node);
}

/* Peers may be out of reach from the first moment on. */
static void start_node(struct engine *engine, struct node *node, instant now)
{
	if (node->vhost.state == VHOST_INIT && node->vhost.group->settings->peer_count > 0)
		node->probe_at = now;
	vhost_start(engine, &node->vhost, now);
}

void engine_parent_changed(struct engine *engine, size_t index, const struct parent *state, instant now)
{
	struct engine_parent *parent = &engine->parents[index];
	const struct parent before = parent->parent;

	parent->parent = *state;
	for (size_t i = 0; i < engine->settings->node_count; i++) {
		struct vhost *vhost = &engine->nodes[i].vhost;
		if (vhost->group->settings->parent != index)
			continue;
		if (!state->up)
			memset(engine->nodes[i].outlets, 0, sizeof(engine->nodes[i].outlets));
		if (!state->up)
			vhost_stop(engine, vhost, CAUSE_LINK_DOWN, now);
		else if (vhost->group->out_of_service)
			vhost_stop(engine, vhost, CAUSE_STOPPED, now);
		else if (vhost->group->refused == REFUSED_ALL)
			vhost_stop(engine, vhost, CAUSE_TAKE_FAILED, now);
		else if (!vhost->group->stopped)
			start_node(engine, &engine->nodes[i], now);
		if (is_news(vhost->group, &before, state))
			vhost_mac_changed(engine, vhost, now);
		engine_wake_for(engine, &engine->nodes[i]);
	}
	set_parent_demotion(engine, index, "link", &parent->demoted_for_link,
	                    !state->up && parent_has_groups(engine, index), DEMOTE_LINK_DOWN, now);
	follow_blocked(engine, index, now);
}

bool engine_is_taking(const struct group *group)
{
	for (size_t i = 0; i < group->node_count; i++)
		if (group->nodes[i].vhost.state == VHOST_MASTER && !vhost_speaks(&group->nodes[i].vhost))
			return true;
	return false;
}

void engine_taken(struct engine *engine, struct group *group, instant now)
{
	for (size_t i = 0; i < group->node_count; i++) {
		vhost_taken(engine, &group->nodes[i].vhost, now);
		engine_wake_for(engine, &group->nodes[i]);
	}
}

#define TAKE_AGAIN_NS (10 * NS_PER_S)

void engine_take_failed(struct engine *engine, struct group *group, int error, instant now)
{
	char name[DEMOTION_NAME_MAX];

	for (size_t i = 0; i < group->node_count; i++) {
		vhost_take_failed(engine, &group->nodes[i].vhost, error, now);
		engine_wake_for(engine, &group->nodes[i]);
	}
	/* It ends by itself: what was in the way may be gone, and only trying tells. */
	demotion_name(name, "addresses", group->settings->name);
	demote(engine, name, DEMOTE_TAKE_FAILED, group->settings->demotion_scope, now,
	       group->refused != REFUSED_NONE ? INSTANT_NEVER : instant_after(now, TAKE_AGAIN_NS));
}

static void refuse_node(struct engine *engine, struct node *node, enum refused refused, instant now)
{
	const struct group *group = node->vhost.group;

	if (refused == REFUSED_ALL)
		vhost_stop(engine, &node->vhost, CAUSE_TAKE_FAILED, now);
	else if (engine->parents[group->settings->parent].parent.up && !group->out_of_service &&
	         !group->stopped)
		start_node(engine, node, now);
	engine_wake_for(engine, node);
}

void engine_refuse(struct engine *engine, struct group *group, enum refused refused, instant now)
{
	bool complete = refused == REFUSED_NONE;
	char name[DEMOTION_NAME_MAX];

	if (group->refused == refused)
		return;
	group->refused = refused;
	demotion_name(name, "addresses", group->settings->name);
	if (complete)
		engine_undemote(engine, name, now);
	else
		demote(engine, name, DEMOTE_TAKE_FAILED, group->settings->demotion_scope, now, INSTANT_NEVER);
	for (size_t i = 0; i < group->node_count; i++)
		refuse_node(engine, &group->nodes[i], refused, now);
	if (!complete || group->masters == 0)
		return;
	actions_add(engine, ACTION_TAKE, group, NULL);
	for (size_t i = 0; i < group->node_count; i++)
		vhost_announce(engine, &group->nodes[i].vhost);
}

void engine_mac_changed(struct engine *engine, struct group *group, instant now)
{
	if (group->masters == 0 || group->out_of_service)
		return;
	/* A bridge keeps the virtual MAC with the addresses. */
	actions_add(engine, ACTION_TAKE, group, NULL);
	for (size_t i = 0; i < group->node_count; i++) {
		vhost_mac_changed(engine, &group->nodes[i].vhost, now);
		engine_wake_for(engine, &group->nodes[i]);
	}
}

static bool shares(const struct group *group, const struct address *address)
{
	for (size_t i = 0; i < group->settings->address_count; i++)
		if (address_equal(&group->settings->addresses[i].address, address))
			return true;
	return false;
}

void engine_address_lost(struct engine *engine, size_t parent, const struct address *address, instant now)
{
	struct report report = {.kind = REPORT_ADDRESS_PUT_BACK, .peer = *address};

	for (size_t i = 0; i < engine->settings->group_count; i++) {
		struct group *group = &engine->groups[i];
		bool told = fight_is_on(&group->fight);
		if (group->settings->parent != parent || group->masters == 0 || !shares(group, address) ||
		    !fight_removed(&group->fight, address, now))
			continue;
		engine->deadline = instant_earlier(engine->deadline, fight_deadline(&group->fight));
		if (fight_is_on(&group->fight))
			report.kind = REPORT_FIGHT;
		if (!told)
			actions_tell(engine, group, NULL, &report);
	}
}

static void tick_fight(struct engine *engine, struct group *group, instant now)
{
	struct fight *fight = &group->fight;
	struct report report = {.kind = REPORT_FIGHT_OVER, .peer = fight->address};

	if (instant_reached(fight->put_back_at, now)) {
		fight->put_back_at = INSTANT_NEVER;
		if (group->masters > 0)
			actions_add(engine, ACTION_TAKE, group, NULL);
	}
	if (fight_over(fight, now))
		actions_tell(engine, group, NULL, &report);
}

static void hand_over_group(struct engine *engine, struct group *group, bool stopping, bool for_good,
                            instant now)
{
	group->stopped |= stopping;
	for (size_t i = 0; i < group->node_count; i++) {
		vhost_hand_over(engine, &group->nodes[i].vhost, stopping, for_good, now);
		engine_wake_for(engine, &group->nodes[i]);
	}
}

static void hand_over(struct engine *engine, struct group *group, bool stopping, bool for_good, instant now)
{
	if (group != NULL) {
		hand_over_group(engine, group, stopping, for_good, now);
		return;
	}
	for (size_t i = 0; i < engine->settings->group_count; i++)
		hand_over_group(engine, &engine->groups[i], stopping, for_good, now);
}

void engine_hand_over(struct engine *engine, struct group *group, instant now)
{
	hand_over(engine, group, false, true, now);
}

void engine_give_way(struct engine *engine, instant now)
{
	hand_over(engine, NULL, false, false, now);
}

void engine_stop(struct engine *engine, struct group *group, instant now)
{
	hand_over(engine, group, true, false, now);
}

void engine_break_off(struct engine *engine, instant now)
{
	for (size_t i = 0; i < engine->settings->node_count; i++)
		vhost_stop(engine, &engine->nodes[i].vhost, CAUSE_STOPPED, now);
}

static bool group_is_idle(const struct group *group)
{
	for (size_t i = 0; i < group->node_count; i++)
		if (group->nodes[i].vhost.state != VHOST_INIT)
			return false;
	return true;
}

bool engine_stopped(const struct engine *engine, const struct group *group)
{
	if (group != NULL)
		return group_is_idle(group);
	for (size_t i = 0; i < engine->settings->group_count; i++)
		if (!group_is_idle(&engine->groups[i]))
			return false;
	return true;
}

static void send_new_credentials(struct engine *engine, struct group *group)
{
	struct report report = {.kind = REPORT_CREDENTIALS_CHANGED};

	if (!group->previous_sent)
		return;
	group->previous_sent = false;
	actions_tell(engine, group, NULL, &report);
}

void engine_end_grace(struct engine *engine, struct group *group)
{
	if (!group->previous_in_use)
		return;
	send_new_credentials(engine, group);
	group->previous_in_use = false;
	group->previous_until = INSTANT_NEVER;
	group->previous_mark_key = NULL;
	group->previous_seal_keys = NULL;
	group->previous_seal_key_count = 0;
	for (size_t i = 0; i < group->node_count; i++)
		group->nodes[i].previous_digests = NULL;
}

/* A peer that was changed later than we were sends the old ones for up to a grace more. */
static void tick_grace(struct engine *engine, struct group *group, instant now)
{
	if (!instant_reached(group->previous_until, now))
		return;
	if (!group->previous_sent) {
		engine_end_grace(engine, group);
		return;
	}
	send_new_credentials(engine, group);
	group->previous_until = instant_after(group->previous_until, engine->settings->grace_ns);
}

static void forget_conflict(struct engine *engine, struct node *node, instant now)
{
	struct report report = {.kind = REPORT_CONFLICT_OVER, .peer = node->conflict.source};

	if (node->conflict.source.family == FAMILY_NONE ||
	    !instant_reached(conflict_end(&node->conflict), now))
		return;
	node->conflict.source.family = FAMILY_NONE;
	if (node->conflict.told)
		actions_tell(engine, node->vhost.group, node, &report);
}

static void forget_other_form(struct engine *engine, struct node *node, instant now)
{
	struct report report = {.kind = REPORT_OTHER_FORM_OVER, .peer = node->other_form.source};

	if (node->other_form.source.family == FAMILY_NONE || !instant_reached(node->other_form.until, now))
		return;
	node->other_form.source.family = FAMILY_NONE;
	actions_tell(engine, node->vhost.group, node, &report);
}

static void tick_demotions(struct engine *engine, instant now)
{
	struct demotion expired;
	bool any = false;

	while (demotion_expire(&engine->demotions, now, &expired)) {
		tell_demotion(engine, REPORT_UNDEMOTED, expired.name, 0);
		any = true;
	}
	if (any)
		engine_spread_demotion(engine, now);
}

static instant tick_group(struct engine *engine, struct group *group, instant now)
{
	instant deadline = INSTANT_NEVER;

	tick_grace(engine, group, now);
	tick_fight(engine, group, now);
	for (size_t i = 0; i < group->node_count; i++) {
		struct node *node = &group->nodes[i];
		vhost_tick(engine, &node->vhost, now);
		tick_probe(engine, node, now);
		forget_conflict(engine, node, now);
		forget_other_form(engine, node, now);
		deadline = instant_earlier(deadline, node_deadline(node));
	}
	deadline = instant_earlier(deadline, fight_deadline(&group->fight));
	return instant_earlier(deadline, group->previous_until);
}

void engine_expire_leases(struct engine *engine, instant now)
{
	for (size_t i = 0; i < engine->settings->node_count; i++)
		if (vhost_lease_expired(engine, &engine->nodes[i].vhost, now))
			engine_wake_for(engine, &engine->nodes[i]);
}

void engine_tick(struct engine *engine, instant now)
{
	instant deadline = INSTANT_NEVER;

	tick_demotions(engine, now);
	for (size_t i = 0; i < engine->settings->group_count; i++)
		deadline = instant_earlier(deadline, tick_group(engine, &engine->groups[i], now));
	engine->deadline = instant_earlier(deadline, demotion_deadline(&engine->demotions));
}
