#include "picture.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <sys/socket.h>

static struct picture picture;

static int enter(void **state)
{
	network_enter(state);
	network_run("ip link add p0 type veth peer name p1");
	picture_open(&picture);
	return 0;
}

static int leave(void **state)
{
	(void)state;
	picture_close(&picture);
	return 0;
}

static void tells_what_is_there_at_the_start(void **state)
{
	(void)state;
	assert_int_equal(picture_link(&picture, "lo")->kind, LINK_NOT_ETHERNET);
	assert_int_equal(picture_link(&picture, "p0")->kind, LINK_ORDINARY);
	assert_string_equal(picture_link(&picture, "p0")->kind_name, "veth");
	assert_int_equal(picture_link(&picture, "p0")->index, network_index("p0"));
	assert_false(picture_link(&picture, "p0")->up);
	assert_non_null(picture_address(&picture, network_index("lo"), "127.0.0.1"));
	assert_non_null(picture_address(&picture, network_index("lo"), "::1"));
}

static void knows_the_mac(void **state)
{
	struct mac mac = network_mac("p0");

	(void)state;
	assert_memory_equal(&picture_link(&picture, "p0")->mac, &mac, sizeof(mac));
	network_run("ip link set p0 address 02:00:00:00:00:05");
	picture_await(&picture, picture_link(&picture, "p0")->mac.bytes[5] == 5);
}

static void link_without_carrier_is_not_up(void **state)
{
	(void)state;
	network_run("ip link set p0 up");
	network_run("ip link set p1 up");
	picture_await(&picture, picture_link(&picture, "p0")->up && picture_link(&picture, "p1")->up);

	network_run("ip link set p1 down");
	picture_await(&picture, !picture_link(&picture, "p0")->up && !picture_link(&picture, "p1")->up);
	network_run("ip link set p1 up");
	picture_await(&picture, picture_link(&picture, "p0")->up && picture_link(&picture, "p1")->up);
	network_run("ip link set p0 down");
	picture_await(&picture, !picture_link(&picture, "p0")->up && !picture_link(&picture, "p1")->up);
	network_run("ip link set p0 up");
	picture_await(&picture, picture_link(&picture, "p0")->up && picture_link(&picture, "p1")->up);
}

static void new_link_without_carrier_is_never_told_as_up(void **state)
{
	int index;

	(void)state;
	network_run("ip link add p2 type veth peer name p3; ip link set p2 up; ip link set p2 alias last");
	index = network_index("p2");
	/* The end of the story is a marker, behind whatever the carrier did. */
	network_run("ip link add marker type bridge");
	picture_await(&picture, picture_link(&picture, "marker"));
	assert_true(index < PICTURE_LINKS_MAX);
	assert_false(picture.ever_up[index]);
	network_run("ip link del p2; ip link del marker");
	picture_await(&picture, !picture_link(&picture, "p2") && !picture_link(&picture, "marker"));
}

static void rename_delete_and_recreate(void **state)
{
	int old;

	(void)state;
	network_run("ip link add old type veth peer name other");
	picture_await(&picture, picture_link(&picture, "old"));
	old = picture_link(&picture, "old")->index;
	network_run("ip link set old name new");
	picture_await(&picture, picture_link(&picture, "new"));
	assert_null(picture_link(&picture, "old"));
	assert_int_equal(picture_link(&picture, "new")->index, old);
	network_run("ip link del new");
	picture_await(&picture, !picture_link(&picture, "new") && !picture_link(&picture, "other"));
	network_run("ip link add new type veth peer name other");
	picture_await(&picture, picture_link(&picture, "new"));
	assert_int_not_equal(picture_link(&picture, "new")->index, old);
	network_run("ip link del new");
	picture_await(&picture, !picture_link(&picture, "new"));
}

static void kinds(void **state)
{
	(void)state;
	network_run("ip link add br0 type bridge");
	network_run("ip link add m1 link p0 type macvlan mode bridge");
	network_run("ip link add m2 link p0 type macvlan mode private");
	network_run("ip link add m3 link p1 type macvlan mode passthru");
	picture_await(&picture, picture_link(&picture, "m3"));
	assert_int_equal(picture_link(&picture, "br0")->kind, LINK_BRIDGE);
	assert_int_equal(picture_link(&picture, "m1")->kind, LINK_NO_VIRTUAL_MAC);
	assert_int_equal(picture_link(&picture, "m2")->kind, LINK_NO_VIRTUAL_MAC);
	assert_string_equal(picture_link(&picture, "m2")->kind_name, "macvlan");
	assert_int_equal(picture_link(&picture, "m3")->kind, LINK_ORDINARY);
	network_run("ip link del m1; ip link del m2; ip link del m3");
	picture_await(&picture, !picture_link(&picture, "m3"));
}

/* The kernel says so with an RTM_DELLINK that names the port. */
static void port_that_leaves_a_bridge_is_not_gone(void **state)
{
	(void)state;
	picture_settle(&picture);
	picture.links_gone = 0;
	network_run("ip link set p0 master br0; ip link set p0 nomaster; ip link del br0");
	picture_await(&picture, !picture_link(&picture, "br0"));
	assert_non_null(picture_link(&picture, "p0"));
	assert_int_equal(picture.links_gone, 1);
}

