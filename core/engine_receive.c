/*
 * Adverts on their way in: a chain of checks, each with a reason of its own, and
 * only what passes all of them reaches a state or a timer.
 */
#include "engine_private.h"

#include <string.h>

/* What is learnt about an advert on its way through the checks. */
struct inspection {
	struct packet packet;
	struct advert advert;
	struct node *node;
	bool multicast;
	bool sealed;
	bool other_form; /* of its digest */
	bool renewed;    /* it carries what nobody has who was not changed yet */
	bool twin;       /* from our address, but we did not send it lately */
	bool suspected;  /* without a seal, and its counter was used before */
	struct seal seal;
};

static enum drop find_node(struct engine *engine, size_t parent, struct inspection *seen)
{
	if (seen->packet.payload_bytes < 2)
		return DROP_LENGTH;
	uint16_t place = engine->parents[parent].node_of[seen->packet.payload[1]];
	if (place == 0)
		return DROP_VHID;
	seen->node = &engine->nodes[place - 1];
	return DROP_NONE;
}

static bool is_peer(const struct group_settings *settings, const struct address *source)
{
	for (size_t i = 0; i < settings->peer_count; i++)
		if (address_equal(&settings->peers[i], source))
			return true;
	return false;
}

static enum drop check_sender(const struct inspection *seen)
{
	const struct group_settings *settings = seen->node->vhost.group->settings;

	if (settings->ttl_check && seen->packet.ttl != CARP_TTL)
		return DROP_TTL;
	/* As OpenBSD: a unicast group does not listen to multicast, nor the reverse. */
	if (seen->multicast != (settings->peer_count == 0))
		return DROP_DESTINATION;
	if (settings->peer_count == 0)
		return DROP_NONE;
	return is_peer(settings, &seen->packet.source) ? DROP_NONE : DROP_STRANGER;
}

/* ret_other: in the form that we do not send, and not in ours; without link-local addresses they are one. */
static bool fits(const struct node *node, const struct digest digests[DIGEST_FORMS],
                 const struct advert *advert, bool *ret_other)
{
	enum digest_form ours = node->vhost.group->settings->digest_form;
	bool fit[DIGEST_FORMS];
	bool any = false;

	for (int form = 0; form < DIGEST_FORMS; form++) {
		fit[form] = digest_verify(&digests[form], advert->counter, advert->digest);
		any |= fit[form];
	}
	if (any)
		*ret_other = !fit[ours];
	return any;
}

static enum drop check_digest(struct inspection *seen)
{
	const struct node *node = seen->node;

	if (node->vhost.group->previous_in_use) {
		if (fits(node, node->previous_digests, &seen->advert, &seen->other_form))
			return DROP_NONE;
		seen->renewed = true;
	}
	return fits(node, node->digests, &seen->advert, &seen->other_form) ? DROP_NONE : DROP_DIGEST;
}

/*
 * What comes from our own address is ours, looped back or recorded, however old.
 * From a shared one only what we have sent lately is: a peer that missed our
 * latest adverts counts on from an earlier one, and may honestly use a counter
 * that we have used.
 */
static enum drop check_own(const struct engine *engine, struct inspection *seen)
{
	const struct group_settings *settings = seen->node->vhost.group->settings;
	enum family family = (enum family)seen->packet.source.family;
	struct address own = engine_source(engine, settings, family);

	if (!address_equal(&own, &seen->packet.source))
		return DROP_NONE;
	seen->twin = true;
	for (size_t i = 0; i < OWN_COUNTERS; i++)
		seen->twin &= seen->node->own_counters[i] != seen->advert.counter;
	if (!engine_source_is_shared(engine, settings, family))
		return DROP_OWN;
	return seen->twin ? DROP_NONE : DROP_OWN;
}

