#include "child.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "carpd/log/log.h"

/* An engine that has not been heard for so long is stuck; the gate is long shut by then. */
#define SILENCE_MAX_MS 10000
/* What it was told to do may take so long, beside the hand-over that belongs to it. */
#define OBEY_MAX_MS SILENCE_MAX_MS
/* Between the end of its channel, which the kernel closes for it, and its own. */
#define END_MAX_MS 1000

/*
 * Back-off between starts: doubled each time, and forgotten after a minute of
 * service.  The first is longer than any advskew, so that the peers' timers, which
 * run since the dead engine's last advert, end before the new one's.
 */
#define BACKOFF_FIRST_MS 1000
#define BACKOFF_MAX_MS   10000
#define SERVED_WELL_MS   60000

static int64_t now_ms(void)
{
	struct timespec t;

	/* Not the boot clock: an engine is not late because the machine slept. */
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000) + t.tv_nsec / 1000000;
}

static pid_t begin(struct child *child, int *ret_channel)
{
	int ends[2];
	int error = channel_open(ends);

	if (error < 0) {
		log_error("no channel to the engine: %s", strerror(-error));
		return -1;
	}
	pid_t pid = fork();
	if (pid < 0) {
		log_error("the engine cannot be started: %s", strerror(errno));
		close(ends[0]);
		close(ends[1]);
		return -1;
	}
	close(ends[pid == 0 ? 0 : 1]);
	if (pid == 0) {
		*ret_channel = ends[1];
		return 0;
	}
	*child = (struct child){.pid = pid,
	                        .channel = ends[0],
	                        .reload_by_ms = CHILD_NEVER,
	                        .end_by_ms = CHILD_NEVER,
	                        .backoff_ms = child->backoff_ms};
	child->started_ms = child->heard_ms = now_ms();
	return pid;
}

pid_t child_fork(struct child *child, int *ret_channel)
{
	pid_t pid = begin(child, ret_channel);

	if (pid < 0)
		child->start_again_ms = now_ms() + BACKOFF_MAX_MS;
	return pid;
}

void child_heard(struct child *child)
{
	child->heard_ms = now_ms();
}

static void expect_end(struct child *child, int within_ms, const char *why)
{
	child->end_by_ms = now_ms() + within_ms;
	child->why_end = why;
}

void child_lost(struct child *child)
{
	close(child->channel);
	child->channel = -1;
	expect_end(child, END_MAX_MS, "has closed its channel and goes on");
}

static const char *find_fault(const struct child *child, int64_t now)
{
	if (now - child->heard_ms >= SILENCE_MAX_MS)
		return "has not been heard for 10 s";
	if (now >= child->end_by_ms)
		return child->why_end;
	return now >= child->reload_by_ms ? "does not take the new configuration" : NULL;
}

void child_watch(struct child *child)
{
	int64_t now = now_ms();
	const char *fault = child->pid != 0 ? find_fault(child, now) : NULL;

	if (fault == NULL)
		return;
	log_error("the engine %s; it is stuck, and ended", fault);
	child->heard_ms = now;
	child->reload_by_ms = CHILD_NEVER;
	expect_end(child, OBEY_MAX_MS, "was killed and is still there");
	(void)kill(child->pid, SIGKILL);
}

void child_kill(const struct child *child)
{
	if (child->pid != 0)
		(void)kill(child->pid, SIGKILL);
}

void child_stop(struct child *child, enum message_kind request, int wait_ms)
{
	expect_end(child, OBEY_MAX_MS + wait_ms, "does not stop");
	if (child->pid != 0 && channel_say(child->channel, request) < 0)
		child_kill(child);
}

void child_expect_reload(struct child *child, int wait_ms)
{
	child->reload_by_ms = now_ms() + OBEY_MAX_MS + wait_ms;
}

void child_has_reloaded(struct child *child)
{
	child->reload_by_ms = CHILD_NEVER;
}

void child_bury(struct child *child)
{
	if (child->channel >= 0)
		close(child->channel);
	child->channel = -1;
	child->pid = 0;
}

void child_put_off(struct child *child)
{
	if (child->backoff_ms == 0 || now_ms() - child->started_ms > SERVED_WELL_MS)
		child->backoff_ms = BACKOFF_FIRST_MS;
	child->start_again_ms = now_ms() + child->backoff_ms;
	log_notice("the engine starts again in %d ms", child->backoff_ms);
	child->backoff_ms = child->backoff_ms * 2 > BACKOFF_MAX_MS ? BACKOFF_MAX_MS : child->backoff_ms * 2;
}

bool child_is_due(const struct child *child)
{
	return child->pid == 0 && now_ms() >= child->start_again_ms;
}

int child_timeout_ms(const struct child *child)
{
	int64_t due = child->heard_ms + SILENCE_MAX_MS;

	if (child->end_by_ms < due)
		due = child->end_by_ms;
	if (child->reload_by_ms < due)
		due = child->reload_by_ms;
	if (child->pid == 0)
		due = child->start_again_ms;
	int64_t left = due - now_ms();
	return left < 0 ? 0 : (int)left;
}
