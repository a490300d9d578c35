/*
 * The words of the control socket: what each takes, who may use it, and its answer
 * (doc/control-protocol.md).
 */
#ifndef CARPD_REQUEST_H
#define CARPD_REQUEST_H

#include <jansson.h>

#include "conversation.h"

/* Any object may be a request.  NULL: the answer comes later, and conversation->waiting says after what. */
json_t *request_run(struct conversation *conversation, json_t *request);

/* Whether the hand-over that this one waits for has ended, and then the answer. */
bool request_handover_is_over(const struct conversation *conversation);
json_t *request_finish_handover(struct conversation *conversation);

json_t *request_success(void);
json_t *request_failure(const char *sentence);
/* Of maintenance: error is why. */
json_t *request_not_kept(const char *error);
/* It is kept, and comes into force next: the answer, or NULL if it waits for the hand-over. */
json_t *request_go_on_with_maintenance(struct conversation *conversation);

#endif