/* A key that is both a previous and a present one tells nothing of the peer, as a digest that is both. */
static enum seal_verdict verify_seal(struct inspection *seen)
{
	const struct group *group = seen->node->vhost.group;
	const struct packet *packet = &seen->packet;
	enum seal_verdict verdict;

	if (group->previous_seal_key_count > 0 &&
	    seal_verify(group->previous_seal_keys, group->previous_seal_key_count, &packet->source,
	                packet->payload, packet->payload_bytes, &seen->seal) == SEAL_VALID)
		return SEAL_VALID;
	verdict = seal_verify(group->settings->seal_keys, group->settings->seal_key_count, &packet->source,
	                      packet->payload, packet->payload_bytes, &seen->seal);
	if (verdict == SEAL_VALID && group->previous_seal_key_count > 0)
		seen->renewed = true;
	return verdict;
}

static bool is_our_sender(const struct engine *engine, uint32_t sender)
{
	bool ours = sender == engine->sender;

	for (size_t i = 0; i < FORMER_SENDERS && sender != 0; i++)
		ours |= sender == engine->former_senders[i];
	return ours;
}

/* NTP sets a running clock right by slewing it, at most by so much. */
#define SLEWED_NS (2 * NS_PER_S)

/* An advert that is older than a backup's patience says nothing of now. */
static int64_t how_old(const struct vhost *vhost)
{
	int64_t patience_ns = vhost_master_down_ns(vhost);

	return patience_ns > SLEWED_NS ? patience_ns : SLEWED_NS;
}

static enum drop check_seal(struct engine *engine, struct inspection *seen, instant now)
{
	const struct group *group = seen->node->vhost.group;

	if (group->settings->seal == SEAL_OFF)
		return DROP_NONE;
	switch (verify_seal(seen)) {
	case SEAL_ABSENT:
		return group->settings->seal == SEAL_REQUIRE ? DROP_UNSEALED : DROP_NONE;
	case SEAL_WRONG:
		return DROP_SEAL;
	case SEAL_UNKNOWN_KEY:
		/* Of a peer that got a new key before us, or recorded when a key was in use that no longer
		 * is. */
		return DROP_KEY;
	case SEAL_VALID:
		break;
	}
	seen->sealed = true;
	if (is_our_sender(engine, seen->seal.sender))
		return DROP_OWN;
	int64_t window_ns = group->settings->seal_window_ns;
	int64_t patience_ns = how_old(&seen->node->vhost);
	const struct replay_limits limits = {.wall_ns = (uint64_t)(now.ns + engine->wall_offset_ns),
	                                     .window_ns = window_ns > 0 ? window_ns + patience_ns : 0,
	                                     .patience_ns = patience_ns};
	return replay_check(&seen->node->replay, &seen->packet.source, seen->seal.sender, seen->seal.sequence,
	                    &limits, now);
}

/*
 * A source that was heard sealed just now has no reason not to.  Half of a backup's
 * patience: a peer whose seals were switched off is believed again in time.
 */
static bool seals_now(const struct inspection *seen, instant now)
{
	const struct replay_source *source = replay_find(&seen->node->replay, &seen->packet.source);

	return source != NULL &&
	       instant_span_ns(source->heard, now) < vhost_master_down_ns(&seen->node->vhost) / 2;
}

/* Whoever cuts the seal off a recorded advert can claim any source, but not change the counter. */
static bool was_sealed(const struct inspection *seen)
{
	const struct group *group = seen->node->vhost.group;
	uint64_t counter = seen->advert.counter;

	return seal_counter_is_marked(&group->settings->mark_key, seen->advert.vhid, counter) ||
	       (group->previous_mark_key != NULL &&
	        seal_counter_is_marked(group->previous_mark_key, seen->advert.vhid, counter));
}

