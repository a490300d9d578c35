#include "picture.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define MISSING_LINK 9999

static struct picture picture;
static int parent;

struct outcome {
	int results;
	int failures;
	int last_error;
	void *last_tag;
	char last_text[256];
};

static void note(void *context, void *tag, int error, const char *text)
{
	struct outcome *outcome = context;

	outcome->results++;
	outcome->failures += error != 0;
	outcome->last_error = error;
	outcome->last_tag = tag;
	snprintf(outcome->last_text, sizeof(outcome->last_text), "%s", text);
}

static struct outcome commit(void)
{
	struct outcome outcome = {0};

	assert_int_equal(rtnl_commit(picture.rtnl, note, &outcome), 0);
	return outcome;
}

static struct outcome take(int link, const char *text, bool scope_host)
{
	struct address address = address_of(text);

	assert_int_equal(rtnl_take_address(picture.rtnl, link, &address,
	                                   (struct rtnl_address_flags){.scope_host = scope_host}, &picture),
	                 0);
	return commit();
}

static struct outcome drop(int link, const char *text)
{
	struct address address = address_of(text);

	assert_int_equal(rtnl_drop_address(picture.rtnl, link, &address, &picture), 0);
	return commit();
}

static void assert_success(struct outcome outcome)
{
	assert_int_equal(outcome.results, 1);
	assert_int_equal(outcome.last_error, 0);
	assert_string_equal(outcome.last_text, "");
	assert_ptr_equal(outcome.last_tag, &picture);
}

static int set_up(void **state)
{
	(void)state;
	network_run("ip link add p0 type veth peer name p1");
	network_run("ip link set p0 up; ip link set p1 up");
	picture_open(&picture);
	parent = network_index("p0");
	picture_await(&picture, picture_link(&picture, "p0")->up);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	picture_close(&picture);
	network_run("ip link del p0");
	return 0;
}

static void taken_address_carries_the_mark(void **state)
{
	(void)state;
	assert_success(take(parent, "192.0.2.100", false));
	assert_success(take(parent, "2001:db8::100", false));
	picture_await(&picture, picture_address(&picture, parent, "2001:db8::100"));
	assert_int_equal(picture_address(&picture, parent, "192.0.2.100")->protocol, RTNL_ADDRESS_PROTOCOL);
	assert_int_equal(picture_address(&picture, parent, "192.0.2.100")->address.prefix_length, 32);
	assert_int_equal(picture_address(&picture, parent, "2001:db8::100")->protocol, RTNL_ADDRESS_PROTOCOL);
	assert_int_equal(picture_address(&picture, parent, "2001:db8::100")->address.prefix_length, 128);
	/* No duplicate address detection: it would answer after a second only. */
	assert_false(picture_address(&picture, parent, "2001:db8::100")->tentative);
	assert_true(network_shows("ip -6 addr show dev p0 to 2001:db8::100", "deprecated"));
	assert_true(network_shows("ip -6 addr show dev p0 to 2001:db8::100",
	                          "valid_lft forever preferred_lft 0"));
	assert_true(network_shows("ip -4 addr show dev p0 to 192.0.2.100", "scope global noprefixroute"));

	assert_success(drop(parent, "192.0.2.100"));
	assert_success(drop(parent, "2001:db8::100"));
	picture_await(&picture, !picture_address(&picture, parent, "192.0.2.100") &&
	                                !picture_address(&picture, parent, "2001:db8::100"));
}

static void taking_and_dropping_twice_is_success(void **state)
{
	static const char *const addresses[] = {"192.0.2.100", "2001:db8::100"};

	(void)state;
	for (int i = 0; i < 2; i++) {
		assert_success(take(parent, addresses[i], true));
		assert_success(take(parent, addresses[i], true));
		assert_success(drop(parent, addresses[i]));
		assert_int_equal(drop(parent, addresses[i]).last_error, 0);
	}
}

/* The arrangement in which a shared address of scope universe would be chosen (doc/linux.md 7.1). */
static void shared_ipv4_address_is_not_the_source(void **state)
{
	(void)state;
	assert_success(take(parent, "192.0.2.5", true));
	network_run("ip addr add 192.0.2.9/24 dev p0; ip route add default dev p0");
	assert_true(network_shows("ip route get 198.51.100.1", "src 192.0.2.9"));
	assert_true(network_shows("ip route get 192.0.2.77", "src 192.0.2.9"));
	assert_true(network_shows("ip route get 224.0.0.18 oif p0", "src 192.0.2.9"));

	assert_success(drop(parent, "192.0.2.5"));
	assert_success(take(parent, "192.0.2.5", false));
	network_run("ip addr del 192.0.2.9/24 dev p0; ip addr add 192.0.2.9/24 dev p0");
	network_run("ip route replace default dev p0");
	/* Shows that the arrangement tests something. */
	assert_true(network_shows("ip route get 198.51.100.1", "src 192.0.2.5"));
}

