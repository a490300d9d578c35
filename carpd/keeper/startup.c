#include "startup.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "carpd/config/config.h"
#include "control_socket.h"
#include "linux/gate.h"
#include "carpd/log/log.h"
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

static bool open_control(struct startup *startup)
{
	const char *path = startup->config->control_path;

	make_parent_directory(path);
	startup->control_fd = control_socket_open(path);
	if (startup->control_fd >= 0)
		return true;
	log_error("control socket %s: %s", path, strerror(-startup->control_fd));
	return false;
}

static void look_up_user(struct startup *startup)
{
	const struct passwd *user = getpwnam(startup->config->user);
	const struct group *admins = getgrnam("carpd-admin");

	startup->admins = admins != NULL ? admins->gr_gid : GROUP_NOBODY_IS_IN;
	if (geteuid() != 0) {
		startup->uid = getuid();
		startup->gid = getgid();
		return;
	}
	if (user == NULL) {
		user = getpwnam("nobody");
		log_warning("there is no user \"%s\"; the engine runs as nobody (systemd-sysusers makes it)",
		            startup->config->user);
	}
	startup->uid = user != NULL ? user->pw_uid : 65534;
	startup->gid = user != NULL ? user->pw_gid : 65534;
}

/* Whoever writes in it is the engine's user, so that a service without root finds it as root left it. */
static void make_state_directory(const struct startup *startup)
{
	const char *directory = startup->config->state_directory;

	if (mkdir(directory, 0755) < 0 && errno != EEXIST) {
		log_warning("%s: %s; maintenance will not survive a restart", directory, strerror(errno));
		return;
	}
	if (chown(directory, startup->uid, startup->gid) < 0)
		log_warning("%s: %s; maintenance will not survive a restart", directory, strerror(errno));
}

bool startup_open(struct startup *startup, struct config *config)
{
	startup->config = config;
	startup->pages = mmap(NULL, sizeof(*startup->pages), PROT_READ | PROT_WRITE,
	                      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (startup->pages == MAP_FAILED) {
		log_error("no memory for what is to be kept: %s", strerror(errno));
		return false;
	}
	if (!open_control(startup))
		return false;
	look_up_user(startup);
	make_state_directory(startup);
	return true;
}

static bool wants_gate(const struct config *config)
{
	for (size_t i = 0; i < config->group_count; i++)
		if (config->groups[i].mac != CONFIG_MAC_INTERFACE)
			return true;
	return false;
}

void startup_load_gate(struct startup *startup)
{
	int error = gate_load(&startup->gate, &startup->gate_missing);

	if (error == 0)
		return;
	startup->gate = NULL;
	if (wants_gate(startup->config))
		log_warning("no gate: %s (%s)", startup->gate_missing, strerror(-error));
}