static enum drop check_unsealed(struct inspection *seen, instant now)
{
	if (seen->sealed)
		return DROP_NONE;
	/* With seals off nobody's are looked at, and a sealed advert counts as any other. */
	if (seen->node->vhost.group->settings->seal != SEAL_OFF && (seals_now(seen, now) || was_sealed(seen)))
		return DROP_UNSEALED;
	switch (sighting_judge(&seen->node->sightings, &seen->packet.source, &seen->advert, now)) {
	case SIGHTING_NEW:
		return DROP_NONE;
	case SIGHTING_REPEATED:
		seen->suspected = true;
		return DROP_REPLAY;
	case SIGHTING_ALTERED:
		seen->suspected = true;
		return DROP_FORGED;
	}
	return DROP_NONE;
}

static enum drop inspect(struct engine *engine, size_t parent, struct inspection *seen, instant now)
{
	enum drop drop = find_node(engine, parent, seen);

	if (drop == DROP_NONE)
		drop = check_sender(seen);
	if (drop == DROP_NONE)
		drop = advert_decode(seen->packet.payload, seen->packet.payload_bytes, &seen->advert);
	if (drop == DROP_NONE && seen->node->vhost.state == VHOST_INIT)
		drop = DROP_INACTIVE;
	if (drop == DROP_NONE)
		drop = check_digest(seen);
	if (drop == DROP_NONE)
		drop = check_own(engine, seen);
	if (drop == DROP_NONE)
		drop = check_seal(engine, seen, now);
	if (drop == DROP_NONE)
		drop = check_unsealed(seen, now);
	return drop;
}

static void tell_peer(struct engine *engine, struct node *node, enum report_kind kind,
                      const struct address *peer)
{
	struct report report = {.kind = kind, .peer = *peer};

	actions_tell(engine, node->vhost.group, node, &report);
}

/* What is dropped before its digest is looked at. */
static bool has_our_digest(struct inspection *seen)
{
	return advert_decode(seen->packet.payload, seen->packet.payload_bytes, &seen->advert) == DROP_NONE &&
	       check_digest(seen) == DROP_NONE;
}

/* Anybody in the world can send to this host through a router; what he says must then be known to us. */
static bool is_credible(struct inspection *seen)
{
	bool ours = has_our_digest(seen);

	seen->advert.vhid = seen->node->vhost.vhid;
	return ours || seen->packet.ttl == CARP_TTL ||
	       is_peer(seen->node->vhost.group->settings, &seen->packet.source);
}

bool engine_could_hide_a_master(const struct node *node)
{
	const struct vhost *vhost = &node->vhost;

	return vhost->state == VHOST_MASTER ||
	       (vhost->state == VHOST_BACKUP && vhost->master.source.family == FAMILY_NONE);
}

/* What the settings of two hosts disagree about, other than what somebody made of a recorded advert. */
static bool is_disagreement(const struct inspection *seen, enum drop drop, enum conflict_kind *ret_kind)
{
	static const struct {
		enum drop drop;
		enum conflict_kind kind;
	} conflicts[] = {{DROP_DIGEST, CONFLICT_DIGEST},
	                 {DROP_SEAL, CONFLICT_SEAL},
	                 {DROP_KEY, CONFLICT_KEY},
	                 {DROP_STALE, CONFLICT_TIME},
	                 {DROP_UNSEALED, CONFLICT_UNSEALED}};

	if (drop == DROP_UNSEALED &&
	    (seen->node->vhost.group->settings->seal != SEAL_REQUIRE || was_sealed(seen)))
		return false;
	for (size_t i = 0; i < sizeof(conflicts) / sizeof(conflicts[0]); i++)
		if (conflicts[i].drop == drop) {
			*ret_kind = conflicts[i].kind;
			return true;
		}
	return false;
}