static bool has_own_link_local(void)
{
	for (size_t i = 0; i < picture.address_count; i++) {
		const struct rtnl_address *address = &picture.addresses[i];

		if (address->link_index == parent && address_is_link_local(&address->address.address) &&
		    address->protocol != RTNL_ADDRESS_PROTOCOL)
			return !address->tentative;
	}
	return false;
}

static void scope_changes_with_the_address_in_place(void **state)
{
	struct address address = address_of("192.0.2.100");

	(void)state;
	assert_success(take(parent, "192.0.2.100", true));
	network_run("ip route add 198.51.100.0/24 dev p0");
	for (int host = 0; host < 2; host++) {
		assert_int_equal(rtnl_rescope_address(picture.rtnl, parent, &address,
		                                      (struct rtnl_address_flags){.scope_host = host},
		                                      &picture),
		                 0);
		assert_int_equal(commit().failures, 0);
		assert_true(network_shows("ip -4 addr show dev p0",
		                          host ? "192.0.2.100/32 metric 112 scope host"
		                               : "192.0.2.100/32 metric 112 scope global"));
		assert_false(network_shows("ip -4 addr show dev p0", "/31"));
		/* The kernel flushes an interface whose last address goes. */
		assert_true(network_shows("ip route show dev p0", "198.51.100.0/24"));
		picture_await(&picture, picture_address(&picture, parent, "192.0.2.100")->scope_host == host);
	}
	assert_success(drop(parent, "192.0.2.100"));
}

static void shared_ipv6_address_is_not_the_source(void **state)
{
	(void)state;
	network_run("ip addr add 2001:db8::9/64 dev p0 nodad; ip route add default dev p0");
	assert_success(take(parent, "2001:db8::5", false));
	assert_success(take(parent, "fe80::1:5", false));
	network_run("ip -6 route add default dev p0");
	/* Until its detection has ended the host's own link-local address cannot be chosen. */
	picture_await(&picture, has_own_link_local());
	assert_true(network_shows("ip -6 route get 2001:db8::77", "src 2001:db8::9"));
	assert_true(network_shows("ip -6 route get 2001:db8:1::1", "src 2001:db8::9"));
	assert_true(network_shows("ip -6 route get fe80::77 oif p0", "src fe80::"));
	assert_false(network_shows("ip -6 route get fe80::77 oif p0", "src fe80::1:5"));
}

static void administrators_address_is_left_alone(void **state)
{
	(void)state;
	network_run("ip addr add 192.0.2.5/32 dev p0; ip addr add 192.0.2.6/24 dev p0");
	network_run("ip addr add 2001:db8::5/128 dev p0 nodad; ip addr add 2001:db8::6/64 dev p0 nodad");

	assert_success(take(parent, "192.0.2.5", false));
	assert_success(take(parent, "2001:db8::5", false));
	assert_success(take(parent, "2001:db8::6", false));
	picture_await(&picture, picture_address(&picture, parent, "2001:db8::6"));
	assert_int_equal(picture_address(&picture, parent, "192.0.2.5")->protocol, 0);
	assert_int_equal(picture_address(&picture, parent, "2001:db8::5")->protocol, 0);
	assert_int_equal(picture_address(&picture, parent, "2001:db8::6")->protocol, 0);
	assert_false(network_shows("ip -6 addr show dev p0", "deprecated"));

	/* The same IPv4 address with another length is another address: ours goes, his stays. */
	assert_success(take(parent, "192.0.2.6", false));
	assert_success(drop(parent, "192.0.2.6"));
	assert_int_equal(drop(parent, "192.0.2.6").last_error, 0);
	assert_int_equal(drop(parent, "2001:db8::6").last_error, 0);
	assert_true(network_shows("ip addr show dev p0", "inet 192.0.2.6/24"));
	assert_true(network_shows("ip addr show dev p0", "inet6 2001:db8::6/64"));
}

/* Every kernel that we know explains this one; older ones say of a missing link only that it is missing. */
static void kernels_words_are_told(void **state)
{
	struct shared_address subnet = {.address = address_of("192.0.2.0"), .prefix_length = 33};
	struct outcome outcome;

	(void)state;
	assert_int_equal(rtnl_add_route(picture.rtnl, parent, &subnet, NULL), 0);
	outcome = commit();
	assert_int_equal(outcome.last_error, -EINVAL);
	assert_string_not_equal(outcome.last_text, "");
}

