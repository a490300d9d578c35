/* A configuration: whatever is accepted must print as something that means and prints the same. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "carpd/config/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct config *parse(const void *text, size_t size, FILE *errors)
{
	FILE *file = fmemopen((void *)(uintptr_t)text, size, "r");
	struct config *config;

	if (file == NULL)
		abort();
	config = config_parse(file, "fuzz", errors);
	fclose(file);
	return config;
}

static void print(const struct config *config, char **ret_text, size_t *ret_size)
{
	FILE *file = open_memstream(ret_text, ret_size);

	if (file == NULL)
		abort();
	config_print(config, CONFIG_SHOW_SECRETS, file);
	fclose(file);
}

static void check_again(const struct config *config)
{
	char *first, *second;
	size_t first_size, second_size;
	struct config *again;

	print(config, &first, &first_size);
	again = parse(first, first_size, stderr);
	if (again == NULL)
		abort();
	print(again, &second, &second_size);
	if (first_size != second_size || memcmp(first, second, first_size) != 0) {
		fprintf(stderr, "printed at first:\n%s\nand then:\n%s\n", first, second);
		abort();
	}
	config_free(again);
	free(first);
	free(second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static FILE *nowhere;
	struct config *config;

	if (nowhere == NULL)
		nowhere = fopen("/dev/null", "w");
	/* fmemopen refuses an empty buffer. */
	if (nowhere == NULL || size == 0)
		return 0;
	config = parse(data, size, nowhere);
	if (config != NULL)
		check_again(config);
	config_free(config);
	return 0;
}
