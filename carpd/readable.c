#include "readable.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

static void check_file(const struct config *config, const char *file, FILE *errors)
{
	if (faccessat(AT_FDCWD, file, R_OK, AT_EACCESS) < 0)
		fprintf(errors,
		        "%s: warning: user %s, as whom the systemd unit runs carpd, cannot read it; chown %s "
		        "%s, "
		        "and see to the folders above\n",
		        file, config->user, config->user, file);
}

/* Relative ones begin in the folder of the configuration. */
static void check_secret(const struct config *config, const char *path, const char *file, FILE *errors)
{
	const char *slash = strrchr(path, '/');
	int folder = file[0] != '/' && slash != NULL ? (int)(slash - path) + 1 : 0;
	char resolved[2 * CONFIG_PATH_MAX];

	snprintf(resolved, sizeof(resolved), "%.*s%s", folder, path, file);
	if (file[0] != '\0')
		check_file(config, resolved, errors);
}

void readable_check(const struct config *config, const char *path, FILE *errors)
{
	const struct passwd *user = getpwnam(config->user);

	if (geteuid() != 0 || user == NULL || user->pw_uid == 0)
		return;
	if (initgroups(config->user, user->pw_gid) < 0 || setegid(user->pw_gid) < 0 ||
	    seteuid(user->pw_uid) < 0)
		return;
	check_file(config, path, errors);
	for (size_t g = 0; g < config->group_count; g++) {
		const struct config_group *group = &config->groups[g];

		check_secret(config, path, group->passphrase_file, errors);
		for (size_t k = 0; k < group->key_count; k++)
			check_secret(config, path, group->keys[k].path, errors);
	}
	(void)seteuid(0);
}
