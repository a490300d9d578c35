#include "linux/rtnl_private.h"

#include <errno.h>
#include <linux/neighbour.h>
#include <stdio.h>
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

static void empty(struct rtnl_batch *batch)
{
	for (size_t i = 0; i < batch->count; i++)
		free(batch->requests[i].text);
	batch->count = 0;
	batch->bytes = 0;
}

void rtnl_batch_free(struct rtnl_batch *batch)
{
	empty(batch);
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

static struct nlmsghdr *message_of(const struct rtnl_batch *batch, const struct rtnl_request *request)
{
	void *message = batch->messages + request->offset;

	return message;
}

/* Begins a request; NULL if there is no memory.  It counts from finish on. */
static struct nlmsghdr *begin(struct rtnl_batch *batch, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *message;

	if (batch->count == batch->count_room && grow(batch) < 0)
		return NULL;
	message = mnl_nlmsg_put_header(batch->messages + batch->bytes);
	message->nlmsg_type = type;
	message->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | flags);
	return message;
}

static int finish(struct rtnl_batch *batch, const struct nlmsghdr *message, void *tag)
{
	batch->requests[batch->count++] = (struct rtnl_request){.tag = tag, .offset = batch->bytes};
	batch->bytes += NLMSG_ALIGN(message->nlmsg_len);
	return 0;
}

static uint8_t system_family(const struct address *address)
{
	return address->family == FAMILY_IPV4 ? AF_INET : AF_INET6;
}

static uint8_t full_length(const struct address *address)
{
	return (uint8_t)(8 * address_bytes(address));
}

static void put_address_header(struct nlmsghdr *message, int link_index, const struct address *address,
                               uint8_t scope)
{
	struct ifaddrmsg *header = mnl_nlmsg_put_extra_header(message, sizeof(*header));

	header->ifa_family = system_family(address);
	header->ifa_prefixlen = full_length(address);
	header->ifa_scope = scope;
	header->ifa_index = (unsigned int)link_index;
	mnl_attr_put(message, IFA_LOCAL, address_bytes(address), address->bytes);
	/*
	 * Without IFA_ADDRESS the kernel does not compare the prefix length when it
	 * drops, and an administrator's 10.0.0.5/24 would go in place of our /32.
	 */
	mnl_attr_put(message, IFA_ADDRESS, address_bytes(address), address->bytes);
}

int rtnl_take_address(struct rtnl *rtnl, int link_index, const struct address *address,
                      struct rtnl_address_flags flags, void *tag)
{
	bool ipv4 = address->family == FAMILY_IPV4;
	/*
	 * Exclusive, not replacing: that would put our mark, and for IPv6 our
	 * lifetime, on an administrator's own address.
	 */
	struct nlmsghdr *message = begin(&rtnl->batch, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL);

	if (!message)
		return -ENOMEM;
	put_address_header(message, link_index, address,
	                   ipv4 && flags.scope_host ? RT_SCOPE_HOST : RT_SCOPE_UNIVERSE);
	mnl_attr_put_u32(message, IFA_FLAGS, IFA_F_NOPREFIXROUTE | (ipv4 ? 0 : IFA_F_NODAD));
	if (!ipv4) {
		/* Deprecated from the start, else the host begins its own connections from it (gate.md G5).
		 */
		struct ifa_cacheinfo lifetime = {.ifa_prefered = 0, .ifa_valid = UINT32_MAX};

		mnl_attr_put(message, IFA_CACHEINFO, sizeof(lifetime), &lifetime);
	}
	mnl_attr_put_u8(message, IFA_PROTO, RTNL_ADDRESS_PROTOCOL);
	return finish(&rtnl->batch, message, tag);
}

int rtnl_drop_address(struct rtnl *rtnl, int link_index, const struct address *address, void *tag)
{
	struct nlmsghdr *message = begin(&rtnl->batch, RTM_DELADDR, 0);

	if (!message)
		return -ENOMEM;
	put_address_header(message, link_index, address, RT_SCOPE_UNIVERSE);
	return finish(&rtnl->batch, message, tag);
}

static struct address network_of(const struct shared_address *subnet)
{
	struct address network = subnet->address;

	for (size_t i = 0; i < address_bytes(&network); i++) {
		int bits = subnet->prefix_length - 8 * (int)i;

		if (bits <= 0)
			network.bytes[i] = 0;
		else if (bits < 8)
			network.bytes[i] &= (uint8_t)(0xff << (8 - bits));
	}
	return network;
}

static int ask_route(struct rtnl *rtnl, uint16_t type, uint16_t flags, int link_index,
                     const struct shared_address *subnet, void *tag)
{
	struct address network = network_of(subnet);
	struct nlmsghdr *message = begin(&rtnl->batch, type, flags);
	struct rtmsg *header;

	if (!message)
		return -ENOMEM;
	header = mnl_nlmsg_put_extra_header(message, sizeof(*header));
	header->rtm_family = system_family(&network);
	header->rtm_dst_len = subnet->prefix_length;
	header->rtm_table = RT_TABLE_MAIN;
	/* It also keeps a removal from an administrator's route to the same subnet. */
	header->rtm_protocol = RTNL_ADDRESS_PROTOCOL;
	header->rtm_scope = network.family == FAMILY_IPV4 ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
	header->rtm_type = RTN_UNICAST;
	mnl_attr_put(message, RTA_DST, address_bytes(&network), network.bytes);
	mnl_attr_put_u32(message, RTA_OIF, (uint32_t)link_index);
	return finish(&rtnl->batch, message, tag);
}