static void missing_link_is_told(void **state)
{
	struct mac mac = mac_virtual(7);

	(void)state;
	assert_int_equal(take(MISSING_LINK, "192.0.2.5", false).last_error, -ENODEV);
	assert_int_equal(take(MISSING_LINK, "2001:db8::5", false).last_error, -ENODEV);
	assert_int_equal(drop(MISSING_LINK, "192.0.2.5").last_error, 0);
	assert_int_equal(drop(MISSING_LINK, "2001:db8::5").last_error, 0);
	assert_int_equal(rtnl_learn_mac(picture.rtnl, MISSING_LINK, &mac, NULL), 0);
	assert_int_equal(commit().last_error, -ENODEV);
	assert_int_equal(rtnl_forget_mac(picture.rtnl, MISSING_LINK, &mac, NULL), 0);
	assert_int_equal(commit().last_error, 0);
}

/* One bad request in the middle must not take the others along. */
static void each_request_gets_its_own_answer(void **state)
{
	struct address good = address_of("192.0.2.1"), other = address_of("192.0.2.2");
	struct rtnl_address_flags flags = {0};
	struct outcome outcome;

	(void)state;
	rtnl_take_address(picture.rtnl, parent, &good, flags, NULL);
	rtnl_take_address(picture.rtnl, MISSING_LINK, &good, flags, NULL);
	rtnl_take_address(picture.rtnl, parent, &other, flags, &other);
	outcome = commit();
	assert_int_equal(outcome.results, 3);
	assert_int_equal(outcome.failures, 1);
	assert_int_equal(outcome.last_error, 0);
	assert_ptr_equal(outcome.last_tag, &other);
	assert_int_equal(commit().results, 0);
}

static struct address numbered(uint8_t family, unsigned int i)
{
	struct address address = {.family = family};

	if (family == FAMILY_IPV4) {
		memcpy(address.bytes, (uint8_t[]){10, 0, (uint8_t)(i >> 8), (uint8_t)i}, 4);
	} else {
		memcpy(address.bytes, (uint8_t[]){0x20, 0x01, 0x0d, 0xb8}, 4);
		address.bytes[14] = (uint8_t)(i >> 8);
		address.bytes[15] = (uint8_t)i;
	}
	return address;
}

static double now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

/* Takes and drops count addresses and returns how long the take took. */
static double batch_us(uint8_t family, unsigned int count)
{
	struct rtnl_address_flags flags = {.scope_host = true};
	struct outcome outcome;
	double start = now_us(), taken;

	for (unsigned int i = 1; i <= count; i++) {
		struct address address = numbered(family, i);

		assert_int_equal(rtnl_take_address(picture.rtnl, parent, &address, flags, NULL), 0);
	}
	outcome = commit();
	taken = now_us() - start;
	assert_int_equal(outcome.results, count);
	assert_int_equal(outcome.failures, 0);
	for (unsigned int i = 1; i <= count; i++) {
		struct address address = numbered(family, i);

		assert_int_equal(rtnl_drop_address(picture.rtnl, parent, &address, NULL), 0);
	}
	outcome = commit();
	assert_int_equal(outcome.results, count);
	assert_int_equal(outcome.failures, 0);
	return taken;
}

static void batches(void **state)
{
	static const uint8_t families[] = {FAMILY_IPV4, FAMILY_IPV6};
	static const unsigned int counts[] = {1, 255};

	(void)state;
	for (size_t f = 0; f < 2; f++) {
		for (size_t c = 0; c < 2; c++) {
			double best = 1e9;

			for (int i = 0; i < 10; i++) {
				double taken = batch_us(families[f], counts[c]);

				best = taken < best ? taken : best;
			}
			print_message("IPv%u, %u taken: %.0f us at best\n", families[f], counts[c], best);
		}
	}
	assert_false(network_shows("ip -4 addr show dev p0", "inet "));
	picture_settle(&picture);
	picture_assert_true_to_kernel(&picture);
}

static void batch_larger_than_any_chunk(void **state)
{
	(void)state;
	batch_us(FAMILY_IPV4, 1000);
	assert_false(network_shows("ip -4 addr show dev p0", "inet "));
}

static void gather_again(void *context, void *tag, int error, const char *text)
{
	struct outcome *outcome = context;
	struct address address = address_of("192.0.2.2");

	(void)text;
	outcome->results++;
	assert_int_equal(error, 0);
	if (tag == &picture) {
		rtnl_take_address(picture.rtnl, parent, &address, (struct rtnl_address_flags){0}, outcome);
		assert_int_equal(rtnl_commit(picture.rtnl, gather_again, outcome), 0);
	}
}

static void result_may_commit_anew(void **state)
{
	struct address address = address_of("192.0.2.1");
	struct outcome outcome = {0};

	(void)state;
	rtnl_take_address(picture.rtnl, parent, &address, (struct rtnl_address_flags){0}, &picture);
	rtnl_take_address(picture.rtnl, parent, &address, (struct rtnl_address_flags){0}, NULL);
	assert_int_equal(rtnl_commit(picture.rtnl, gather_again, &outcome), 0);
	assert_int_equal(outcome.results, 3);
	assert_true(network_shows("ip addr show dev p0", "inet 192.0.2.2/32"));
	assert_int_equal(commit().results, 0);
}

