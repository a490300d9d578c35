/*
 * The control socket: who connects, with which rights, and how much of the time all
 * of them may take.
 */
#ifndef CARPD_CONTROL_H
#define CARPD_CONTROL_H

#include "conversation.h"

struct control;
struct event_base;

/* Serves clients on the loop.  NULL if there is no memory. */
struct control *control_open(struct daemon *daemon, struct event_base *base, int listening_fd,
                             const struct control_requests *requests);
void control_close(struct control *control);

/* Answers those who wait for a hand-over that has ended by now; cheap if there are none. */
void control_settle(struct control *control);
/* Answers those who wait for a reload: error NULL if it is in force. */
void control_reloaded(struct control *control, const char *error);
/* The groups are other objects now. */
void control_forget_groups(struct control *control);

#endif
