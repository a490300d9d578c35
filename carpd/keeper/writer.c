#include "writer.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "linux/sandbox.h"

/* What holds no descriptor of the keeper's cannot keep a later carpd from starting, should the disk never
 * answer. */
static void close_all(void)
{
	long last = sysconf(_SC_OPEN_MAX);

	for (int fd = STDERR_FILENO + 1; fd < last; fd++)
		close(fd);
}

static int write_all(int fd, const char *text, size_t length)
{
	while (length > 0) {
		ssize_t written = write(fd, text, length);
		if (written < 0 && errno != EINTR)
			return -errno;
		if (written > 0) {
			text += written;
			length -= (size_t)written;
		}
	}
	return fdatasync(fd) < 0 ? -errno : 0;
}

/* Whatever is there under either name, a link or a pipe, is replaced and not opened. */
static int write_seals(int directory, const char *text, size_t length)
{
	(void)unlinkat(directory, "seals.new", 0);
	int fd = openat(directory, "seals.new", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	int error = write_all(fd, text, length);
	close(fd);
	if (error == 0 && renameat(directory, "seals.new", directory, "seals") < 0)
		error = -errno;
	if (error < 0)
		(void)unlinkat(directory, "seals.new", 0);
	return error;
}

/* That the name is there says it all, whatever it names. */
static int set_maintenance(int directory, bool on)
{
	struct stat status;

	if (!on)
		return unlinkat(directory, "maintenance", 0) < 0 && errno != ENOENT ? -errno : 0;
	if (fstatat(directory, "maintenance", &status, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	int fd = openat(directory, "maintenance", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

static int write_job(const struct writer *writer)
{
	const struct sched_param ordinary = {0};

	(void)prctl(PR_SET_NAME, "carpd-writer", 0, 0, 0);
	close_all();
	signal(SIGTERM, SIG_IGN); /* of a terminal or a service manager: the keeper decides */
	signal(SIGINT, SIG_IGN);
	(void)sched_setscheduler(0, SCHED_OTHER, &ordinary);
	int error = sandbox_drop_everything(writer->uid, writer->gid);
	if (error < 0)
		return error;
	int directory = open(writer->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (directory < 0)
		return -errno;
	if (writer->job == MESSAGE_SEALS)
		return write_seals(directory, writer->seals, writer->seals_length);
	error = set_maintenance(directory, (writer->number & MESSAGE_MAINTENANCE_ON) != 0);
	if (error == 0 && fsync(directory) < 0)
		error = -errno;
	return error;
}

static void answer(const struct writer *writer, int channel, const char *error)
{
	/* If there is none any more, nobody waits. */
	if (channel >= 0)
		(void)channel_send(channel, writer->job, writer->number, error, -1);
}

static bool choose_job(struct writer *writer)
{
	if (writer->has_maintenance) {
		writer->job = MESSAGE_MAINTENANCE;
		writer->number = writer->maintenance_number;
		writer->has_maintenance = false;
		return true;
	}
	writer->job = MESSAGE_SEALS;
	writer->number = writer->seals_number;
	bool chosen = writer->has_seals;
	writer->has_seals = false;
	return chosen;
}

static void go_on(struct writer *writer, int channel)
{
	while (writer->pid == 0 && choose_job(writer)) {
		pid_t pid = fork();
		if (pid == 0)
			_exit(-write_job(writer));
		if (pid < 0)
			answer(writer, channel, strerror(errno));
		else
			writer->pid = pid;
	}
}

void writer_keep_seals(struct writer *writer, int channel, uint32_t number, const char *text, size_t length)
{
	char *copy = malloc(length);

	/* It is asked for again. */
	if (copy == NULL)
		return;
	memcpy(copy, text, length);
	free(writer->seals);
	writer->seals = copy;
	writer->seals_length = length;
	writer->seals_number = number;
	writer->has_seals = true;
	go_on(writer, channel);
}

void writer_keep_maintenance(struct writer *writer, int channel, uint32_t number)
{
	writer->maintenance_number = number;
	writer->has_maintenance = true;
	go_on(writer, channel);
}

static const char *describe_end(int status)
{
	if (!WIFEXITED(status))
		return strsignal(WTERMSIG(status));
	return WEXITSTATUS(status) == 0 ? NULL : strerror(WEXITSTATUS(status));
}

void writer_ended(struct writer *writer, int channel, pid_t pid, int status)
{
	if (pid != writer->pid)
		return;
	writer->pid = 0;
	answer(writer, channel, describe_end(status));
	go_on(writer, channel);
}

bool writer_is_busy(const struct writer *writer)
{
	return writer->pid != 0;
}

void writer_close(struct writer *writer)
{
	free(writer->seals);
}
