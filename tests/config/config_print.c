/* What carpd -nv does with a configuration, without the daemon. */
#include <stdio.h>
#include <string.h>

#include "carpd/config/config.h"

/* As before a reload: nothing of a text that was given up may be left in libconfuse's lexer. */
static int read_nonsense(void)
{
	char text[] = "grace = 1 group wan { vhid 1 \"x\" }";
	FILE *nowhere = fopen("/dev/null", "w");
	FILE *file = fmemopen(text, strlen(text), "r");
	struct config *config;

	if (nowhere == NULL || file == NULL)
		return -1;
	config = config_parse(file, "nonsense", nowhere);
	fclose(file);
	fclose(nowhere);
	return config == NULL ? 0 : -1;
}

int main(int argc, char **argv)
{
	enum config_secrets secrets = CONFIG_HIDE_SECRETS;
	struct config *config;

	if (argc == 3 && strcmp(argv[1], "--show-secrets") == 0)
		secrets = CONFIG_SHOW_SECRETS;
	else if (argc != 2)
		return 2;
	if (read_nonsense() < 0)
		return 2;
	config = config_load(argv[argc - 1], stderr);
	if (config == NULL)
		return 1;
	config_print(config, secrets, stdout);
	config_free(config);
	return 0;
}
