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
/* Answers those who wait for the reload number last or an earlier one: error NULL if it is in force. */
void control_reloaded(struct control *control, uint32_t last, const char *error);
/* Answers those who wait for maintenance number last, or an earlier one, to be kept: error empty if it is. */
void control_kept(struct control *control, uint32_t last, const char *error);

#endif
