/*
 * Adverts on their way out: what they say, their digest and their seal.
 */
#include "engine_send.h"

#include <string.h>

#include "engine_private.h"

/* splitmix64: counters need to differ, not to be secret. */
uint64_t engine_random(struct engine *engine)
{
	uint64_t z = (engine->random += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static struct terms outgoing_terms(const struct vhost *vhost, bool goodbye)
{
	struct terms terms = vhost_terms(vhost);

	if (goodbye) {
		terms.advbase = ADVERT_GONE;
		terms.advskew = ADVERT_GONE;
	}
	return terms;
}

/* The key in use when old credentials are sent may be one of a time without seals. */
static const struct seal_key *sealing_key(const struct group *group)
{
	if (group->previous_sent && group->previous_seal_key_count > 0)
		return group->previous_seal_keys;
	return group->settings->seal_keys;
}

static const struct seal_key *marking_key(const struct group *group)
{
	return group->previous_sent ? group->previous_mark_key : &group->settings->mark_key;
}

/*
 * Always random, as the BSDs' is until they hear a peer.  Counting on from what was
 * heard, as they then do, makes the two sides of a split use the same counters, and
 * afterwards an honest host looks like one that plays back the other's adverts.
 */
static uint64_t next_counter(struct engine *engine, struct node *node)
{
	const struct group *group = node->vhost.group;
	uint64_t counter;

	if (group->settings->seal == SEAL_OFF)
		counter = engine_random(engine);
	else
		counter = seal_counter(marking_key(group), node->vhost.vhid, (uint32_t)engine_random(engine));
	node->own_counters[node->own_next] = counter;
	node->own_next = (uint8_t)((node->own_next + 1) % OWN_COUNTERS);
	return counter;
}

void engine_prepare_advert(struct engine *engine, struct node *node, bool goodbye)
{
	const struct group *group = node->vhost.group;
	struct terms terms = outgoing_terms(&node->vhost, goodbye);
	const struct digest *digests = group->previous_sent ? node->previous_digests : node->digests;

	node->advert = (struct advert){
	        .vhid = node->vhost.vhid,
	        .advbase = terms.advbase,
	        .advskew = terms.advskew,
	        .demote = terms.demote,
	        .counter = next_counter(engine, node),
	};
	digest_sign(&digests[group->settings->digest_form], node->advert.counter, node->advert.digest);
	node->seal_flags = vhost_says_goodbye(&node->vhost) ? SEAL_HANDING_OVER : 0;
}

static bool has_family(const struct group_settings *settings, enum family family)
{
	for (size_t i = 0; i < settings->address_count; i++)
		if (settings->addresses[i].address.family == family)
			return true;
	return false;
}

bool engine_destination(const struct group_settings *settings, size_t n, struct address *ret_destination)
{
	if (settings->peer_count > 0) {
		if (n >= settings->peer_count)
			return false;
		*ret_destination = settings->peers[n];
		return true;
	}
	bool ipv4 = has_family(settings, FAMILY_IPV4);
	bool ipv6 = has_family(settings, FAMILY_IPV6);
	if (n >= (size_t)ipv4 + (size_t)ipv6)
		return false;
	*ret_destination = n == 0 && ipv4 ? carp_group_ipv4 : carp_group_ipv6;
	return true;
}

/* A payload for peers, or a whole frame. */
static void address_copy(const struct group_settings *settings, const struct mac *source_mac,
                         const struct address *destination, const uint8_t *payload, size_t payload_bytes,
                         struct advert_out *ret_out)
{
	struct mac destination_mac = mac_of_group(destination);

	if (settings->peer_count > 0) {
		ret_out->peer = *destination;
		ret_out->length = payload_bytes;
		memcpy(ret_out->bytes, payload, payload_bytes);
		return;
	}
	ret_out->peer = (struct address){0};
	ret_out->length = packet_build(source_mac, &destination_mac, &ret_out->source, destination, payload,
	                               payload_bytes, ret_out->bytes);
}

bool engine_advert_frame(struct engine *engine, struct node *node, size_t n, instant now,
                         struct advert_out *ret_out)
{
	const struct group *group = node->vhost.group;
	const struct group_settings *settings = group->settings;
	struct address destination;
	uint8_t payload[SEALED_BYTES];
	size_t payload_bytes = ADVERT_BYTES;

	bool last_word = node->advert.advbase == ADVERT_GONE && node->advert.advskew == ADVERT_GONE;
	if ((node->vhost.state == VHOST_MASTER ? !vhost_speaks(&node->vhost) : !last_word) ||
	    !engine_destination(settings, n, &destination))
		return false;
	ret_out->source = engine_source(engine, settings, destination.family);
	advert_encode(&node->advert, payload);
	if (settings->seal != SEAL_OFF) {
		bool shared = engine_source_is_shared(engine, settings, destination.family);
		/* Of all copies one: a peer that has its own takes no notice of another's. */
		if (n == 0)
			node->sequence = engine_next_sequence(engine, node, now);
		seal_write(sealing_key(group), &ret_out->source, payload, node->sequence, node->seal_flags,
		           shared ? engine->sender : 0, payload + ADVERT_BYTES);
		payload_bytes = SEALED_BYTES;
	}
	struct mac source_mac = group->virtual_mac ? mac_virtual(node->vhost.vhid)
	                                           : engine->parents[settings->parent].parent.mac;
	address_copy(settings, &source_mac, &destination, payload, payload_bytes, ret_out);
	return true;
}

bool engine_probe_frame(const struct engine *engine, const struct node *node, size_t n,
                        struct advert_out *ret_out)
{
	const struct group_settings *settings = node->vhost.group->settings;
	const struct advert nobodys = {0};
	uint8_t payload[SEALED_BYTES] = {0};
	struct address destination;

	if (node->vhost.state == VHOST_INIT || !engine_destination(settings, n, &destination))
		return false;
	/* Never from a shared address, which may be another host's now: without one of its own the kernel
	 * chooses. */
	ret_out->source = *engine_own_source(engine, settings, (enum family)destination.family);
	ret_out->source.family = destination.family;
	advert_encode(&nobodys, payload);
	address_copy(settings, &engine->parents[settings->parent].parent.mac, &destination, payload,
	             settings->seal != SEAL_OFF ? SEALED_BYTES : ADVERT_BYTES, ret_out);
	return true;
}
