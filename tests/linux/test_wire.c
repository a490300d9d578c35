#include "linux/wire.h"
#include "network.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <string.h>

/* A wire at p0 is under test; another at its peer p1 plays the other hosts. */
static struct wire *wire, *far;

#define VLAN_NONE (-1)

struct frame {
	uint8_t bytes[128];
	size_t count;
};

/* One advert in outline; mark is the last byte of its payload, for telling frames apart. */
static struct frame make_frame(struct mac to, uint8_t family, int vlan, uint8_t protocol, uint8_t mark)
{
	struct frame f = {.count = 12};
	size_t network;

	memcpy(f.bytes, to.bytes, 6);
	memcpy(f.bytes + 6, mac_virtual(7).bytes, 6);
	if (vlan != VLAN_NONE) {
		memcpy(f.bytes + f.count, (uint8_t[]){0x81, 0, (uint8_t)(vlan >> 8), (uint8_t)vlan}, 4);
		f.count += 4;
	}
	if (family == FAMILY_IPV4) {
		memcpy(f.bytes + f.count, (uint8_t[]){0x08, 0x00}, 2);
		network = f.count + 2;
		f.bytes[network] = 0x45;
		f.bytes[network + 3] = 56;
		f.bytes[network + 8] = 255;
		f.bytes[network + 9] = protocol;
		memcpy(f.bytes + network + 16, carp_group_ipv4.bytes, 4);
		f.count = network + 20;
	} else {
		memcpy(f.bytes + f.count, (uint8_t[]){0x86, 0xdd}, 2);
		network = f.count + 2;
		f.bytes[network] = 0x60;
		f.bytes[network + 5] = 36;
		f.bytes[network + 6] = protocol;
		f.bytes[network + 7] = 255;
		memcpy(f.bytes + network + 24, carp_group_ipv6.bytes, 16);
		f.count = network + 40;
	}
	f.bytes[f.count] = 0x21;
	f.bytes[f.count + 35] = mark;
	f.count += 36;
	return f;
}

static struct frame make_advert(uint8_t family, uint8_t mark)
{
	const struct address *group = family == FAMILY_IPV4 ? &carp_group_ipv4 : &carp_group_ipv6;

	return make_frame(mac_of_group(group), family, VLAN_NONE, 112, mark);
}

static void send_frame(struct wire *from, struct frame frame)
{
	assert_int_equal(wire_send(from, frame.bytes, frame.count), 0);
}

struct got {
	int count;
	uint8_t marks[64];
	bool multicast[64];
	size_t bytes;
	uint8_t first_byte;
	int link_index;
	instant arrived;
};

static void note(void *context, int link_index, const uint8_t *network, size_t bytes, bool multicast,
                 instant arrived)
{
	struct got *got = context;

	assert_true(got->count < 64);
	got->marks[got->count] = network[bytes - 1];
	got->multicast[got->count++] = multicast;
	got->bytes = bytes;
	got->first_byte = network[0];
	got->link_index = link_index;
	got->arrived = arrived;
}

/* What arrives up to and with the frame marked last. */
static struct got receive_until(int fd, uint8_t last)
{
	struct patience patience = network_patience();
	struct got got = {0};

	for (;;) {
		assert_true(wire_receive(wire, fd, (instant){42}, note, &got) >= 0);
		if (got.count > 0 && got.marks[got.count - 1] == last)
			return got;
		network_wait(patience, fd);
	}
}

static int set_up(void **state)
{
	(void)state;
	network_run("ip link add p0 type veth peer name p1");
	network_run("ip link set p0 up; ip link set p1 up");
	assert_int_equal(wire_open(network_index("p0"), &wire), 0);
	assert_int_equal(wire_open(network_index("p1"), &far), 0);
	assert_int_equal(wire_fd_ipv4(wire), -1);
	assert_int_equal(wire_fd_ipv6(wire), -1);
	assert_int_equal(wire_listen(wire), 0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	wire_close(wire);
	wire_close(far);
	network_run("ip link del p0");
	return 0;
}

static int fd_of(uint8_t family)
{
	return family == FAMILY_IPV4 ? wire_fd_ipv4(wire) : wire_fd_ipv6(wire);
}

static const uint8_t families[] = {FAMILY_IPV4, FAMILY_IPV6};

static void adverts_arrive(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct got got;

		send_frame(far, make_advert(families[i], 1));
		got = receive_until(fd_of(families[i]), 1);
		assert_int_equal(got.count, 1);
		assert_true(got.multicast[0]);
		assert_int_equal(got.first_byte >> 4, families[i]);
		assert_int_equal(got.bytes, families[i] == FAMILY_IPV4 ? 56 : 76);
		assert_int_equal(got.link_index, network_index("p0"));
		assert_int_equal(got.arrived.ns, 42);
	}
}

