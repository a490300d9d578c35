/*
 * Every branch of the two programs, with BPF_PROG_TEST_RUN.
 */
#include "world.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <cmocka.h>

#define GROUP4_MAC "01:00:5e:00:00:12"
#define GROUP6_MAC "33:33:00:00:00:12"
#define IPV4       0x0800
#define IPV6       0x86dd
#define ARP        0x0806

/* 36 bytes: version 2 type 1, the vhid, advskew 0, authlen 7. */
#define CARP_7 "2107 0007 0001 0000 1122334455667788 000102030405060708090a0b0c0d0e0f10111213"

static struct world world;

static struct gate *gate(void)
{
	return world.gate;
}

/* The verdict; what the frame has become is in ret_frame. */
static int run(enum gate_direction direction, const struct frame *frame, struct frame *ret_frame)
{
	struct __sk_buff context = {.ifindex = (uint32_t)world.link_index};
	struct bpf_test_run_opts options = {
	        .sz = sizeof(options),
	        .data_in = frame->data,
	        .data_size_in = (uint32_t)frame->bytes,
	        .data_out = ret_frame->data,
	        .data_size_out = FRAME_MAX,
	        .ctx_in = &context,
	        .ctx_size_in = sizeof(context),
	};

	assert_int_equal(bpf_prog_test_run_opts(gate()->programs[direction].fd, &options), 0);
	ret_frame->bytes = options.data_size_out;
	return (int)options.retval;
}

static void assert_untouched(enum gate_direction direction, const struct frame *frame)
{
	struct frame after;

	assert_int_equal(run(direction, frame, &after), TC_ACT_UNSPEC);
	assert_int_equal(after.bytes, frame->bytes);
	assert_memory_equal(after.data, frame->data, frame->bytes);
}

static void assert_dropped(enum gate_direction direction, const struct frame *frame)
{
	struct frame after;

	assert_int_equal(run(direction, frame, &after), TC_ACT_SHOT);
}

/* Passes, and differs from what it was in these six bytes, which are now mac, and nowhere else. */
static void assert_mac_replaced(enum gate_direction direction, const struct frame *frame, size_t offset,
                                const char *mac)
{
	struct frame after, expected = *frame, address;

	frame_ethernet(&address, mac, mac, 0);
	memcpy(expected.data + offset, address.data, 6);
	assert_int_equal(run(direction, frame, &after), TC_ACT_UNSPEC);
	assert_int_equal(after.bytes, expected.bytes);
	assert_memory_equal(after.data, expected.data, expected.bytes);
}

static struct gate_counters counters(void)
{
	struct gate_counters now;

	gate_read_counters(gate(), world.port, VHID, &now);
	return now;
}

/*
 * Adverts.
 */

struct heard {
	int count;
	int link_index;
	size_t bytes;
	bool multicast;
	instant arrived;
	uint8_t network[GATE_CAPTURE_MAX];
};

static void hear(void *context, int link_index, const uint8_t *network, size_t bytes, bool multicast,
                 instant arrived)
{
	struct heard *heard = context;

	heard->count++;
	heard->link_index = link_index;
	heard->bytes = bytes;
	heard->multicast = multicast;
	heard->arrived = arrived;
	memcpy(heard->network, network, bytes);
}

static struct heard hear_all(void)
{
	struct heard heard = {0};

	int adverts = gate_receive(gate(), hear, &heard);

	assert_int_equal(adverts, heard.count);
	return heard;
}

static void assert_taken(const struct frame *frame, bool multicast)
{
	struct gate_counters before = counters();
	instant sent = world_now();
	size_t bytes = frame->bytes - 14 < GATE_CAPTURE_MAX ? frame->bytes - 14 : GATE_CAPTURE_MAX;
	struct heard heard;

	assert_dropped(GATE_IN, frame);
	heard = hear_all();
	assert_int_equal(heard.count, 1);
	assert_int_equal(heard.link_index, world.link_index);
	assert_int_equal(heard.multicast, multicast);
	assert_int_equal(heard.bytes, bytes);
	assert_memory_equal(heard.network, frame->data + 14, bytes);
	assert_true(heard.arrived.ns >= sent.ns && heard.arrived.ns <= world_now().ns);
	assert_int_equal(counters().adverts, before.adverts + 1);
}

static void assert_left(const struct frame *frame)
{
	struct gate_counters before = counters();

	assert_untouched(GATE_IN, frame);
	assert_int_equal(hear_all().count, 0);
	assert_int_equal(counters().adverts, before.adverts);
}