static void route_of_an_unnumbered_parent(void **state)
{
	static const struct {
		const char *address, *route, *got;
		uint8_t prefix_length;
	} subnets[] = {
	        {"10.1.2.200", "10.1.2.128/25 dev p0 proto 112 scope link", "src 10.1.2.200", 25},
	        {"2001:db8:5::9", "2001:db8:5::/64 dev p0 proto 112", "src 2001:db8:5::9", 64},
	};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct shared_address subnet = {address_of(subnets[i].address), subnets[i].prefix_length};
		char command[64];

		assert_success(take(parent, subnets[i].address, false));
		for (int twice = 0; twice < 2; twice++) {
			rtnl_add_route(picture.rtnl, parent, &subnet, NULL);
			assert_int_equal(commit().last_error, 0);
		}
		assert_true(network_shows("ip -4 route; ip -6 route", subnets[i].route));
		snprintf(command, sizeof(command), "ip route get %s",
		         i == 0 ? "10.1.2.130" : "2001:db8:5::77");
		assert_true(network_shows(command, subnets[i].got));
		for (int twice = 0; twice < 2; twice++) {
			rtnl_remove_route(picture.rtnl, parent, &subnet, NULL);
			assert_int_equal(commit().last_error, 0);
		}
		assert_false(network_shows("ip -4 route; ip -6 route", "proto 112"));
	}
}

static void administrators_route_stays(void **state)
{
	struct shared_address subnet = {address_of("10.1.2.3"), 24};

	(void)state;
	network_run("ip route add 10.1.2.0/24 dev p0 proto static");
	rtnl_add_route(picture.rtnl, parent, &subnet, NULL);
	assert_int_equal(commit().last_error, 0);
	rtnl_remove_route(picture.rtnl, parent, &subnet, NULL);
	assert_int_equal(commit().last_error, 0);
	assert_true(network_shows("ip route", "10.1.2.0/24 dev p0 proto static"));
}

static void bridge_learns_over_a_learned_entry(void **state)
{
	struct mac mac = mac_virtual(7);
	int bridge;

	(void)state;
	network_run("ip link add br0 type bridge; ip link set br0 up; ip link set p0 master br0");
	network_run("bridge fdb add 00:00:5e:00:01:07 dev p0 master dynamic");
	bridge = network_index("br0");
	for (int twice = 0; twice < 2; twice++) {
		assert_int_equal(rtnl_learn_mac(picture.rtnl, bridge, &mac, NULL), 0);
		assert_int_equal(commit().last_error, 0);
	}
	assert_true(network_shows("bridge fdb show", "00:00:5e:00:01:07 dev br0"));
	assert_false(network_shows("bridge fdb show", "00:00:5e:00:01:07 dev p0"));
	assert_false(network_shows("ip -d link show dev br0", "promiscuity 1"));
	for (int twice = 0; twice < 2; twice++) {
		assert_int_equal(rtnl_forget_mac(picture.rtnl, bridge, &mac, NULL), 0);
		assert_int_equal(commit().last_error, 0);
	}
	assert_false(network_shows("bridge fdb show", "00:00:5e:00:01:07"));
	network_run("ip link del br0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(taken_address_carries_the_mark, set_up, tear_down),
	        cmocka_unit_test_setup_teardown(taking_and_dropping_twice_is_success, set_up, tear_down),
	        cmocka_unit_test_setup_teardown(shared_ipv4_address_is_not_the_source, set_up, tear_down),
	        cmocka_unit_test_setup_teardown(scope_changes_with_the_address_in_place, set_up, tear_down),
	        cmocka_unit_test_setup_teardown(shared_ipv6_address_is_not_the_source, set_up, tear_down),
	        cmocka_unit_test_setup_teardown(administrators_address_is_left_alone, set_up, tear_down),
	        cmocka_unit_test_setup_teardown(kernels_words_are_told, set_up, tear_down),
	        cmocka_unit_test_setup_teardown(missing_link_is_told, set_up, tear_down),
	        cmocka_unit_test_setup_teardown(each_request_gets_its_own_answer, set_up, tear_down),
	        cmocka_unit_test_setup_teardown(batches, set_up, tear_down),
	        cmocka_unit_test_setup_teardown(batch_larger_than_any_chunk, set_up, tear_down),
	        cmocka_unit_test_setup_teardown(result_may_commit_anew, set_up, tear_down),
	        cmocka_unit_test_setup_teardown(route_of_an_unnumbered_parent, set_up, tear_down),
	        cmocka_unit_test_setup_teardown(administrators_route_stays, set_up, tear_down),
	        cmocka_unit_test_setup_teardown(bridge_learns_over_a_learned_entry, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, network_enter, NULL);
}
