/*
 * What a peer whose digest does not fit may have configured: tried out with our
 * own passphrase, one plausible difference after the other.
 */
#include "engine_private.h"

#include <string.h>

/* More addresses than this are not left out one by one; the answer would come too late to matter. */
#define DIAGNOSE_ADDRESSES_MAX 256

static bool fits_addresses(const struct group *group, const struct node *node,
                           const struct shared_address *addresses, size_t count)
{
	for (int form = 0; form < DIGEST_FORMS; form++) {
		struct digest digest;
		digest_prepare(&digest, &group->settings->passphrase, node->vhost.vhid, addresses, count,
		               (enum digest_form)form);
		if (digest_verify(&digest, node->conflict.advert.counter, node->conflict.advert.digest))
			return true;
	}
	return false;
}

/* The settings' addresses are sorted with IPv4 first, so each family is one run of them. */
static size_t count_ipv4(const struct group_settings *settings)
{
	size_t count = 0;

	while (count < settings->address_count && settings->addresses[count].address.family == FAMILY_IPV4)
		count++;
	return count;
}

struct diagnosis engine_diagnose(const struct group *group, const struct node *node)
{
	const struct group_settings *settings = group->settings;
	struct shared_address rest[DIAGNOSE_ADDRESSES_MAX];
	size_t count = settings->address_count;
	size_t ipv4 = count_ipv4(settings);

	if (count > DIAGNOSE_ADDRESSES_MAX)
		return (struct diagnosis){.kind = DIAGNOSIS_UNKNOWN};
	if (ipv4 > 0 && ipv4 < count && fits_addresses(group, node, settings->addresses, ipv4))
		return (struct diagnosis){.kind = DIAGNOSIS_PEER_IPV4_ONLY};
	if (ipv4 > 0 && ipv4 < count && fits_addresses(group, node, settings->addresses + ipv4, count - ipv4))
		return (struct diagnosis){.kind = DIAGNOSIS_PEER_IPV6_ONLY};
	for (size_t left_out = 0; left_out < count; left_out++) {
		memcpy(rest, settings->addresses, left_out * sizeof(rest[0]));
		memcpy(rest + left_out, settings->addresses + left_out + 1,
		       (count - left_out - 1) * sizeof(rest[0]));
		if (fits_addresses(group, node, rest, count - 1))
			return (struct diagnosis){.kind = DIAGNOSIS_PEER_LACKS,
			                          .address = settings->addresses[left_out].address};
	}
	return (struct diagnosis){.kind = DIAGNOSIS_UNKNOWN};
}