static struct frame advert_ipv4(const char *mac, const char *destination, const char *carp,
                                size_t option_bytes)
{
	struct frame frame;

	frame_ethernet(&frame, mac, OTHER_MAC, IPV4);
	frame_ipv4(&frame, "10.0.0.2", destination, 112, option_bytes);
	frame_hex(&frame, carp);
	frame_finish(&frame);
	return frame;
}

static struct frame advert_ipv6(const char *mac, const char *destination, const char *carp)
{
	struct frame frame;

	frame_ethernet(&frame, mac, OTHER_MAC, IPV6);
	frame_ipv6(&frame, "fe80::2", destination, 112);
	frame_hex(&frame, carp);
	frame_finish(&frame);
	return frame;
}

static void test_multicast_adverts_are_taken(void **state)
{
	struct frame frame = advert_ipv4(GROUP4_MAC, "224.0.0.18", CARP_7, 0);

	(void)state;
	assert_taken(&frame, true);
	frame = advert_ipv4(GROUP4_MAC, "224.0.0.18", CARP_7, 40);
	assert_taken(&frame, true);
	frame = advert_ipv6(GROUP6_MAC, "ff02::12", CARP_7);
	assert_taken(&frame, true);
}

static void test_padding_and_trailers_are_handed_over_up_to_a_limit(void **state)
{
	struct frame frame = advert_ipv4(GROUP4_MAC, "224.0.0.18", CARP_7, 0);

	(void)state;
	frame_fill(&frame, 0xee, 36);
	assert_taken(&frame, true);
	frame_fill(&frame, 0xdd, 200);
	assert_taken(&frame, true);
}

static void test_adverts_are_taken_whatever_the_lease(void **state)
{
	struct frame frame = advert_ipv4(GROUP4_MAC, "224.0.0.18", CARP_7, 0);

	(void)state;
	gate_open(gate(), world.port, VHID, world_in_ms(10000));
	assert_taken(&frame, true);
	gate_open(gate(), world.port, VHID, world_now());
	assert_taken(&frame, true);
}

static void test_other_ids_are_left(void **state)
{
	struct frame frame = advert_ipv4(GROUP4_MAC, "224.0.0.18", CARP_7, 0);

	(void)state;
	frame.data[35] = VHID + 1;
	assert_left(&frame);
	frame = advert_ipv6(GROUP6_MAC, "ff02::12", CARP_7);
	frame.data[55] = VHID + 1;
	assert_left(&frame);
}

static void test_vrrp_is_counted_and_left(void **state)
{
	static const char *const vrrp[] = {
	        "2107 6401 0001 0000 0a000064 0000000000000000", /* version 2 */
	        "3107 6407 0064 0000 0a000064",                  /* version 3 with seven addresses */
	        "2207 0007 0001 0000 0a000064",                  /* a type that CARP does not have */
	};
	uint64_t before = counters().vrrp;

	(void)state;
	for (size_t i = 0; i < sizeof(vrrp) / sizeof(vrrp[0]); i++) {
		struct frame frame = advert_ipv4(GROUP4_MAC, "224.0.0.18", vrrp[i], 0);

		assert_left(&frame);
	}
	assert_int_equal(counters().vrrp, before + 3);
}

static void test_unicast_adverts_only_where_configured(void **state)
{
	struct frame frame = advert_ipv4(PARENT_MAC, "10.0.0.1", CARP_7, 0);
	struct frame frame6 = advert_ipv6(PARENT_MAC, "2001:db8::1", CARP_7);

	(void)state;
	assert_left(&frame);
	assert_left(&frame6);
	assert_int_equal(gate_watch(gate(), world.port, VHID, true), 0);
	assert_taken(&frame, false);
	assert_taken(&frame6, false);
}

static void test_adverts_to_another_host_are_left(void **state)
{
	struct frame frame = advert_ipv4(OTHER_MAC, "10.0.0.1", CARP_7, 0);

	(void)state;
	assert_int_equal(gate_watch(gate(), world.port, VHID, true), 0);
	assert_left(&frame);
	frame = advert_ipv4(OTHER_MAC, "224.0.0.18", CARP_7, 0);
	assert_left(&frame);
}

static void test_fragments_are_left(void **state)
{
	struct frame frame = advert_ipv4(GROUP4_MAC, "224.0.0.18", CARP_7, 0);

	(void)state;
	frame.data[20] = 0x20; /* more fragments */
	assert_left(&frame);
	frame.data[20] = 0x00;
	frame.data[21] = 0x01; /* an offset */
	assert_left(&frame);
}

