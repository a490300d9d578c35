/*
 * Requests gathered, sent in as few calls as their size allows, and answered.
 */
#include "linux/rtnl_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <sys/socket.h>

/* Enough for a dual-stack group of 255 addresses each, so that a takeover allocates nothing. */
#define REQUESTS_START 512
/* An answer takes about 1 kB of the socket's buffer; a larger chunk could overrun one of default size. */
#define CHUNK_REQUESTS_MAX 256

int rtnl_batch_init(struct rtnl_batch *batch)
{
	*batch = (struct rtnl_batch){
	        .messages = malloc(REQUESTS_START * RTNL_REQUEST_BYTES_MAX),
	        .bytes_room = REQUESTS_START * RTNL_REQUEST_BYTES_MAX,
	        .requests = calloc(REQUESTS_START, sizeof(struct rtnl_request)),
	        .count_room = REQUESTS_START,
	};
	return batch->messages && batch->requests ? 0 : -ENOMEM;
}

void rtnl_batch_empty(struct rtnl_batch *batch)
{
	for (size_t i = 0; i < batch->count; i++)
		free(batch->requests[i].text);
	batch->count = 0;
	batch->bytes = 0;
}

void rtnl_batch_free(struct rtnl_batch *batch)
{
	rtnl_batch_empty(batch);
	free(batch->messages);
	free(batch->requests);
	*batch = (struct rtnl_batch){0};
}

static int grow(struct rtnl_batch *batch)
{
	size_t room = batch->count_room ? batch->count_room * 2 : REQUESTS_START;
	uint8_t *messages;
	struct rtnl_request *requests;

	messages = realloc(batch->messages, room * RTNL_REQUEST_BYTES_MAX);
	if (!messages)
		return -ENOMEM;
	batch->messages = messages;
	batch->bytes_room = room * RTNL_REQUEST_BYTES_MAX;
	requests = realloc(batch->requests, room * sizeof(*requests));
	if (!requests)
		return -ENOMEM;
	batch->requests = requests;
	batch->count_room = room;
	return 0;
}

struct nlmsghdr *rtnl_batch_message(const struct rtnl_batch *batch, const struct rtnl_request *request)
{
	void *message = batch->messages + request->offset;

	return message;
}

/* Begins a request; NULL if there is no memory.  It counts from finish on. */
struct nlmsghdr *rtnl_batch_begin(struct rtnl_batch *batch, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *message;

	if (batch->count == batch->count_room && grow(batch) < 0)
		return NULL;
	message = mnl_nlmsg_put_header(batch->messages + batch->bytes);
	message->nlmsg_type = type;
	message->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | flags);
	return message;
}

int rtnl_batch_finish(struct rtnl_batch *batch, const struct nlmsghdr *message, void *tag)
{
	batch->requests[batch->count++] = (struct rtnl_request){.tag = tag, .offset = batch->bytes};
	batch->bytes += NLMSG_ALIGN(message->nlmsg_len);
	return 0;
}

static char *find_text(const struct nlmsghdr *answer, const struct nlmsgerr *error)
{
	const struct nlattr *attributes[NLMSGERR_ATTR_MSG + 1];
	size_t bytes = sizeof(*error);

	if (!(answer->nlmsg_flags & NLM_F_ACK_TLVS))
		return NULL;
	/* The request is repeated in front of the text unless NETLINK_CAP_ACK has spared it. */
	if (error->error && !(answer->nlmsg_flags & NLM_F_CAPPED))
		bytes += mnl_nlmsg_get_payload_len(&error->msg);
	if (!rtnl_parse(answer, bytes, attributes, NLMSGERR_ATTR_MSG) || !attributes[NLMSGERR_ATTR_MSG] ||
	    mnl_attr_validate(attributes[NLMSGERR_ATTR_MSG], MNL_TYPE_NUL_STRING) < 0)
		return NULL;
	return strdup(mnl_attr_get_str(attributes[NLMSGERR_ATTR_MSG]));
}

static size_t hear_answers(struct rtnl_request *requests, size_t count, uint32_t first_sequence,
                           const struct nlmsghdr *message, size_t bytes)
{
	int left = (int)bytes;
	size_t heard = 0;

	for (; mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left)) {
		uint32_t i = message->nlmsg_seq - first_sequence;
		const struct nlmsgerr *error = mnl_nlmsg_get_payload(message);

		if (message->nlmsg_type != NLMSG_ERROR || i >= count ||
		    mnl_nlmsg_get_payload_len(message) < sizeof(*error))
			continue;
		requests[i].error = error->error;
		requests[i].text = find_text(message, error);
		heard++;
	}
	return heard;
}

/*
 * The kernel answers before the sending call returns, so an empty socket means
 * that answers were lost; waiting for them would be waiting for ever.
 */
static int exchange_chunk(struct rtnl *rtnl, const struct rtnl_batch *batch, size_t first, size_t count)
{
	struct rtnl_request *requests = batch->requests + first;
	size_t end = first + count < batch->count ? requests[count].offset : batch->bytes;
	uint32_t first_sequence = rtnl->sequence + 1;
	size_t heard = 0;

	for (size_t i = 0; i < count; i++) {
		rtnl_batch_message(batch, &requests[i])->nlmsg_seq = ++rtnl->sequence;
		requests[i].error = -ENOBUFS;
	}
	if (mnl_socket_sendto(rtnl->asker, rtnl_batch_message(batch, requests), end - requests->offset) < 0)
		return -errno;
	while (heard < count) {
		ssize_t got = mnl_socket_recvfrom(rtnl->asker, rtnl->answers, sizeof(rtnl->answers));
		const void *start = rtnl->answers;

		if (got >= 0)
			heard += hear_answers(requests, count, first_sequence, start, (size_t)got);
		else if (errno == EAGAIN)
			return -ENOBUFS;
		else if (errno != EINTR && errno != ENOBUFS)
			return -errno;
	}
	return 0;
}

int rtnl_batch_exchange(struct rtnl *rtnl, struct rtnl_batch *batch)
{
	int error = 0;

	for (size_t first = 0; first < batch->count; first += CHUNK_REQUESTS_MAX) {
		size_t count = batch->count - first;

		if (count > CHUNK_REQUESTS_MAX)
			count = CHUNK_REQUESTS_MAX;
		if (!error)
			error = exchange_chunk(rtnl, batch, first, count);
		else
			for (size_t i = first; i < first + count; i++)
				batch->requests[i].error = error;
	}
	return error;
}
