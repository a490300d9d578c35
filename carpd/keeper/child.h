/*
 * The engine's process as its parent sees it: started, listened to, and started again.
 */
#ifndef CARPD_CHILD_H
#define CARPD_CHILD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "channel.h"

struct child {
	pid_t pid;   /* 0: none runs */
	int channel; /* to it; -1: none runs */
	int64_t started_ms;
	int64_t heard_ms;
	int64_t reload_by_ms, end_by_ms; /* CHILD_NEVER: nothing is waited for */
	const char *why_end;
	int64_t start_again_ms;
	int backoff_ms;
};

#define CHILD_NONE  ((struct child){.channel = -1})
#define CHILD_NEVER INT64_MAX

/*
 * As fork(2): 0 in the child, whose end of the channel is *ret_channel then; -1
 * if there is none, which is logged, and it is due again later.
 */
pid_t child_fork(struct child *child, int *ret_channel);

void child_heard(struct child *child);
/* It has closed its channel, or talks nonsense: nothing is heard of it any more, and it has to end. */
void child_lost(struct child *child);

/* Kills the one that has not been heard, or has not done what it was told to do, for too long. */
void child_watch(struct child *child);
/*
 * Asks it to end, in the way that request says, for which handing over may take it
 * wait_ms; kills it if it cannot be asked.
 */
void child_stop(struct child *child, enum message_kind request, int wait_ms);
void child_kill(const struct child *child);
/* It has been given a configuration (or has answered), for which handing over may take it wait_ms. */
void child_expect_reload(struct child *child, int wait_ms);
void child_has_reloaded(struct child *child);

/* It has ended. */
void child_bury(struct child *child);
/* The next is due after a while, a longer one each time. */
void child_put_off(struct child *child);

bool child_is_due(const struct child *child);
/* Until it is due, or late with anything. */
int child_timeout_ms(const struct child *child);

#endif