static void test_short_and_broken_adverts_are_left(void **state)
{
	struct frame frame = advert_ipv4(GROUP4_MAC, "224.0.0.18", CARP_7, 0);

	(void)state;
	frame.data[14] = 0x44; /* header of 16 bytes */
	assert_left(&frame);
	frame.data[14] = 0x4f; /* header of 60 bytes: CARP would begin after the end */
	frame.bytes = 70;
	assert_left(&frame);
	frame = advert_ipv4(GROUP4_MAC, "224.0.0.18", "210700", 0);
	assert_left(&frame);
	frame = advert_ipv6(GROUP6_MAC, "ff02::12", "210700");
	assert_left(&frame);
}

static void test_ignored_and_unknown_ports_take_nothing(void **state)
{
	struct frame frame = advert_ipv4(GROUP4_MAC, "224.0.0.18", CARP_7, 0);

	(void)state;
	gate_ignore(gate(), world.port, VHID);
	assert_left(&frame);
	gate_reset(gate());
	assert_left(&frame);
}

static void test_drain_throws_away(void **state)
{
	struct frame frame = advert_ipv4(GROUP4_MAC, "224.0.0.18", CARP_7, 0);

	(void)state;
	assert_dropped(GATE_IN, &frame);
	gate_drain(gate());
	assert_int_equal(hear_all().count, 0);
}

/* An edge-triggered epoll hears of a wake-up and of nothing else. */
static bool advert_wakes(int epoll, const struct frame *frame, int patience_ms)
{
	struct epoll_event event;
	int woken;

	assert_dropped(GATE_IN, frame);
	woken = epoll_wait(epoll, &event, 1, patience_ms);
	assert_int_equal(hear_all().count, 1);
	return woken == 1;
}

static void test_adverts_wake_unless_hushed(void **state)
{
	struct frame frame = advert_ipv4(GROUP4_MAC, "224.0.0.18", CARP_7, 0);
	struct epoll_event event = {.events = EPOLLIN | EPOLLET};
	int epoll = epoll_create1(EPOLL_CLOEXEC);

	(void)state;
	assert_int_equal(epoll_ctl(epoll, EPOLL_CTL_ADD, gate_fd(gate()), &event), 0);
	assert_true(advert_wakes(epoll, &frame, 10000));
	assert_true(advert_wakes(epoll, &frame, 10000));
	/* From an hour ahead, so that it does not end before the test does. */
	instant again = gate_hush(gate(), world_in_ms(3600 * 1000));
	assert_true(instant_span_ns(world_in_ms(3600 * 1000), again) < NS_PER_MS);
	assert_false(advert_wakes(epoll, &frame, 20));
	(void)gate_hush(gate(), world_in_ms(-1000));
	assert_true(advert_wakes(epoll, &frame, 10000));
	close(epoll);
}

static void test_full_ring_counts_the_loss(void **state)
{
	struct frame frame = advert_ipv4(GROUP4_MAC, "224.0.0.18", CARP_7, 0);
	struct gate_counters before = counters();
	int sent = 0;
	struct heard heard;

	(void)state;
	while (counters().adverts_lost == before.adverts_lost) {
		assert_dropped(GATE_IN, &frame);
		sent++;
		assert_true(sent < 20000);
	}
	heard = hear_all();
	assert_int_equal(heard.count, sent - 1);
	assert_true(heard.count >= 4800); /* 60 ms at 80 000/s */
	/* Around the end of the ring, more than once. */
	for (int i = 0; i < 3 * sent; i++)
		assert_taken(&frame, true);
}

/*
 * To the virtual MAC.
 */

static struct frame udp_in(const char *mac, const char *destination)
{
	struct frame frame;

	frame_ethernet(&frame, mac, OTHER_MAC, strchr(destination, ':') ? IPV6 : IPV4);
	if (strchr(destination, ':'))
		frame_ipv6(&frame, "2001:db8::99", destination, 17);
	else
		frame_ipv4(&frame, "10.0.0.99", destination, 17, 0);
	frame_hex(&frame, "1234 0035 0010 0000 0011223344556677");
	frame_finish(&frame);
	return frame;
}

