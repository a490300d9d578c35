#include "picture.h"

static void expect_success(void *context, void *tag, int error, const char *text)
{
	(void)context;
	(void)tag;
	(void)text;
	assert_int_equal(error, 0);
}

static void leave_things_behind(void)
{
	static struct picture picture;
	struct address ipv4 = address_of("192.0.2.100"), ipv6 = address_of("2001:db8::100");
	struct shared_address subnet = {address_of("10.1.2.3"), 24};
	struct mac mac = mac_virtual(7);
	struct rtnl_address_flags flags = {.scope_host = true};

	picture_open(&picture);
	rtnl_take_address(picture.rtnl, network_index("p0"), &ipv4, flags, NULL);
	rtnl_take_address(picture.rtnl, network_index("br0"), &ipv6, flags, NULL);
	rtnl_add_route(picture.rtnl, network_index("p0"), &subnet, NULL);
	rtnl_learn_mac(picture.rtnl, network_index("br0"), &mac, NULL);
	assert_int_equal(rtnl_commit(picture.rtnl, expect_success, NULL), 0);
	picture_close(&picture);
}

static void clean_removes_ours_and_nothing_else(void **state)
{
	(void)state;
	network_run("ip link add p0 type veth peer name p1; ip link set p0 up; ip link set p1 up");
	network_run("ip link add br0 type bridge; ip link set br0 up");
	network_run("ip link add q0 type veth peer name q1; ip link set q0 master br0 up");
	network_run("ip addr add 192.0.2.1/24 dev p0; ip addr add 192.0.2.2/32 dev p0");
	network_run("ip addr add 2001:db8::2/128 dev br0 nodad");
	/* A metric alone is no mark where it has a prefix route to be for. */
	network_run("ip addr add 192.0.2.3/32 dev p0 metric 112; ip addr add 2001:db8::3/64 dev br0 metric "
	            "112 nodad");
	network_run("ip route add 10.9.0.0/24 dev p0 proto static");
	network_run("bridge fdb add 00:00:5e:00:01:08 dev q0 master static");
	network_run("bridge fdb add 02:00:00:00:00:01 dev br0 self permanent");
	/* VRRP on a bridge, as keepalived arranges it: a macvlan with a virtual MAC. */
	network_run("ip link add link br0 name vrrp address 00:00:5e:00:01:33 type macvlan mode bridge");
	network_run("ip link set vrrp up");
	network_run("bridge fdb add 00:00:5e:00:01:09 dev p0 self permanent");
	leave_things_behind();

	/* As a kernel before 5.18 keeps and shows them. */
	network_run("ip addr add 192.0.2.101/32 dev p0 metric 112 noprefixroute");
	network_run("ip addr add 2001:db8::101/128 dev br0 metric 112 noprefixroute nodad");

	assert_true(network_shows("ip addr", "192.0.2.100/32"));
	assert_true(network_shows("ip addr", "192.0.2.101/32"));
	assert_true(network_shows("ip addr", "2001:db8::101/128"));
	assert_int_equal(rtnl_clean(), 6);
	assert_false(network_shows("ip addr", "192.0.2.100"));
	assert_false(network_shows("ip addr", "2001:db8::10"));
	assert_false(network_shows("ip addr", "192.0.2.101"));
	assert_false(network_shows("ip route", "10.1.2.0/24"));
	assert_false(network_shows("bridge fdb", "00:00:5e:00:01:07"));

	assert_true(network_shows("ip addr", "192.0.2.1/24"));
	assert_true(network_shows("ip addr", "192.0.2.2/32"));
	assert_true(network_shows("ip addr", "2001:db8::2/128"));
	assert_true(network_shows("ip addr", "192.0.2.3/32"));
	assert_true(network_shows("ip addr", "2001:db8::3/64"));
	assert_true(network_shows("ip route", "10.9.0.0/24"));
	assert_true(network_shows("bridge fdb", "00:00:5e:00:01:08 dev q0 master br0 static"));
	assert_true(network_shows("bridge fdb", "02:00:00:00:00:01 dev br0"));
	assert_true(network_shows("bridge fdb", "00:00:5e:00:01:33 dev br0"));
	assert_true(network_shows("bridge fdb", "00:00:5e:00:01:09 dev p0 self permanent"));
	assert_int_equal(rtnl_clean(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(clean_removes_ours_and_nothing_else),
	};

	return cmocka_run_group_tests(tests, network_enter, NULL);
}