/* Whether somebody speaks whom we, by our settings, do not listen to. */
static bool is_unheard(struct inspection *seen, enum drop drop, enum conflict_kind *ret_kind)
{
	static const struct {
		enum drop drop;
		enum conflict_kind kind;
	} conflicts[] = {{DROP_TTL, CONFLICT_ROUTED},        {DROP_STRANGER, CONFLICT_STRANGER},
	                 {DROP_REPLAY, CONFLICT_REPLAY},     {DROP_LENGTH, CONFLICT_MALFORMED},
	                 {DROP_VERSION, CONFLICT_MALFORMED}, {DROP_CHECKSUM, CONFLICT_MALFORMED}};

	if (seen->suspected || !engine_could_hide_a_master(seen->node) || !is_credible(seen))
		return false;
	if (drop == DROP_DESTINATION) {
		*ret_kind = seen->multicast ? CONFLICT_MULTICAST : CONFLICT_UNICAST;
		return true;
	}
	if (drop == DROP_OWN) {
		*ret_kind = CONFLICT_TWIN;
		return seen->twin;
	}
	for (size_t i = 0; i < sizeof(conflicts) / sizeof(conflicts[0]); i++)
		if (conflicts[i].drop == drop) {
			*ret_kind = conflicts[i].kind;
			return true;
		}
	return false;
}

/* In fast mode a few packets in a row would be enough. */
#define CONFLICT_LEAST_NS (3 * NS_PER_S)

static int64_t longer_ns(int64_t a_ns, int64_t b_ns)
{
	return a_ns > b_ns ? a_ns : b_ns;
}

/* For how long one must go on to be told. */
static int64_t conflict_patience_ns(const struct node *node)
{
	return longer_ns(vhost_master_down_ns(&node->vhost), CONFLICT_LEAST_NS);
}

/* A host goes on; an outsider's packets now and then are none. */
static bool has_paused(const struct node *node, instant now)
{
	const struct conflict *conflict = &node->conflict;
	struct terms terms = {.advbase = conflict->advert.advbase, .advskew = conflict->advert.advskew};
	int64_t theirs_ns = terms_are_goodbye(terms) ? 0 : 3 * terms_interval_ns(terms);

	return instant_span_ns(conflict->heard, now) > longer_ns(conflict_patience_ns(node), theirs_ns);
}

/* The one that is told of stays the same as long as it is heard. */
static void note_conflict(struct engine *engine, const struct inspection *seen, enum conflict_kind kind,
                          instant now)
{
	struct node *node = seen->node;
	struct conflict *conflict = &node->conflict;
	bool same = conflict->kind == kind && address_equal(&conflict->source, &seen->packet.source);

	if (conflict->source.family == FAMILY_NONE || (!conflict->told && has_paused(node, now)))
		*conflict = (struct conflict){.since = now};
	else if (conflict->told && !same)
		return;
	conflict->source = seen->packet.source;
	conflict->destination = seen->packet.destination;
	conflict->kind = kind;
	conflict->behind_ns = now.ns + engine->wall_offset_ns - (int64_t)seen->seal.sequence;
	conflict->advert = seen->advert;
	conflict->heard = now;
	conflict->count++;
	if (conflict->told || conflict->count < CONFLICT_ADVERTS ||
	    instant_span_ns(conflict->since, now) < conflict_patience_ns(node))
		return;
	conflict->told = true;
	tell_peer(engine, node, REPORT_CONFLICT, &conflict->source);
}

static void note_suspicion(struct engine *engine, const struct inspection *seen, enum drop drop, instant now)
{
	static const enum report_kind reports[DROP_COUNT] = {[DROP_REPLAY] = REPORT_REPEATED,
	                                                     [DROP_FORGED] = REPORT_FORGED,
	                                                     [DROP_UNSEALED] = REPORT_UNSEALED};
	struct node *node = seen->node;
	struct suspicion *suspicion = &node->suspicion;

	if (suspicion->source.family == FAMILY_NONE ||
	    instant_span_ns(suspicion->heard, now) > SUSPICION_OVER_NS)
		*suspicion = (struct suspicion){.since = now};
	suspicion->source = seen->packet.source;
	suspicion->drop = drop;
	suspicion->heard = now;
	suspicion->count++;
	/* Told once a minute at most: whoever forges can do it as often as he likes. */
	if (!instant_reached(node->tell_forgery_after, now))
		return;
	node->tell_forgery_after = instant_after(now, SUSPICION_OVER_NS);
	tell_peer(engine, node, reports[drop], &seen->packet.source);
}