static void test_virtual_mac_open(void **state)
{
	struct gate_counters before = counters();
	struct frame frame = udp_in(VIRTUAL, SHARED);

	(void)state;
	gate_open(gate(), world.port, VHID, world_in_ms(10000));
	assert_mac_replaced(GATE_IN, &frame, 0, PARENT_MAC);
	frame = udp_in(VIRTUAL, SHARED6);
	assert_mac_replaced(GATE_IN, &frame, 0, PARENT_MAC);
	/* What is only routed through us, as by a gateway. */
	frame = udp_in(VIRTUAL, "192.0.2.1");
	assert_mac_replaced(GATE_IN, &frame, 0, PARENT_MAC);
	frame_ethernet(&frame, VIRTUAL, OTHER_MAC, ARP);
	frame_arp(&frame, 1, OTHER_MAC, "10.0.0.99", VIRTUAL, SHARED);
	assert_mac_replaced(GATE_IN, &frame, 0, PARENT_MAC);
	frame_ethernet(&frame, VIRTUAL, OTHER_MAC, 0x88b5);
	frame_fill(&frame, 1, 46);
	assert_mac_replaced(GATE_IN, &frame, 0, PARENT_MAC);
	assert_int_equal(counters().accepted, before.accepted + 5);
}

static void test_virtual_mac_follows_the_parents(void **state)
{
	struct frame frame = udp_in(VIRTUAL, SHARED);
	struct mac mac = {{2, 0, 0, 0, 0, 0x55}};

	(void)state;
	gate_open(gate(), world.port, VHID, world_in_ms(10000));
	gate_set_parent_mac(gate(), world.port, &mac);
	assert_mac_replaced(GATE_IN, &frame, 0, "02:00:00:00:00:55");
}

static void test_virtual_mac_shut(void **state)
{
	struct gate_counters before = counters();
	struct frame frame = udp_in(VIRTUAL, SHARED), frame6 = udp_in(VIRTUAL, SHARED6), arp;

	(void)state;
	frame_ethernet(&arp, VIRTUAL, OTHER_MAC, ARP);
	frame_arp(&arp, 1, OTHER_MAC, "10.0.0.99", VIRTUAL, SHARED);
	assert_dropped(GATE_IN, &frame);
	assert_dropped(GATE_IN, &frame6);
	assert_dropped(GATE_IN, &arp);
	assert_int_equal(counters().refused, before.refused + 3);
	gate_open(gate(), world.port, VHID, world_now());
	assert_dropped(GATE_IN, &frame);
	assert_dropped(GATE_IN, &frame6);
	assert_dropped(GATE_IN, &arp);
	assert_int_equal(counters().fenced, before.fenced + 3);
}

static void test_virtual_mac_of_nobody_here(void **state)
{
	struct frame frame = udp_in("00:00:5e:00:01:08", SHARED);

	(void)state;
	gate_open(gate(), world.port, VHID, world_in_ms(10000));
	assert_untouched(GATE_IN, &frame);
	frame = udp_in("00:00:5e:00:02:07", SHARED); /* VRRP's for IPv6 */
	assert_untouched(GATE_IN, &frame);
	gate_reset(gate());
	frame = udp_in(VIRTUAL, SHARED);
	assert_untouched(GATE_IN, &frame);
}

/*
 * To the parent's own MAC.
 */

static void test_shared_address_at_the_parents_mac(void **state)
{
	struct gate_counters before = counters();
	struct frame frame = udp_in(PARENT_MAC, SHARED), frame6 = udp_in(PARENT_MAC, SHARED6);

	(void)state;
	assert_dropped(GATE_IN, &frame);
	assert_dropped(GATE_IN, &frame6);
	assert_int_equal(counters().refused, before.refused + 2);
	gate_open(gate(), world.port, VHID, world_in_ms(10000));
	assert_untouched(GATE_IN, &frame);
	assert_untouched(GATE_IN, &frame6);
	gate_open(gate(), world.port, VHID, world_now());
	assert_dropped(GATE_IN, &frame);
	assert_int_equal(counters().fenced, before.fenced + 1);
}

static void test_other_frames_at_the_parents_mac(void **state)
{
	struct frame frame = udp_in(PARENT_MAC, "10.0.0.1");

	(void)state;
	assert_untouched(GATE_IN, &frame);
	frame = udp_in(PARENT_MAC, "2001:db8::1");
	assert_untouched(GATE_IN, &frame);
	frame = udp_in(OTHER_MAC, SHARED);
	assert_untouched(GATE_IN, &frame);
	frame = udp_in(OTHER_MAC, SHARED6);
	assert_untouched(GATE_IN, &frame);
}

