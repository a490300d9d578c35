#include "reload_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "channel.h"
#include "carpd/log/log.h"

/* The answer to a request is one sentence on one line. */
static void join_lines(char *text)
{
	for (char *end = text; (end = strchr(end, '\n')) != NULL; end++)
		*end = end[1] == '\0' ? '\0' : ';';
}

static void refuse(const struct reload_file *reload_file, const struct child *child, const char *errors)
{
	log_error("the configuration was not reloaded; the old one stays in force:");
	log_lines(LOG_LEVEL_ERROR, errors);
	if (child->channel < 0)
		return;
	char *answer = strdup(errors);
	if (answer == NULL)
		return;
	join_lines(answer);
	(void)channel_send(child->channel, MESSAGE_RELOAD_REFUSED, reload_file->wanted, answer, -1);
	free(answer);
}

/* Passphrases included, so in memory that has no name and goes with its last descriptor. */
static int write_for_engine(const struct config *config)
{
	int fd = memfd_create("carpd.conf", MFD_CLOEXEC);
	FILE *file = fd < 0 ? NULL : fdopen(dup(fd), "w");

	if (file == NULL)
		return -errno;
	config_print(config, CONFIG_SHOW_SECRETS, file);
	if (fclose(file) != 0 || lseek(fd, 0, SEEK_SET) < 0) {
		close(fd);
		return -EIO;
	}
	return fd;
}

static void send_config(struct reload_file *reload_file, struct config *config, struct child *child)
{
	int fd = write_for_engine(config);

	if (fd >= 0 && channel_send(child->channel, MESSAGE_RELOAD, reload_file->wanted, NULL, fd) == 0) {
		reload_file->under_way = config;
		/* The groups of the old one that leave hand over. */
		child_expect_reload(child, (*reload_file->in_force)->handover_wait_ms);
	} else {
		config_free(config);
		refuse(reload_file, child, "it could not be given to the engine");
	}
	if (fd >= 0)
		close(fd);
}

/* Kept as they are, also for an engine that has to be started again, and for the end. */
static void keep_until_restart(const struct config *old, struct config *new)
{
	if (strcmp(old->user, new->user) != 0 || strcmp(old->control_path, new->control_path) != 0 ||
	    strcmp(old->state_directory, new->state_directory) != 0 || old->realtime != new->realtime ||
	    old->sandbox != new->sandbox)
		log_warning(
		        "user, control, state-directory, realtime and sandbox change with a restart only");
	memcpy(new->user, old->user, sizeof(new->user));
	memcpy(new->control_path, old->control_path, sizeof(new->control_path));
	memcpy(new->state_directory, old->state_directory, sizeof(new->state_directory));
	new->realtime = old->realtime;
	new->sandbox = old->sandbox;
}

static void put_in_force(struct reload_file *reload_file, struct config *config)
{
	config_free(*reload_file->in_force);
	*reload_file->in_force = config;
}

static void take(struct reload_file *reload_file, struct config *config, const char *warnings,
                 struct child *child)
{
	log_lines(LOG_LEVEL_WARNING, warnings);
	keep_until_restart(*reload_file->in_force, config);
	if (child->channel >= 0)
		send_config(reload_file, config, child);
	else
		put_in_force(reload_file, config);
}

void reload_file_read(struct reload_file *reload_file, struct child *child)
{
	char *errors = NULL;
	size_t length = 0;

	if (reload_file->under_way != NULL) {
		reload_file->again = true;
		return;
	}
	if (reload_file->path == NULL) {
		refuse(reload_file, child, "carpd run has no file to read again");
		return;
	}
	FILE *stream = open_memstream(&errors, &length);
	if (stream == NULL) {
		refuse(reload_file, child, "out of memory");
		return;
	}
	struct config *config = config_load(reload_file->path, stream);
	fclose(stream);
	if (config == NULL)
		refuse(reload_file, child, errors);
	else
		take(reload_file, config, errors, child);
	free(errors);
}

void reload_file_wanted(struct reload_file *reload_file, struct child *child, uint32_t number)
{
	reload_file->wanted = number;
	reload_file_read(reload_file, child);
}

static void go_on(struct reload_file *reload_file, struct child *child)
{
	bool again = reload_file->again;

	child_has_reloaded(child);
	reload_file->under_way = NULL;
	reload_file->again = false;
	if (again)
		reload_file_read(reload_file, child);
}

void reload_file_confirmed(struct reload_file *reload_file, struct child *child)
{
	if (reload_file->under_way == NULL)
		return;
	put_in_force(reload_file, reload_file->under_way);
	go_on(reload_file, child);
}

void reload_file_refused(struct reload_file *reload_file, struct child *child, const char *why)
{
	if (reload_file->under_way == NULL)
		return;
	log_error("the configuration was not reloaded: %s", why);
	config_free(reload_file->under_way);
	go_on(reload_file, child);
}

void reload_file_lost(struct reload_file *reload_file)
{
	if (reload_file->under_way != NULL)
		log_warning("the reload that was under way is lost; the old configuration stays in force");
	reload_file->again = false;
	reload_file->wanted = 0;
	config_free(reload_file->under_way);
	reload_file->under_way = NULL;
}
