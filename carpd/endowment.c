#include "endowment.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config.h"
#include "control_bind.h"
#include "linux/gate.h"
#include "log.h"
#include "state_pages.h"

static void make_parent_directory(const char *path)
{
	char directory[CONFIG_PATH_MAX];

	snprintf(directory, sizeof(directory), "%s", path);
	char *slash = strrchr(directory, '/');
	if (slash == NULL || slash == directory)
		return;
	*slash = '\0';
	if (mkdir(directory, 0755) == 0)
		(void)chmod(directory, 0755); /* whatever the umask: everybody may look */
}

static bool open_control(struct endowment *endowment)
{
	const char *path = endowment->config->control_path;

	make_parent_directory(path);
	endowment->control_fd = control_bind(path);
	if (endowment->control_fd >= 0)
		return true;
	log_error("control socket %s: %s", path, strerror(-endowment->control_fd));
	return false;
}

static void look_up_user(struct endowment *endowment)
{
	const struct passwd *user = getpwnam(endowment->config->user);
	const struct group *admins = getgrnam("carpd-admin");

	endowment->admins = admins != NULL ? admins->gr_gid : GROUP_NOBODY_IS_IN;
	if (geteuid() != 0) {
		endowment->uid = getuid();
		endowment->gid = getgid();
		return;
	}
	if (user == NULL) {
		user = getpwnam("nobody");
		log_warning("there is no user \"%s\"; the engine runs as nobody (systemd-sysusers makes it)",
		            endowment->config->user);
	}
	endowment->uid = user != NULL ? user->pw_uid : 65534;
	endowment->gid = user != NULL ? user->pw_gid : 65534;
}

/* Whoever writes in it is the engine's user, so that a service without root finds it as root left it. */
static void make_state_directory(const struct endowment *endowment)
{
	const char *directory = endowment->config->state_directory;

	if (mkdir(directory, 0755) < 0 && errno != EEXIST) {
		log_warning("%s: %s; maintenance will not survive a restart", directory, strerror(errno));
		return;
	}
	if (chown(directory, endowment->uid, endowment->gid) < 0)
		log_warning("%s: %s; maintenance will not survive a restart", directory, strerror(errno));
}

bool endowment_open(struct endowment *endowment, struct config *config)
{
	endowment->config = config;
	endowment->pages = mmap(NULL, sizeof(*endowment->pages), PROT_READ | PROT_WRITE,
	                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (endowment->pages == MAP_FAILED) {
		log_error("no memory for what is to be kept: %s", strerror(errno));
		return false;
	}
	if (!open_control(endowment))
		return false;
	look_up_user(endowment);
	make_state_directory(endowment);
	return true;
}

static bool wants_gate(const struct config *config)
{
	for (size_t i = 0; i < config->group_count; i++)
		if (config->groups[i].mac != CONFIG_MAC_INTERFACE)
			return true;
	return false;
}

void endowment_load_gate(struct endowment *endowment)
{
	int error = gate_load(&endowment->gate, &endowment->gate_missing);

	if (error == 0)
		return;
	endowment->gate = NULL;
	if (wants_gate(endowment->config))
		log_warning("no gate: %s (%s)", endowment->gate_missing, strerror(-error));
}