static void test_arp_requests_for_a_shared_address(void **state)
{
	struct frame frame;

	(void)state;
	frame_ethernet(&frame, "ff:ff:ff:ff:ff:ff", OTHER_MAC, ARP);
	frame_arp(&frame, 1, OTHER_MAC, "10.0.0.99", "00:00:00:00:00:00", SHARED);
	assert_dropped(GATE_IN, &frame);
	gate_open(gate(), world.port, VHID, world_in_ms(10000));
	assert_untouched(GATE_IN, &frame);
	gate_close(gate(), world.port, VHID);
	/* A reply is of no harm, and the master's own announcement must be heard. */
	frame.data[21] = 2;
	assert_untouched(GATE_IN, &frame);
	frame_ethernet(&frame, "ff:ff:ff:ff:ff:ff", OTHER_MAC, ARP);
	frame_arp(&frame, 1, OTHER_MAC, "10.0.0.99", "00:00:00:00:00:00", "10.0.0.1");
	assert_untouched(GATE_IN, &frame);
	/* ARP for something else than IPv4 over Ethernet. */
	frame_arp(&frame, 1, OTHER_MAC, "10.0.0.99", "00:00:00:00:00:00", SHARED);
	frame.data[18] = 8;
	assert_untouched(GATE_IN, &frame);
	frame.bytes = 40;
	assert_untouched(GATE_IN, &frame);
}

static void test_tags_inside_the_frame_are_of_a_vlan(void **state)
{
	struct frame frame = advert_ipv4(GROUP4_MAC, "224.0.0.18", CARP_7, 0), tagged;

	(void)state;
	frame_ethernet(&tagged, GROUP4_MAC, OTHER_MAC, 0x8100);
	frame_hex(&tagged, "0064 0800");
	memcpy(tagged.data + 18, frame.data + 14, frame.bytes - 14);
	tagged.bytes = frame.bytes + 4;
	assert_left(&tagged);
}

/*
 * Egress.
 */

static struct frame udp_out(const char *source)
{
	struct frame frame;

	frame_ethernet(&frame, OTHER_MAC, PARENT_MAC, strchr(source, ':') ? IPV6 : IPV4);
	if (strchr(source, ':'))
		frame_ipv6(&frame, source, "2001:db8::99", 17);
	else
		frame_ipv4(&frame, source, "10.0.0.99", 17, 0);
	frame_hex(&frame, "0035 1234 0010 0000 0011223344556677");
	frame_finish(&frame);
	return frame;
}

static void test_out_from_a_shared_address(void **state)
{
	struct gate_counters before = counters();
	struct frame frame = udp_out(SHARED), frame6 = udp_out(SHARED6);

	(void)state;
	assert_dropped(GATE_OUT, &frame);
	assert_dropped(GATE_OUT, &frame6);
	assert_int_equal(counters().refused, before.refused + 2);
	gate_open(gate(), world.port, VHID, world_in_ms(10000));
	assert_mac_replaced(GATE_OUT, &frame, 6, VIRTUAL);
	assert_mac_replaced(GATE_OUT, &frame6, 6, VIRTUAL);
	assert_int_equal(counters().rewritten, before.rewritten + 2);
	frame.data[20] = 0x20; /* fragments too */
	frame.data[21] = 0x10;
	assert_mac_replaced(GATE_OUT, &frame, 6, VIRTUAL);
	gate_open(gate(), world.port, VHID, world_now());
	assert_dropped(GATE_OUT, &frame);
	assert_dropped(GATE_OUT, &frame6);
	assert_int_equal(counters().fenced, before.fenced + 2);
}

static void test_out_from_other_addresses(void **state)
{
	struct frame frame = udp_out("10.0.0.1");

	(void)state;
	assert_untouched(GATE_OUT, &frame);
	frame = udp_out("2001:db8::1");
	assert_untouched(GATE_OUT, &frame);
	frame_ethernet(&frame, OTHER_MAC, PARENT_MAC, 0x88b5);
	frame_fill(&frame, 1, 46);
	assert_untouched(GATE_OUT, &frame);
}

static void test_out_adverts_always_pass(void **state)
{
	struct frame frame;

	(void)state;
	frame_ethernet(&frame, GROUP4_MAC, VIRTUAL, IPV4);
	frame_ipv4(&frame, SHARED, "224.0.0.18", 112, 0);
	frame_hex(&frame, CARP_7);
	frame_finish(&frame);
	assert_untouched(GATE_OUT, &frame);
	frame_ethernet(&frame, GROUP6_MAC, VIRTUAL, IPV6);
	frame_ipv6(&frame, SHARED6, "ff02::12", 112);
	frame_hex(&frame, CARP_7);
	frame_finish(&frame);
	assert_untouched(GATE_OUT, &frame);
}

