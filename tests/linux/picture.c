#include "picture.h"

#include <poll.h>
#include <string.h>

static void hear_link(void *context, const struct rtnl_link *link, bool gone)
{
	struct picture *p = context;
	size_t i = 0;

	p->links_gone += gone;
	while (i < p->link_count && p->links[i].index != link->index)
		i++;
	if (gone && i == p->link_count)
		return;
	if (gone) {
		p->links[i] = p->links[--p->link_count];
		return;
	}
	assert_true(i < PICTURE_LINKS_MAX);
	if (i == p->link_count)
		p->link_count++;
	p->links[i] = *link;
	p->link_confirmed[i] = true;
	if (link->up && link->index < PICTURE_LINKS_MAX)
		p->ever_up[link->index] = true;
}

static bool same_address(const struct rtnl_address *a, const struct rtnl_address *b)
{
	return a->link_index == b->link_index && address_equal(&a->address.address, &b->address.address) &&
	       a->address.prefix_length == b->address.prefix_length;
}

static void hear_address(void *context, const struct rtnl_address *address, bool gone)
{
	struct picture *p = context;
	size_t i = 0;

	while (i < p->address_count && !same_address(&p->addresses[i], address))
		i++;
	if (gone && i == p->address_count)
		return;
	if (gone) {
		p->addresses[i] = p->addresses[--p->address_count];
		return;
	}
	assert_true(i < PICTURE_ADDRESSES_MAX);
	if (i == p->address_count)
		p->address_count++;
	p->addresses[i] = *address;
	p->address_confirmed[i] = true;
}

static void hear_filter(void *context, int link_index)
{
	struct picture *p = context;

	p->filter_link = link_index;
}

static void begin_resync(void *context)
{
	struct picture *p = context;

	memset(p->link_confirmed, 0, sizeof(p->link_confirmed));
	memset(p->address_confirmed, 0, sizeof(p->address_confirmed));
}

static void end_resync(void *context)
{
	struct picture *p = context;
	size_t kept = 0;

	for (size_t i = 0; i < p->link_count; i++)
		if (p->link_confirmed[i])
			p->links[kept++] = p->links[i];
	p->link_count = kept;
	kept = 0;
	for (size_t i = 0; i < p->address_count; i++)
		if (p->address_confirmed[i])
			p->addresses[kept++] = p->addresses[i];
	p->address_count = kept;
	p->resyncs++;
	if (p->on_resync_end)
		p->on_resync_end(p);
}

static const struct rtnl_handler handler = {hear_link, hear_address, hear_filter, begin_resync, end_resync};

void picture_open(struct picture *picture)
{
	memset(picture, 0, sizeof(*picture));
	assert_int_equal(rtnl_open(&handler, picture, &picture->rtnl), 0);
	assert_int_equal(picture->resyncs, 1);
}

void picture_close(struct picture *picture)
{
	rtnl_close(picture->rtnl);
}

void picture_read(struct picture *picture)
{
	assert_int_equal(rtnl_read(picture->rtnl), 0);
}

void picture_settle(struct picture *picture)
{
	struct pollfd ready = {.fd = rtnl_fd(picture->rtnl), .events = POLLIN};

	while (poll(&ready, 1, 0) > 0)
		picture_read(picture);
}

const struct rtnl_link *picture_link(const struct picture *picture, const char *name)
{
	for (size_t i = 0; i < picture->link_count; i++)
		if (strcmp(picture->links[i].name, name) == 0)
			return &picture->links[i];
	return NULL;
}

const struct rtnl_address *picture_address(const struct picture *picture, int link_index, const char *text)
{
	struct address address = address_of(text);

	for (size_t i = 0; i < picture->address_count; i++)
		if (picture->addresses[i].link_index == link_index &&
		    address_equal(&picture->addresses[i].address.address, &address))
			return &picture->addresses[i];
	return NULL;
}

void picture_assert_true_to_kernel(const struct picture *picture)
{
	static struct picture fresh;

	picture_open(&fresh);
	assert_int_equal(fresh.link_count, picture->link_count);
	assert_int_equal(fresh.address_count, picture->address_count);
	for (size_t i = 0; i < fresh.link_count; i++) {
		const struct rtnl_link *link = picture_link(picture, fresh.links[i].name);

		assert_non_null(link);
		assert_memory_equal(link, &fresh.links[i], sizeof(*link));
	}
	for (size_t i = 0; i < fresh.address_count; i++) {
		size_t j = 0;

		while (j < picture->address_count &&
		       !same_address(&fresh.addresses[i], &picture->addresses[j]))
			j++;
		assert_true(j < picture->address_count);
		assert_int_equal(fresh.addresses[i].protocol, picture->addresses[j].protocol);
	}
	picture_close(&fresh);
}