static void addresses_come_and_go(void **state)
{
	int a = network_index("p0");

	(void)state;
	network_run("ip addr add 192.0.2.1/24 dev p0; ip addr add 2001:db8::1/64 dev p0");
	picture_await(&picture, picture_address(&picture, a, "2001:db8::1"));
	assert_int_equal(picture_address(&picture, a, "192.0.2.1")->address.prefix_length, 24);
	assert_int_equal(picture_address(&picture, a, "192.0.2.1")->protocol, 0);
	assert_true(picture_address(&picture, a, "2001:db8::1")->tentative);
	picture_await(&picture, !picture_address(&picture, a, "2001:db8::1")->tentative);
	network_run("ip addr add 192.0.2.9 peer 192.0.2.10/32 dev p0");
	picture_await(&picture, picture_address(&picture, a, "192.0.2.9"));
	network_run("ip addr flush dev p0 scope global");
	picture_await(&picture, !picture_address(&picture, a, "192.0.2.1") &&
	                                !picture_address(&picture, a, "192.0.2.9") &&
	                                !picture_address(&picture, a, "2001:db8::1"));
}

static void filters_are_told(void **state)
{
	(void)state;
	picture.filter_link = 0;
	network_run("tc qdisc add dev p0 clsact");
	picture_await(&picture, picture.filter_link == network_index("p0"));
	picture.filter_link = 0;
	network_run("tc filter add dev p0 ingress prio 1 u32 match u32 0 0");
	picture_await(&picture, picture.filter_link == network_index("p0"));
	picture.filter_link = 0;
	network_run("tc qdisc del dev p0 clsact");
	picture_await(&picture, picture.filter_link == network_index("p0"));
}

static void ignore(void *context, void *tag, int error, const char *text)
{
	(void)context;
	(void)tag;
	(void)text;
	assert_int_equal(error, 0);
}

static void change_many(struct picture *p, bool take, uint8_t from, uint8_t count)
{
	int link_index = network_index("p0");

	for (unsigned int i = from; i < from + count; i++) {
		struct address address = {FAMILY_IPV4, {198, 51, 100, (uint8_t)i}};

		if (take)
			rtnl_take_address(p->rtnl, link_index, &address, (struct rtnl_address_flags){0},
			                  NULL);
		else
			rtnl_drop_address(p->rtnl, link_index, &address, NULL);
	}
	assert_int_equal(rtnl_commit(p->rtnl, ignore, NULL), 0);
}

static void change_after_the_dump(struct picture *p)
{
	p->on_resync_end = NULL;
	change_many(p, false, 1, 1);
	change_many(p, true, 250, 1);
}

static void overrun_ends_in_the_same_picture(void **state)
{
	int a = network_index("p0"), tiny = 1, resyncs = picture.resyncs;

	(void)state;
	assert_int_equal(setsockopt(rtnl_fd(picture.rtnl), SOL_SOCKET, SO_RCVBUF, &tiny, sizeof(tiny)), 0);
	change_many(&picture, true, 1, 200);
	change_many(&picture, false, 100, 50);
	/* Only an overrun makes it read everything again.  What happens right after the dump must be heard,
	 * though the socket was overrun before. */
	picture.on_resync_end = change_after_the_dump;
	picture_await(&picture, picture.resyncs > resyncs && picture_address(&picture, a, "198.51.100.250"));
	assert_null(picture_address(&picture, a, "198.51.100.1"));
	assert_null(picture_address(&picture, a, "198.51.100.120"));
	assert_int_equal(picture_address(&picture, a, "198.51.100.200")->protocol, RTNL_ADDRESS_PROTOCOL);
	picture_assert_true_to_kernel(&picture);

	change_many(&picture, false, 1, 250);
	picture_await(&picture, !picture_address(&picture, a, "198.51.100.200") &&
	                                !picture_address(&picture, a, "198.51.100.250"));
	picture_assert_true_to_kernel(&picture);
}

/* What had been known stays, and the next reading makes up for it, though the descriptor is not ready. */
static void failed_dump_changes_nothing(void **state)
{
	int a = network_index("lo"), dumper = rtnl_fd(picture.rtnl) + 1; /* opened next to it */
	int kept = dup(dumper), null = open("/dev/null", O_RDWR | O_CLOEXEC);
	unsigned resyncs = (unsigned)picture.resyncs;

	(void)state;
	assert_true(kept >= 0 && null >= 0);
	assert_non_null(picture_address(&picture, a, "127.0.0.1"));
	assert_true(dup2(null, dumper) == dumper);
	assert_int_equal(rtnl_resync(picture.rtnl), -ENOTSOCK);
	assert_int_equal(rtnl_read(picture.rtnl), -ENOTSOCK);
	assert_non_null(picture_address(&picture, a, "127.0.0.1"));
	assert_int_equal(picture.resyncs, resyncs);
	assert_true(dup2(kept, dumper) == dumper);
	assert_int_equal(rtnl_read(picture.rtnl), 0);
	assert_int_equal(picture.resyncs, resyncs + 1);
	picture_assert_true_to_kernel(&picture);
	close(kept);
	close(null);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(tells_what_is_there_at_the_start),
	        cmocka_unit_test(knows_the_mac),
	        cmocka_unit_test(link_without_carrier_is_not_up),
	        cmocka_unit_test(new_link_without_carrier_is_never_told_as_up),
	        cmocka_unit_test(rename_delete_and_recreate),
	        cmocka_unit_test(kinds),
	        cmocka_unit_test(port_that_leaves_a_bridge_is_not_gone),
	        cmocka_unit_test(addresses_come_and_go),
	        cmocka_unit_test(filters_are_told),
	        cmocka_unit_test(failed_dump_changes_nothing),
	        cmocka_unit_test(overrun_ends_in_the_same_picture),
	};

	return cmocka_run_group_tests(tests, enter, leave);
}