static void more_than_one_batch_arrives_in_order(void **state)
{
	struct got got;

	(void)state;
	for (uint8_t mark = 1; mark <= 50; mark++)
		send_frame(far, make_advert(FAMILY_IPV4, mark));
	got = receive_until(wire_fd_ipv4(wire), 50);
	assert_int_equal(got.count, 50);
	for (uint8_t i = 0; i < 50; i++)
		assert_int_equal(got.marks[i], i + 1);
}

static void only_untagged_frames_and_vid_0_are_taken(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		uint8_t family = families[i];
		const struct address *group = family == FAMILY_IPV4 ? &carp_group_ipv4 : &carp_group_ipv6;
		struct got got;

		send_frame(far, make_frame(mac_of_group(group), family, 100, 112, 1));
		send_frame(far, make_frame(mac_of_group(group), family, 0, 112, 2));
		send_frame(far, make_advert(family, 3));
		got = receive_until(fd_of(family), 3);
		assert_int_equal(got.count, 2);
		assert_int_equal(got.marks[0], 2);
	}
}

static void own_and_foreign_frames_are_not_taken(void **state)
{
	static const struct mac stranger = {{2, 0, 0, 0, 0, 0x99}};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		uint8_t family = families[i];
		const struct address *group = family == FAMILY_IPV4 ? &carp_group_ipv4 : &carp_group_ipv6;
		struct got got;

		send_frame(wire, make_advert(family, 1));
		send_frame(far, make_frame(stranger, family, VLAN_NONE, 112, 2));
		send_frame(far, make_frame(mac_of_group(group), family, VLAN_NONE, IPPROTO_UDP, 3));
		send_frame(far, make_frame(network_mac("p0"), family, VLAN_NONE, 112, 4));
		got = receive_until(fd_of(family), 4);
		assert_int_equal(got.count, 1);
		assert_false(got.multicast[0]);
	}
}

static void groups_are_joined_as_sockets_do(void **state)
{
	struct wire *other;

	(void)state;
	assert_true(network_shows("ip maddr show dev p0", "inet  224.0.0.18"));
	assert_true(network_shows("ip maddr show dev p0", "inet6 ff02::12"));
	assert_true(network_shows("cat /proc/self/net/igmp", "120000E0"));
	assert_true(network_shows("cat /proc/self/net/igmp6", "ff020000000000000000000000000012"));
	network_run("ip link add q0 type veth peer name q1");
	assert_int_equal(wire_open(network_index("q0"), &other), 0);
	assert_true(network_shows("ip maddr show dev q0", "inet6 ff02::12"));
	wire_close(other);
	assert_false(network_shows("ip maddr show dev q0", "inet6 ff02::12"));
	assert_false(network_shows("ip maddr show dev q0", "inet  224.0.0.18"));
	network_run("ip link del q0");
}

static void parent_without_ipv6_is_no_error(void **state)
{
	struct wire *other;

	(void)state;
	network_run("ip link add q0 mtu 1000 type veth peer name q1; ip link set q0 up");
	network_run("ip link set q1 up");
	assert_int_equal(wire_open(network_index("q0"), &other), 0);
	assert_true(network_shows("ip maddr show dev q0", "inet  224.0.0.18"));
	send_frame(other, make_advert(FAMILY_IPV4, 1));
	wire_close(other);
	network_run("ip link del q0");
}

/* The kernel forgets the groups of a protocol with its state of the link. */
static void forgotten_groups_are_joined_again(void **state)
{
	struct wire *other;

	(void)state;
	network_run("ip link add q0 mtu 1000 type veth peer name q1; ip link set q0 up");
	assert_int_equal(wire_open(network_index("q0"), &other), 0);
	assert_false(wire_rejoin(other));
	network_run("ip link set q0 mtu 1500");
	assert_true(wire_rejoin(other));
	assert_true(network_shows("ip maddr show dev q0", "inet6 ff02::12"));
	assert_false(wire_rejoin(other));
	network_run("ip link set q0 mtu 1000; ip link set q0 mtu 1500");
	assert_false(network_shows("ip maddr show dev q0", "ff02::12"));
	assert_true(wire_rejoin(other));
	assert_true(network_shows("ip maddr show dev q0", "inet6 ff02::12"));
	assert_false(wire_rejoin(other));
	wire_close(other);
	assert_false(network_shows("ip maddr show dev q0", "ff02::12"));
	network_run("ip link del q0");
}

static void missing_link_is_an_error(void **state)
{
	struct wire *other = NULL;

	(void)state;
	assert_int_equal(wire_open(9999, &other), -ENODEV);
	assert_null(other);
}

