#include "conversation.h"

#include <event2/buffer.h>
#include <stdlib.h>

#include "request.h"

void conversation_end(struct conversation *conversation)
{
	json_decref(conversation->candidates);
	json_decref(conversation->not_master);
}

static void answer(struct conversation *conversation, json_t *json)
{
	char *text = json != NULL ? json_dumps(json, JSON_COMPACT) : NULL;

	if (text == NULL)
		evbuffer_add_printf(conversation->output, "{\"ok\":false,\"error\":\"out of memory\"}\n");
	else
		evbuffer_add_printf(conversation->output, "%s\n", text);
	free(text);
	json_decref(json);
}

bool conversation_is_answered(const struct conversation *conversation)
{
	return conversation->waiting == WAITING_FOR_NOTHING && evbuffer_get_length(conversation->output) == 0;
}

bool conversation_has_request(const struct conversation *conversation)
{
	if (conversation->hung_up || !conversation_is_answered(conversation))
		return false;
	return evbuffer_get_length(conversation->input) > REQUEST_BYTES_MAX ||
	       evbuffer_search_eol(conversation->input, NULL, NULL, EVBUFFER_EOL_LF).pos >= 0;
}

static void serve_line(struct conversation *conversation, const char *line, size_t length)
{
	json_t *request = length <= REQUEST_BYTES_MAX ? json_loadb(line, length, 0, NULL) : NULL;

	if (!json_is_object(request)) {
		json_decref(request);
		conversation->hung_up = true;
		answer(conversation,
		       request_failure("a request is one JSON object on a line of at most 4096 bytes"));
		return;
	}
	daemon_read_clock(conversation->daemon);
	json_t *reply = request_run(conversation, request);
	json_decref(request);
	if (reply != NULL)
		answer(conversation, reply);
	conversation->requests->settle(conversation->daemon);
}

void conversation_serve(struct conversation *conversation)
{
	size_t length = 0;
	char *line = evbuffer_readln(conversation->input, &length, EVBUFFER_EOL_LF);

	/* NULL: it is too long already, and has no end. */
	serve_line(conversation, line != NULL ? line : "", length);
	free(line);
}

static void finish(struct conversation *conversation, json_t *json)
{
	conversation->waiting = WAITING_FOR_NOTHING;
	answer(conversation, json);
}

void conversation_settle(struct conversation *conversation)
{
	if (conversation->waiting == WAITING_FOR_HANDOVER && request_handover_is_over(conversation))
		finish(conversation, request_finish_handover(conversation));
	if (conversation->waiting == WAITING_FOR_DISK &&
	    instant_reached(conversation->patient_until, conversation->daemon->now))
		finish(conversation, request_failure("the disk with the state directory does not answer; it "
		                                     "comes into force when it does"));
}

void conversation_reloaded(struct conversation *conversation, uint32_t last, const char *error)
{
	/* Who has asked since the file was read may have changed it since. */
	if (conversation->waiting != WAITING_FOR_RELOAD || conversation->number > last)
		return;
	finish(conversation, error == NULL ? request_success() : request_failure(error));
}

void conversation_kept(struct conversation *conversation, uint32_t last, const char *error)
{
	if (conversation->waiting != WAITING_FOR_DISK || conversation->number > last)
		return;
	conversation->waiting = WAITING_FOR_NOTHING;
	json_t *reply =
	        error[0] == '\0' ? request_go_on_with_maintenance(conversation) : request_not_kept(error);
	if (reply != NULL)
		answer(conversation, reply);
}
