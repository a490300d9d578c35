/* An advert from the wire: packet, header, seal and digest.  What passes must say the same when it is written
 * again. */
#include <stdlib.h>
#include <string.h>

#include "core/advert.h"
#include "core/digest.h"
#include "core/packet.h"
#include "core/seal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct seal_key key;
static struct digest digest;

static void prepare(void)
{
	static const struct passphrase passphrase = {.bytes = "carp", .length = 4};
	static const struct shared_address address = {
	        .address = {.family = FAMILY_IPV4, .bytes = {192, 0, 2, 1}}, .prefix_length = 24};

	if (key.id == 1)
		return;
	seal_key_derive(&key, 1, passphrase.bytes, passphrase.length);
	digest_prepare(&digest, &passphrase, 1, &address, 1, DIGEST_WITHOUT_LINK_LOCAL);
}

static void check_inside(const uint8_t *data, size_t size, const struct packet *packet)
{
	if (packet->payload < data || packet->payload > data + size ||
	    packet->payload_bytes > (size_t)(data + size - packet->payload))
		abort();
}

static void check_header(const struct packet *packet, const struct advert *advert)
{
	uint8_t header[ADVERT_BYTES];
	struct advert again;

	advert_encode(advert, header);
	if (advert_decode(header, sizeof(header), &again) != DROP_NONE || again.counter != advert->counter ||
	    again.vhid != packet->payload[1] || memcmp(again.digest, advert->digest, DIGEST_BYTES) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* On the heap, so that a read past the end is found. */
	uint8_t *network = malloc(size + 1);
	struct packet packet;
	struct advert advert;
	struct seal seal;

	if (network == NULL)
		return 0;
	prepare();
	uint8_t *start = network + 1;
	if (size > 0)
		memcpy(start, data, size);
	if (packet_parse(start, size, &packet) == DROP_NONE) {
		check_inside(start, size, &packet);
		(void)seal_verify(&key, 1, &packet.source, packet.payload, packet.payload_bytes, &seal);
		if (advert_decode(packet.payload, packet.payload_bytes, &advert) == DROP_NONE) {
			check_header(&packet, &advert);
			(void)digest_verify(&digest, advert.counter, advert.digest);
		}
	}
	free(network);
	return 0;
}
