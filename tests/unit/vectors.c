#include "unit.h"
#include "vectors.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

static const char *string_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	if (text == NULL)
		fail_msg("vector without %s", key);
	return text;
}

static uint8_t byte_of(const json_t *object, const char *key)
{
	return (uint8_t)json_integer_value(json_object_get(object, key));
}

static void read_addresses(const json_t *list, struct vector *ret_vector)
{
	size_t i;
	json_t *text;

	json_array_foreach(list, i, text)
	{
		assert_true(i < VECTOR_ADDRESSES_MAX);
		struct address a = address_of(json_string_value(text));
		ret_vector->addresses[i] = (struct shared_address){.address = a, .prefix_length = 24};
		ret_vector->link_local_present |= address_is_link_local(&a);
	}
	ret_vector->address_count = json_array_size(list);
}

static struct vector read_vector(const json_t *object)
{
	struct vector v = {0};
	const json_t *link_local = json_object_get(object, "link_local_hashed");
	const char *passphrase = string_of(object, "passphrase");

	snprintf(v.name, sizeof(v.name), "%s", string_of(object, "name"));
	v.passphrase.length = (uint8_t)strlen(passphrase);
	memcpy(v.passphrase.bytes, passphrase, v.passphrase.length);
	read_addresses(json_object_get(object, "addresses"), &v);
	v.link_local_hashed = link_local == NULL || json_is_true(link_local);
	v.advert.vhid = byte_of(object, "vhid");
	v.advert.advskew = byte_of(object, "advskew");
	v.advert.advbase = byte_of(object, "advbase");
	v.advert.demote = byte_of(object, "demote");
	v.advert.counter = strtoull(string_of(object, "counter"), NULL, 16);
	bytes_of(string_of(object, "digest"), v.advert.digest, DIGEST_BYTES);
	if (json_object_get(object, "frame") != NULL) {
		v.frame_bytes = bytes_of(string_of(object, "frame"), v.frame, sizeof(v.frame));
		memcpy(v.header, v.frame + v.frame_bytes - ADVERT_BYTES, ADVERT_BYTES);
	} else {
		bytes_of(string_of(object, "header"), v.header, ADVERT_BYTES);
	}
	return v;
}

static void check_file(const char *path, const char *list, void (*check)(const struct vector *))
{
	json_error_t error;
	json_t *root = json_load_file(path, 0, &error);
	json_t *object;
	size_t i;

	if (root == NULL)
		fail_msg("%s:%d: %s", path, error.line, error.text);
	assert_true(json_array_size(json_object_get(root, list)) > 0);
	json_array_foreach(json_object_get(root, list), i, object)
	{
		struct vector v = read_vector(object);
		check(&v);
	}
	json_decref(root);
}

void vectors_each(void (*check)(const struct vector *))
{
	check_file(TEST_DATA "/netbsd-adverts.json", "adverts", check);
	check_file(TEST_DATA "/computed-headers.json", "headers", check);
}
