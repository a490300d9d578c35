/*
 * What the parts of rtnl share: rtnl.c listens, rtnl_change.c asks for changes,
 * rtnl_route.c for a route, rtnl_clean.c removes what an earlier run left.  They
 * stand on rtnl_batch.c and rtnl_dump.c, and these on rtnl_parse.c.
 */
#ifndef CARPD_LINUX_RTNL_PRIVATE_H
#define CARPD_LINUX_RTNL_PRIVATE_H

#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>

#include "linux/rtnl.h"

/* Every request of ours is smaller than this; IPv6 takes are the largest with 108 bytes. */
#define RTNL_REQUEST_BYTES_MAX 128

struct rtnl_request {
	void *tag;
	size_t offset; /* of its message in the batch */
	int error;     /* 0 or -errno, as the kernel answered */
	char *text;    /* from the heap, or NULL */
};

struct rtnl_batch {
	uint8_t *messages;
	size_t bytes, bytes_room;
	struct rtnl_request *requests;
	size_t count, count_room;
};

struct rtnl {
	const struct rtnl_handler *handler;
	void *context;
	struct mnl_socket *listener;
	/*
	 * A buffer of its own: a handler that is told of a link in the middle of a dump may
	 * commit changes at once.
	 */
	struct mnl_socket *dumper;
	struct mnl_socket *asker;
	uint32_t sequence;
	bool stale; /* events were lost, and not everything has been read again */
	struct rtnl_batch batch;
	_Alignas(8) uint8_t input[32768]; /* the kernel makes dump messages no larger than this */
	_Alignas(8) uint8_t answers[8192];
};

/* Never blocks, gives the kernel's explanations, and has room for a flood.  0 or -errno. */
int rtnl_socket_open(struct mnl_socket **ret_socket);

/* Asks for all links, addresses, routes or neighbours: header is the family's part of the request. */
struct rtnl_question {
	uint16_t type;
	const void *header;
	size_t header_bytes;
	uint32_t link_filter; /* IFLA_EXT_MASK, for links */
};

/* If a change interrupts a dump it begins anew, so heard may be told the same thing twice. */
typedef void rtnl_heard(void *context, const struct nlmsghdr *message);
int rtnl_dump(struct rtnl *rtnl, struct mnl_socket *socket, uint8_t *buffer, size_t room,
              const struct rtnl_question *question, rtnl_heard *heard, void *context);

/* Fills attributes[0..last] by type, NULL where there is none. */
void rtnl_index_attributes(const void *start, size_t bytes, const struct nlattr **attributes, uint16_t last);
/* The same for those of a message, behind its header.  False if it is too short for that. */
bool rtnl_parse(const struct nlmsghdr *message, size_t header_bytes, const struct nlattr **attributes,
                uint16_t last);
/* What an attribute says, or otherwise if there is none of that size. */
uint32_t rtnl_u32(const struct nlattr *attribute, uint32_t otherwise);
uint8_t rtnl_u8(const struct nlattr *attribute, uint8_t otherwise);
/* False if it is no address of IPv4 or IPv6. */
bool rtnl_parse_address(const struct nlmsghdr *message, struct rtnl_address *ret_address);
bool rtnl_address_of(uint8_t family, const struct nlattr *attribute, struct address *ret_address);

int rtnl_batch_init(struct rtnl_batch *batch);
void rtnl_batch_free(struct rtnl_batch *batch);
/* Forgets the requests but keeps the memory. */
void rtnl_batch_empty(struct rtnl_batch *batch);
/* Begins a request; NULL if there is no memory.  It counts from finish on, which returns 0. */
struct nlmsghdr *rtnl_batch_begin(struct rtnl_batch *batch, uint16_t type, uint16_t flags);
int rtnl_batch_finish(struct rtnl_batch *batch, const struct nlmsghdr *message, void *tag);
struct nlmsghdr *rtnl_batch_message(const struct rtnl_batch *batch, const struct rtnl_request *request);
/* Whether what was wanted is so already: a link that is gone has taken addresses, routes and entries along.
 */
bool rtnl_is_success(const struct nlmsghdr *message, int error);
/* Sends all of batch and notes the answers in its requests.  0 or -errno if some answers are missing. */
int rtnl_batch_exchange(struct rtnl *rtnl, struct rtnl_batch *batch);

#endif
