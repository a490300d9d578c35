#include "advert.h"

#include <endian.h>
#include <stdbool.h>
#include <string.h>

#define VERSION_TYPE    0x21 /* version 2, type 1 */
#define AUTHLEN         7    /* counter and digest in words of 32 bits */
#define VERSION_CARP    2
#define VERSION_VRRP3   3
#define VRRP_BYTES      8 /* header of version 2 and of version 3 */
#define VRRP_AUTH_BYTES 8

uint16_t internet_checksum(const uint8_t *data, size_t bytes)
{
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i + 1 < bytes; i += 2)
		sum += (uint64_t)data[i] << 8 | data[i + 1];
	if (i < bytes)
		sum += (uint64_t)data[i] << 8;
	while (sum >> 16 != 0)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

void advert_encode(const struct advert *advert, uint8_t ret_header[ADVERT_BYTES])
{
	uint64_t counter = htobe64(advert->counter);

	ret_header[0] = VERSION_TYPE;
	ret_header[1] = advert->vhid;
	ret_header[2] = advert->advskew;
	ret_header[3] = AUTHLEN;
	ret_header[4] = advert->demote;
	ret_header[5] = advert->advbase;
	ret_header[6] = 0;
	ret_header[7] = 0;
	memcpy(ret_header + 8, &counter, COUNTER_BYTES);
	memcpy(ret_header + 16, advert->digest, DIGEST_BYTES);

	uint16_t checksum = internet_checksum(ret_header, ADVERT_BYTES);
	ret_header[6] = (uint8_t)(checksum >> 8);
	ret_header[7] = (uint8_t)checksum;
}

/*
 * VRRP version 2 carries CARP's version, type and protocol number.  Where CARP
 * has authlen, VRRP counts its addresses, and its length follows from them; the
 * eight bytes of authentication are missing in some implementations.
 */
static bool is_vrrp(const uint8_t *payload, size_t bytes)
{
	if (bytes < VRRP_BYTES)
		return false;
	if (payload[0] >> 4 == VERSION_VRRP3)
		return true;
	if (payload[0] >> 4 != VERSION_CARP || payload[3] == AUTHLEN || payload[3] == 0)
		return false;
	size_t addresses_end = VRRP_BYTES + 4 * (size_t)payload[3];
	return bytes == addresses_end || bytes == addresses_end + VRRP_AUTH_BYTES;
}

enum drop advert_decode(const uint8_t *payload, size_t payload_bytes, struct advert *ret_advert)
{
	/* Before the length, since most VRRP adverts are shorter than ours. */
	if (is_vrrp(payload, payload_bytes))
		return DROP_VRRP;
	if (payload_bytes < ADVERT_BYTES)
		return DROP_LENGTH;
	if (payload[0] >> 4 != VERSION_CARP)
		return DROP_VERSION;
	if (internet_checksum(payload, ADVERT_BYTES) != 0)
		return DROP_CHECKSUM;

	uint64_t counter;
	memcpy(&counter, payload + 8, COUNTER_BYTES);
	ret_advert->vhid = payload[1];
	ret_advert->advskew = payload[2];
	ret_advert->demote = payload[4];
	ret_advert->advbase = payload[5];
	ret_advert->counter = be64toh(counter);
	memcpy(ret_advert->digest, payload + 16, DIGEST_BYTES);
	return DROP_NONE;
}

int64_t advert_interval_ns(uint8_t advbase, uint8_t advskew)
{
	if (advbase == 0 && advskew == 0)
		advskew = 1;
	return advbase * NS_PER_S + advskew * NS_PER_S / 256;
}