/* Until the kernel has seen the carrier it throws away what is sent. */
static void raise_link(const char *link)
{
	network_run("ip link set %s up", link);
	network_run("timeout 60 sh -c 'until ip -br link show %s | grep -q \" UP \"; do sleep .1; done'",
	            link);
}

/* The caller acts in between, which may close the wire. */
static void hands_over_a_few_at_a_time(void **state)
{
	struct patience patience = network_patience();
	struct got got = {0};
	int count = 0;

	(void)state;
	for (uint8_t i = 1; i <= WIRE_BATCH_MAX + 1; i++)
		send_frame(far, make_advert(FAMILY_IPV4, i));
	while (count < WIRE_BATCH_MAX + 1) {
		int more = wire_receive(wire, wire_fd_ipv4(wire), (instant){1}, note, &got);
		assert_in_range(more, 0, WIRE_BATCH_MAX);
		count += more;
		assert_int_equal(got.count, count);
		if (more == 0)
			network_wait(patience, wire_fd_ipv4(wire));
	}
	assert_int_equal(wire_receive(wire, wire_fd_ipv4(wire), (instant){1}, note, &got), 0);
}

static void wire_survives_a_link_that_goes_down_and_up(void **state)
{
	struct frame frame = make_advert(FAMILY_IPV4, 1);
	struct got got = {0};

	(void)state;
	network_run("ip link set p0 down");
	assert_int_equal(wire_send(wire, frame.bytes, frame.count), -ENETDOWN);
	for (size_t i = 0; i < 2; i++)
		assert_true(wire_receive(wire, fd_of(families[i]), (instant){1}, note, &got) >= 0);
	raise_link("p0");
	assert_int_equal(got.count, 0);
	for (size_t i = 0; i < 2; i++) {
		send_frame(far, make_advert(families[i], 2));
		assert_int_equal(receive_until(fd_of(families[i]), 2).count, 1);
	}
	assert_true(network_shows("ip maddr show dev p0", "inet6 ff02::12"));
	send_frame(wire, frame);
}

static void wire_can_be_opened_on_a_link_that_is_down(void **state)
{
	struct wire *under_test = wire;

	(void)state;
	network_run("ip link set p0 down");
	assert_int_equal(wire_open(network_index("p0"), &wire), 0);
	assert_int_equal(wire_listen(wire), 0);
	raise_link("p0");
	send_frame(far, make_advert(FAMILY_IPV4, 1));
	assert_int_equal(receive_until(wire_fd_ipv4(wire), 1).count, 1);
	wire_close(wire);
	wire = under_test;
}

static void accepted_mac_is_in_the_unicast_filter(void **state)
{
	struct mac seven = mac_virtual(7), eight = mac_virtual(8);

	(void)state;
	assert_int_equal(wire_accept_mac(wire, &seven), 0);
	assert_true(network_shows("bridge fdb show dev p0", "00:00:5e:00:01:07 self permanent"));
	assert_int_equal(wire_refuse_mac(wire, &seven), 0);
	assert_false(network_shows("bridge fdb show dev p0", "00:00:5e:00:01:07"));
	assert_int_equal(wire_refuse_mac(wire, &seven), 0);
	assert_int_equal(wire_accept_mac(far, &eight), 0);
	assert_true(network_shows("bridge fdb show dev p1", "00:00:5e:00:01:08 self permanent"));
	wire_close(far);
	assert_false(network_shows("bridge fdb show dev p1", "00:00:5e:00:01:08"));
	assert_int_equal(wire_open(network_index("p1"), &far), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(adverts_arrive, set_up, tear_down),
	        cmocka_unit_test_setup_teardown(more_than_one_batch_arrives_in_order, set_up, tear_down),
	        cmocka_unit_test_setup_teardown(only_untagged_frames_and_vid_0_are_taken, set_up, tear_down),
	        cmocka_unit_test_setup_teardown(own_and_foreign_frames_are_not_taken, set_up, tear_down),
	        cmocka_unit_test_setup_teardown(groups_are_joined_as_sockets_do, set_up, tear_down),
	        cmocka_unit_test_setup_teardown(parent_without_ipv6_is_no_error, set_up, tear_down),
	        cmocka_unit_test_setup_teardown(forgotten_groups_are_joined_again, set_up, tear_down),
	        cmocka_unit_test_setup_teardown(missing_link_is_an_error, set_up, tear_down),
	        cmocka_unit_test_setup_teardown(hands_over_a_few_at_a_time, set_up, tear_down),
	        cmocka_unit_test_setup_teardown(wire_survives_a_link_that_goes_down_and_up, set_up,
	                                        tear_down),
	        cmocka_unit_test_setup_teardown(wire_can_be_opened_on_a_link_that_is_down, set_up, tear_down),
	        cmocka_unit_test_setup_teardown(accepted_mac_is_in_the_unicast_filter, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, network_enter, NULL);
}
