#include "carpctl/answer.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The first code point of valid UTF-8, as jansson hands it out. */
static uint32_t decode(const unsigned char *s, size_t *ret_bytes)
{
	size_t more = s[0] >= 0xf0 ? 3 : s[0] >= 0xe0 ? 2 : s[0] >= 0xc0 ? 1 : 0;
	uint32_t point = more == 0 ? s[0] : s[0] & (0x3fU >> more);

	for (size_t i = 1; i <= more; i++)
		point = point << 6 | (s[i] & 0x3fU);
	*ret_bytes = more + 1;
	return point;
}

/* Controls, line separators, and the marks that make text run the other way. */
static bool is_unsafe(uint32_t point)
{
	return point < 0x20 || (point >= 0x7f && point < 0xa0) || point == 0x200e || point == 0x200f ||
	       (point >= 0x2028 && point <= 0x202e) || (point >= 0x2066 && point <= 0x2069);
}

static bool has_unsafe(const char *text)
{
	size_t bytes;

	for (const unsigned char *s = (const unsigned char *)text; *s; s += bytes)
		if (is_unsafe(decode(s, &bytes)))
			return true;
	return false;
}

/* "\x1b" and "\u202e" are at most six bytes, for a character of one byte or more. */
static char *escape(const char *text)
{
	char *escaped = malloc(strlen(text) * 6 + 1), *out = escaped;
	size_t bytes;

	if (!escaped)
		return NULL;
	for (const unsigned char *s = (const unsigned char *)text; *s; s += bytes) {
		uint32_t point = decode(s, &bytes);

		if (!is_unsafe(point))
			out = mempcpy(out, s, bytes);
		else
			out += sprintf(out, point < 0x80 ? "\\x%02x" : "\\u%04x", point);
	}
	*out = '\0';
	return escaped;
}

static int escape_string(json_t *string)
{
	char *escaped;
	int error;

	if (!has_unsafe(json_string_value(string)))
		return 0;
	escaped = escape(json_string_value(string));
	error = escaped && json_string_set(string, escaped) == 0 ? 0 : -ENOMEM;
	free(escaped);
	return error;
}

static int rename_member(json_t *object, const char *name, json_t *value)
{
	char *escaped = escape(name);
	int error = escaped && json_object_set(object, escaped, value) == 0 ? 0 : -ENOMEM;

	free(escaped);
	if (error == 0)
		json_object_del(object, name);
	return error;
}

static int escape_object(json_t *object)
{
	const char *name;
	void *next;
	json_t *value;
	int error = 0;

	json_object_foreach_safe(object, next, name, value)
	{
		if (error == 0)
			error = answer_escape(value);
		if (error == 0 && has_unsafe(name))
			error = rename_member(object, name, value);
	}
	return error;
}

static int escape_array(json_t *array)
{
	int error = 0;

	for (size_t i = 0; i < json_array_size(array) && error == 0; i++)
		error = answer_escape(json_array_get(array, i));
	return error;
}

int answer_escape(json_t *tree)
{
	if (json_is_string(tree))
		return escape_string(tree);
	if (json_is_object(tree))
		return escape_object(tree);
	if (json_is_array(tree))
		return escape_array(tree);
	return 0;
}

const char *answer_item(const json_t *item)
{
	const char *text = json_string_value(item);

	return text ? text : "-";
}

const char *answer_text(const json_t *object, const char *name)
{
	return answer_item(json_object_get(object, name));
}

json_int_t answer_integer(const json_t *object, const char *name)
{
	return json_integer_value(json_object_get(object, name));
}

double answer_seconds(const json_t *object, const char *name)
{
	return json_number_value(json_object_get(object, name));
}

bool answer_is_true(const json_t *object, const char *name)
{
	return json_is_true(json_object_get(object, name));
}

bool answer_is_null(const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);

	return !value || json_is_null(value);
}
