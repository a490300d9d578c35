/*
 * What one client asks and is told, as bytes in two buffers: whose they are, and
 * when it is this client's turn, is for control.c to say.
 */
#ifndef CARPD_CONVERSATION_H
#define CARPD_CONVERSATION_H

#include <jansson.h>
#include <stdbool.h>

#include "carpd/engine/daemon.h"

#define REQUEST_BYTES_MAX 4096

struct evbuffer;

/* What only the loop can do for a client. */
struct control_requests {
	int (*reload)(struct daemon *daemon, uint32_t *ret_number); /* 0 or -errno; numbers count up */
	void (*settle)(struct daemon *daemon); /* after every request that may have acted */
};

enum waiting {
	WAITING_FOR_NOTHING,
	WAITING_FOR_HANDOVER,
	WAITING_FOR_RELOAD,
	WAITING_FOR_DISK,
};

struct conversation {
	struct daemon *daemon;
	const struct control_requests *requests;
	struct evbuffer *input, *output; /* the caller's */
	bool may_act;
	bool hung_up; /* it did not speak JSON: nothing more is read */
	enum waiting waiting;
	uint32_t number; /* of the reload or the maintenance that it waits for */
	instant patient_until;
	json_t *candidates; /* of a hand-over: names of the groups that were master when it began */
	json_t *not_master;
};

/* Before its buffers are freed. */
void conversation_end(struct conversation *conversation);

/* Whether everything that was asked has been answered, and the answer read. */
bool conversation_is_answered(const struct conversation *conversation);

/* Whether a request can be served now.  Answers keep the order of the requests: the one before comes first.
 */
bool conversation_has_request(const struct conversation *conversation);
/* Serves it.  Its answer may have to wait for one of the two below. */
void conversation_serve(struct conversation *conversation);

/* Answers one that waits for a hand-over which has ended by now, or for a disk that does not answer. */
void conversation_settle(struct conversation *conversation);
/* Answers one that waits for the reload number last or an earlier one: error NULL if it is in force. */
void conversation_reloaded(struct conversation *conversation, uint32_t last, const char *error);
/*
 * To one that waits for maintenance number last, or an earlier one, to be kept: error
 * empty if it is.  Before it comes into force, which has to be handed over is noted.
 */
void conversation_kept(struct conversation *conversation, uint32_t last, const char *error);

#endif