static void assert_arp_out(uint16_t operation, const char *sender_mac)
{
	struct frame frame, expected, after;

	frame_ethernet(&frame, OTHER_MAC, sender_mac, ARP);
	frame_arp(&frame, operation, sender_mac, SHARED, OTHER_MAC, "10.0.0.99");
	gate_close(gate(), world.port, VHID);
	assert_dropped(GATE_OUT, &frame);
	gate_open(gate(), world.port, VHID, world_now());
	assert_dropped(GATE_OUT, &frame);
	gate_open(gate(), world.port, VHID, world_in_ms(10000));
	frame_ethernet(&expected, OTHER_MAC, VIRTUAL, ARP);
	frame_arp(&expected, operation, VIRTUAL, SHARED, OTHER_MAC, "10.0.0.99");
	assert_int_equal(run(GATE_OUT, &frame, &after), TC_ACT_UNSPEC);
	assert_memory_equal(after.data, expected.data, expected.bytes);
}

static void test_out_arp(void **state)
{
	struct frame frame;

	(void)state;
	assert_arp_out(1, PARENT_MAC);
	assert_arp_out(2, PARENT_MAC);
	assert_arp_out(2, VIRTUAL); /* our own announcement */
	frame_ethernet(&frame, OTHER_MAC, PARENT_MAC, ARP);
	frame_arp(&frame, 2, PARENT_MAC, "10.0.0.1", OTHER_MAC, "10.0.0.99");
	assert_untouched(GATE_OUT, &frame);
	/* A backup asks for the address like everybody. */
	frame_ethernet(&frame, "ff:ff:ff:ff:ff:ff", PARENT_MAC, ARP);
	frame_arp(&frame, 1, PARENT_MAC, "10.0.0.1", "00:00:00:00:00:00", SHARED);
	gate_close(gate(), world.port, VHID);
	assert_untouched(GATE_OUT, &frame);
	frame.bytes = 40;
	assert_untouched(GATE_OUT, &frame);
}

#define MAC_PARENT_HEX "020000000001"
#define SHARED6_HEX    "20010db8000000000000000000000100"
#define OTHER6_HEX     "20010db8000000000000000000000001"

static struct frame nd(const char *source, const char *message)
{
	struct frame frame;

	frame_ethernet(&frame, "33:33:00:00:00:01", PARENT_MAC, IPV6);
	frame_ipv6(&frame, source, "ff02::1", 58);
	frame_hex(&frame, message);
	frame_finish(&frame);
	return frame;
}

/* The Ethernet source and, at option, the MAC in the message become the virtual one. */
static void assert_nd_rewritten(const struct frame *frame, size_t option)
{
	static const uint8_t virtual_mac[] = {0, 0, 0x5e, 0, 1, VHID};
	struct frame after;

	gate_open(gate(), world.port, VHID, world_in_ms(10000));
	assert_int_equal(run(GATE_OUT, frame, &after), TC_ACT_UNSPEC);
	assert_int_equal(after.bytes, frame->bytes);
	assert_memory_equal(after.data + 6, virtual_mac, 6);
	assert_memory_equal(after.data + option + 2, virtual_mac, 6);
	assert_true(frame_has_good_icmpv6_checksum(&after));
	/* Nothing else but the checksum has changed. */
	memcpy(after.data + 6, frame->data + 6, 6);
	memcpy(after.data + option + 2, frame->data + option + 2, 6);
	memcpy(after.data + 56, frame->data + 56, 2);
	assert_memory_equal(after.data, frame->data, frame->bytes);

	gate_open(gate(), world.port, VHID, world_now());
	assert_dropped(GATE_OUT, frame);
	gate_close(gate(), world.port, VHID);
	assert_dropped(GATE_OUT, frame);
}

static void test_out_neighbour_discovery(void **state)
{
	struct frame frame;

	(void)state;
	frame = nd(SHARED6, "88000000 60000000" SHARED6_HEX "0201" MAC_PARENT_HEX);
	assert_nd_rewritten(&frame, 78);
	frame = nd("2001:db8::1", "88000000 60000000" SHARED6_HEX "0201" MAC_PARENT_HEX);
	assert_nd_rewritten(&frame, 78);
	frame = nd(SHARED6, "87000000 00000000" OTHER6_HEX "0101" MAC_PARENT_HEX);
	assert_nd_rewritten(&frame, 78);
	frame = nd(SHARED6, "85000000 00000000 0101" MAC_PARENT_HEX);
	assert_nd_rewritten(&frame, 62);
	frame = nd(SHARED6, "86000000 40000708 00000000 00000000 0501000000000578 0101" MAC_PARENT_HEX);
	assert_nd_rewritten(&frame, 78);
	frame = nd("2001:db8::1", "89000000 00000000" SHARED6_HEX OTHER6_HEX "0201" MAC_PARENT_HEX);
	assert_nd_rewritten(&frame, 94);
}