int rtnl_add_route(struct rtnl *rtnl, int link_index, const struct shared_address *subnet, void *tag)
{
	return ask_route(rtnl, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, link_index, subnet, tag);
}

int rtnl_remove_route(struct rtnl *rtnl, int link_index, const struct shared_address *subnet, void *tag)
{
	return ask_route(rtnl, RTM_DELROUTE, 0, link_index, subnet, tag);
}

static int ask_neighbour(struct rtnl *rtnl, uint16_t type, uint16_t flags, int link_index,
                         const struct mac *mac, void *tag)
{
	struct nlmsghdr *message = begin(&rtnl->batch, type, flags);
	struct ndmsg *header;

	if (!message)
		return -ENOMEM;
	header = mnl_nlmsg_put_extra_header(message, sizeof(*header));
	header->ndm_family = AF_BRIDGE;
	header->ndm_ifindex = link_index;
	header->ndm_state = NUD_PERMANENT;
	header->ndm_flags = NTF_SELF;
	mnl_attr_put(message, NDA_LLADDR, sizeof(mac->bytes), mac->bytes);
	return finish(&rtnl->batch, message, tag);
}

int rtnl_learn_mac(struct rtnl *rtnl, int link_index, const struct mac *mac, void *tag)
{
	/* The bridge has normally learned the virtual MAC from the master before us (gate.md G2). */
	return ask_neighbour(rtnl, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, link_index, mac, tag);
}

int rtnl_forget_mac(struct rtnl *rtnl, int link_index, const struct mac *mac, void *tag)
{
	return ask_neighbour(rtnl, RTM_DELNEIGH, 0, link_index, mac, tag);
}

/* What was wanted is so already: a link that is gone has taken its addresses, routes and entries along. */
static bool is_success(uint16_t type, int error)
{
	switch (type) {
	case RTM_NEWADDR:
	case RTM_NEWROUTE:
		return error == -EEXIST;
	case RTM_DELADDR:
		/* ENXIO: IPv6 has been switched off on the link, and its addresses with it. */
		return error == -EADDRNOTAVAIL || error == -ENODEV || error == -ENXIO;
	case RTM_DELROUTE:
		return error == -ESRCH || error == -ENODEV || error == -ENXIO;
	case RTM_DELNEIGH:
		return error == -ENOENT || error == -ENODEV;
	default:
		return false;
	}
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
		message_of(batch, &requests[i])->nlmsg_seq = ++rtnl->sequence;
		requests[i].error = -ENOBUFS;
	}
	if (mnl_socket_sendto(rtnl->asker, message_of(batch, requests), end - requests->offset) < 0)
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

static void note_owner(void *context, const struct nlmsghdr *message)
{
	struct rtnl_batch *batch = context;
	struct rtnl_address found, wanted;

	if (!rtnl_parse_address(message, &found) || found.protocol == RTNL_ADDRESS_PROTOCOL)
		return;
	for (size_t i = 0; i < batch->count; i++) {
		struct rtnl_request *request = &batch->requests[i];
		const struct nlmsghdr *take = message_of(batch, request);

		if (request->error != -EEXIST || take->nlmsg_type != RTM_NEWADDR ||
		    !rtnl_parse_address(take, &wanted) || wanted.link_index != found.link_index ||
		    !address_equal(&wanted.address.address, &found.address.address))
			continue;
		free(request->text);
		if (asprintf(&request->text,
		             "it is there already with prefix length %u and is not carpd's; %s",
		             found.address.prefix_length,
		             found.address.prefix_length == wanted.address.prefix_length
		                     ? "dropping removes it"
		                     : "dropping leaves it") < 0)
			request->text = NULL;
	}
}

/* An address that is there may be an administrator's: taking succeeds, but not silently. */
static void find_owners(struct rtnl *rtnl, struct rtnl_batch *batch)
{
	struct ifaddrmsg header = {.ifa_family = AF_UNSPEC};
	struct rtnl_question addresses = {RTM_GETADDR, &header, sizeof(header), 0};
	bool wanted = false;

	for (size_t i = 0; i < batch->count; i++) {
		struct rtnl_request *request = &batch->requests[i];

		if (request->error != -EEXIST || message_of(batch, request)->nlmsg_type != RTM_NEWADDR)
			continue;
		/* The kernel's text complains of what is a success if the address is ours. */
		free(request->text);
		request->text = NULL;
		wanted = true;
	}
	if (wanted)
		rtnl_dump(rtnl, rtnl->asker, rtnl->answers, sizeof(rtnl->answers), &addresses, note_owner,
		          batch);
}

int rtnl_commit(struct rtnl *rtnl, rtnl_result *result, void *context)
{
	/* Taken out, so that result may gather and commit anew. */
	struct rtnl_batch batch = rtnl->batch;
	int error;

	rtnl->batch = (struct rtnl_batch){0};
	error = rtnl_batch_exchange(rtnl, &batch);
	find_owners(rtnl, &batch);
	for (size_t i = 0; i < batch.count; i++) {
		const struct rtnl_request *request = &batch.requests[i];
		bool success = is_success(message_of(&batch, request)->nlmsg_type, request->error);

		result(context, request->tag, success ? 0 : request->error,
		       request->text ? request->text : "");
	}
	empty(&batch);
	if (rtnl->batch.count_room)
		rtnl_batch_free(&batch);
	else
		rtnl->batch = batch;
	return error;
}