static void count_drop(struct engine *engine, size_t parent, const struct inspection *seen, enum drop drop)
{
	if (seen->node != NULL)
		seen->node->counters.dropped[drop]++;
	else
		engine->parents[parent].dropped[drop]++;
}

static void note_form(struct engine *engine, const struct inspection *seen, instant now)
{
	struct node *node = seen->node;
	struct other_form *other = &node->other_form;
	bool known = other->source.family != FAMILY_NONE;

	if (seen->other_form) {
		if (!known)
			tell_peer(engine, node, REPORT_OTHER_FORM, &seen->packet.source);
		*other = (struct other_form){.source = seen->packet.source,
		                             .until = engine_silent_at(&seen->advert, now)};
	} else if (known && address_equal(&other->source, &seen->packet.source)) {
		tell_peer(engine, node, REPORT_OTHER_FORM_OVER, &other->source);
		other->source.family = FAMILY_NONE;
	}
}

static void hear(struct engine *engine, const struct inspection *seen, instant now)
{
	struct heard heard = {
	        .source = seen->packet.source,
	        .terms = {.advbase = seen->advert.advbase,
	                  .advskew = seen->advert.advskew,
	                  .demote = seen->advert.demote},
	        .sealed = seen->sealed,
	        .suspected = seen->suspected,
	        .sender = seen->sealed ? seen->seal.sender : 0,
	};

	vhost_hear(engine, &seen->node->vhost, &heard, now);
	engine_wake_for(engine, seen->node);
}

static void accept(struct engine *engine, const struct inspection *seen, instant now)
{
	seen->node->counters.adverts_received++;
	note_form(engine, seen, now);
	if (seen->renewed)
		engine_end_grace(engine, seen->node->vhost.group);
	hear(engine, seen, now);
}

enum drop engine_receive(struct engine *engine, size_t parent, const uint8_t *network, size_t bytes,
                         bool multicast, instant now)
{
	struct inspection seen = {.multicast = multicast};
	enum drop drop = packet_parse(network, bytes, &seen.packet);

	if (drop == DROP_NONE)
		drop = inspect(engine, parent, &seen, now);
	if (drop == DROP_NONE) {
		accept(engine, &seen, now);
		return DROP_NONE;
	}
	count_drop(engine, parent, &seen, drop);
	if (seen.node == NULL)
		return drop;
	enum conflict_kind kind;
	if (is_disagreement(&seen, drop, &kind) || is_unheard(&seen, drop, &kind))
		note_conflict(engine, &seen, kind, now);
	else if (seen.suspected || drop == DROP_UNSEALED)
		note_suspicion(engine, &seen, drop, now);
	if (seen.suspected)
		hear(engine, &seen, now);
	engine_wake_for(engine, seen.node);
	return drop;
}

void engine_hear_stray(struct engine *engine, const uint8_t *network, size_t bytes, instant now)
{
	struct inspection seen = {0};

	/* VRRP among them. */
	if (packet_parse(network, bytes, &seen.packet) != DROP_NONE ||
	    advert_decode(seen.packet.payload, seen.packet.payload_bytes, &seen.advert) != DROP_NONE)
		return;
	for (size_t i = 0; i < engine->settings->node_count; i++) {
		seen.node = &engine->nodes[i];
		if (seen.node->vhost.vhid != seen.advert.vhid || !engine_could_hide_a_master(seen.node) ||
		    !is_credible(&seen))
			continue;
		note_conflict(engine, &seen, CONFLICT_ELSEWHERE, now);
		engine_wake_for(engine, seen.node);
	}
}