static void test_out_option_after_many(void **state)
{
	struct frame frame = nd(SHARED6, "86000000 40000708 00000000 00000000"
	                                 "0501000000000578 0304 40c0 00000000 00000000 00000000"
	                                 "00000000 00000000 00000000 00000000"
	                                 "0501000000000578 0501000000000578 0501000000000578"
	                                 "0501000000000578 0501000000000578 0101" MAC_PARENT_HEX);

	(void)state;
	assert_nd_rewritten(&frame, 54 + 16 + 8 + 32 + 40);
}

/* Only the Ethernet source changes. */
static void test_out_discovery_without_option(void **state)
{
	struct frame frame = nd(SHARED6, "88000000 60000000" SHARED6_HEX);

	(void)state;
	gate_open(gate(), world.port, VHID, world_in_ms(10000));
	assert_mac_replaced(GATE_OUT, &frame, 6, VIRTUAL);
	frame = nd(SHARED6, "88000000 60000000" SHARED6_HEX "0200" MAC_PARENT_HEX);
	assert_mac_replaced(GATE_OUT, &frame, 6, VIRTUAL);
	/* Nine options before it are one too many. */
	frame = nd(SHARED6, "85000000 00000000"
	                    "0501000000000578 0501000000000578 0501000000000578"
	                    "0501000000000578 0501000000000578 0501000000000578 0501000000000578"
	                    "0501000000000578 0501000000000578 0101" MAC_PARENT_HEX);
	assert_mac_replaced(GATE_OUT, &frame, 6, VIRTUAL);
	/* About the host's own address: the option is right as it is. */
	frame = nd(SHARED6, "88000000 60000000" OTHER6_HEX "0201" MAC_PARENT_HEX);
	assert_mac_replaced(GATE_OUT, &frame, 6, VIRTUAL);
	/* Cut short. */
	frame = nd("2001:db8::1", "88000000 60000000 2001");
	assert_untouched(GATE_OUT, &frame);
	/* Not neighbour discovery. */
	frame = nd(SHARED6, "80000000 12340001");
	assert_mac_replaced(GATE_OUT, &frame, 6, VIRTUAL);
}

static void test_out_other_discovery(void **state)
{
	struct frame frame = nd("2001:db8::1", "88000000 60000000" OTHER6_HEX "0201" MAC_PARENT_HEX);

	(void)state;
	assert_untouched(GATE_OUT, &frame);
	/* A backup's question for the address, and a probe for duplicates: they carry no binding of it. */
	frame = nd("2001:db8::1", "87000000 00000000" SHARED6_HEX "0101" MAC_PARENT_HEX);
	assert_untouched(GATE_OUT, &frame);
	frame = nd("::", "87000000 00000000" SHARED6_HEX);
	assert_untouched(GATE_OUT, &frame);
	frame = nd("2001:db8::1", "86000000 40000708 00000000 00000000 0101" MAC_PARENT_HEX);
	assert_untouched(GATE_OUT, &frame);
}

/*
 * What changes the maps.
 */

static void test_lease_is_extended(void **state)
{
	struct frame frame = udp_out(SHARED);
	instant end = world_in_ms(20);

	(void)state;
	gate_open(gate(), world.port, VHID, end);
	gate_open(gate(), world.port, VHID, world_in_ms(10000));
	while (instant_before(world_now(), end))
		;
	assert_mac_replaced(GATE_OUT, &frame, 6, VIRTUAL);
	gate_close_all(gate());
	assert_dropped(GATE_OUT, &frame);
}

/* The successor is there: what was under way is answered, but nobody is told anything. */
static void test_passing(void **state)
{
	struct frame in = udp_in(VIRTUAL, SHARED), out = udp_out(SHARED), out6 = udp_out(SHARED6), arp;
	struct frame advert = nd(SHARED6, "88000000 60000000" SHARED6_HEX "0201" MAC_PARENT_HEX);

	(void)state;
	frame_ethernet(&arp, OTHER_MAC, PARENT_MAC, ARP);
	frame_arp(&arp, 2, PARENT_MAC, SHARED, OTHER_MAC, "10.0.0.99");
	gate_open(gate(), world.port, VHID, world_in_ms(20000));
	gate_pass(gate(), world.port, VHID, world_in_ms(10000));
	assert_mac_replaced(GATE_IN, &in, 0, PARENT_MAC);
	assert_untouched(GATE_OUT, &out);
	assert_untouched(GATE_OUT, &out6);
	assert_dropped(GATE_OUT, &arp);
	assert_dropped(GATE_OUT, &advert);
	gate_pass(gate(), world.port, VHID, world_now());
	assert_dropped(GATE_IN, &in);
	assert_dropped(GATE_OUT, &out);
	gate_open(gate(), world.port, VHID, world_in_ms(10000));
	assert_mac_replaced(GATE_OUT, &out, 6, VIRTUAL);
}

