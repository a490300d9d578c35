/* Messages of rtnetlink, as the kernel sends them.  The source itself, because what reads them is static. */
#include "linux/rtnl.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void heard_link(void *context, const struct rtnl_link *link, bool gone)
{
	(void)context;
	(void)gone;
	if (strnlen(link->name, sizeof(link->name)) == sizeof(link->name) ||
	    strnlen(link->kind_name, sizeof(link->kind_name)) == sizeof(link->kind_name))
		abort();
}

static void heard_address(void *context, const struct rtnl_address *address, bool gone)
{
	(void)context;
	(void)gone;
	if (address->address.address.family != FAMILY_IPV4 && address->address.address.family != FAMILY_IPV6)
		abort();
}

static void heard_filter(void *context, int link_index)
{
	(void)context;
	if (link_index <= 0)
		abort();
}

/* libmnl takes a length of 2 GB and more for a negative one; the kernel never sends it. */
static bool is_whole(const struct nlmsghdr *message, int left)
{
	return mnl_nlmsg_ok(message, left) && message->nlmsg_len <= (unsigned int)left;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct rtnl_handler handler = {
	        .link = heard_link, .address = heard_address, .filter_changed = heard_filter};
	struct rtnl rtnl = {.handler = &handler};
	const struct nlmsghdr *message;
	void *copy;
	int left = (int)size;

	if (size == 0)
		return 0;
	copy = malloc(size);
	if (copy == NULL)
		return 0;
	memcpy(copy, data, size);
	for (message = copy; is_whole(message, left); message = mnl_nlmsg_next(message, &left))
		hear(&rtnl, message);
	free(copy);
	return 0;
}