static void test_lease_runs_out(void **state)
{
	struct frame frame = udp_out(SHARED), after;
	instant end = world_in_ms(20);

	(void)state;
	gate_open(gate(), world.port, VHID, end);
	while (run(GATE_OUT, &frame, &after) == TC_ACT_UNSPEC)
		assert_true(instant_before(world_now(), instant_after(end, NS_PER_S)));
	assert_true(instant_reached(end, world_now()));
}

static void test_removed_address_is_forgotten(void **state)
{
	struct address address = address_of(SHARED);
	struct frame frame = udp_out(SHARED);

	(void)state;
	assert_int_equal(gate_add_address(gate(), world.port, VHID, &address), 0);
	assert_int_equal(gate_add_address(gate(), world.port, VHID + 1, &address), -EEXIST);
	assert_int_equal(gate_remove_address(gate(), world.port, &address), 0);
	assert_int_equal(gate_remove_address(gate(), world.port, &address), -ENOENT);
	assert_untouched(GATE_OUT, &frame);
}

static void test_reset_forgets_everything(void **state)
{
	struct frame frame = udp_out(SHARED);
	int port;

	(void)state;
	gate_open(gate(), world.port, VHID, world_in_ms(10000));
	gate_reset(gate());
	assert_untouched(GATE_OUT, &frame);
	port = gate_attach(gate(), world.link_index, &world.parent_mac);
	assert_true(port >= 0);
	assert_untouched(GATE_OUT, &frame);
	assert_int_equal(gate()->parents[port].vhosts[VHID].flags, 0);
	assert_int_equal(gate()->parents[port].vhosts[VHID].lease_end_ns, 0);
}

static int set_up(void **state)
{
	struct address address = address_of(SHARED), address6 = address_of(SHARED6);

	(void)state;
	gate_reset(gate());
	gate_drain(gate());
	world.port = gate_attach(gate(), world.link_index, &world.parent_mac);
	return world.port < 0 || gate_watch(gate(), world.port, VHID, false) < 0 ||
	       gate_add_address(gate(), world.port, VHID, &address) < 0 ||
	       gate_add_address(gate(), world.port, VHID, &address6) < 0;
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        TEST(test_multicast_adverts_are_taken),
	        TEST(test_padding_and_trailers_are_handed_over_up_to_a_limit),
	        TEST(test_adverts_are_taken_whatever_the_lease),
	        TEST(test_other_ids_are_left),
	        TEST(test_vrrp_is_counted_and_left),
	        TEST(test_unicast_adverts_only_where_configured),
	        TEST(test_adverts_to_another_host_are_left),
	        TEST(test_fragments_are_left),
	        TEST(test_short_and_broken_adverts_are_left),
	        TEST(test_ignored_and_unknown_ports_take_nothing),
	        TEST(test_drain_throws_away),
	        TEST(test_adverts_wake_unless_hushed),
	        TEST(test_full_ring_counts_the_loss),
	        TEST(test_virtual_mac_open),
	        TEST(test_virtual_mac_follows_the_parents),
	        TEST(test_virtual_mac_shut),
	        TEST(test_virtual_mac_of_nobody_here),
	        TEST(test_shared_address_at_the_parents_mac),
	        TEST(test_other_frames_at_the_parents_mac),
	        TEST(test_arp_requests_for_a_shared_address),
	        TEST(test_tags_inside_the_frame_are_of_a_vlan),
	        TEST(test_out_from_a_shared_address),
	        TEST(test_out_from_other_addresses),
	        TEST(test_out_adverts_always_pass),
	        TEST(test_out_arp),
	        TEST(test_out_neighbour_discovery),
	        TEST(test_out_option_after_many),
	        TEST(test_out_discovery_without_option),
	        TEST(test_out_other_discovery),
	        TEST(test_lease_is_extended),
	        TEST(test_passing),
	        TEST(test_lease_runs_out),
	        TEST(test_removed_address_is_forgotten),
	        TEST(test_reset_forgets_everything),
	};
	int failed;

	if (!world_make(&world))
		return 77;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	world_end(&world);
	return failed;
}
