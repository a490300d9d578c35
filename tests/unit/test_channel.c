/*
 * What keeper and engine say to each other, and the descriptors that come along.
 */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "carpd/keeper/channel.h"

#define FDS_TRIED 64

static int ends[2];

static int set_up(void **state)
{
	(void)state;
	return channel_open(ends);
}

static int tear_down(void **state)
{
	(void)state;
	close(ends[0]);
	close(ends[1]);
	return 0;
}

static int count_open(void)
{
	int count = 0;

	for (int fd = 0; fd < FDS_TRIED; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

static void test_words(void **state)
{
	struct message message;

	(void)state;
	assert_int_equal(channel_receive(ends[1], &message), 0);
	assert_int_equal(channel_send(ends[0], MESSAGE_RELOAD_REFUSED, 7, "a brace is missing", -1), 0);
	assert_int_equal(channel_receive(ends[1], &message), 1);
	assert_int_equal(message.kind, MESSAGE_RELOAD_REFUSED);
	assert_int_equal(message.number, 7);
	assert_string_equal(message.text, "a brace is missing");
	assert_int_equal(message.fd, -1);
	shutdown(ends[0], SHUT_WR);
	assert_int_equal(channel_receive(ends[1], &message), -EPIPE);
}

static void test_descriptor(void **state)
{
	struct message message;

	(void)state;
	assert_int_equal(channel_send(ends[0], MESSAGE_RELOAD, 0, NULL, ends[0]), 0);
	assert_int_equal(channel_receive_with_fd(ends[1], &message), 1);
	assert_int_equal(message.kind, MESSAGE_RELOAD);
	assert_true(fcntl(message.fd, F_GETFD) & FD_CLOEXEC);
	close(message.fd);
}

/* Neither the keeper, which wants none, nor the engine behind a message without keeps any. */
static void test_descriptors_that_nobody_wants(void **state)
{
	int before = count_open();
	struct message message;

	(void)state;
	for (int i = 0; i < FDS_TRIED; i++) {
		assert_int_equal(channel_send(ends[0], MESSAGE_RELOAD, 0, NULL, ends[0]), 0);
		assert_int_equal(channel_receive(ends[1], &message), 1);
		assert_int_equal(message.fd, -1);
		assert_int_equal(channel_send(ends[0], MESSAGE_ALIVE, 0, NULL, ends[0]), 0);
		assert_int_equal(channel_receive_with_fd(ends[1], &message), 1);
		assert_int_equal(message.fd, -1);
	}
	assert_int_equal(count_open(), before);
}

/* More of them in one message than there is room for. */
static void test_two_descriptors(void **state)
{
	uint32_t head[] = {MESSAGE_RELOAD, 0};
	struct iovec part = {.iov_base = head, .iov_len = sizeof(head)};
	union {
		struct cmsghdr header; /* for its alignment */
		uint8_t bytes[CMSG_SPACE(2 * sizeof(int))];
	} control = {.header = {.cmsg_level = SOL_SOCKET,
	                        .cmsg_type = SCM_RIGHTS,
	                        .cmsg_len = CMSG_LEN(2 * sizeof(int))}};
	struct msghdr header = {.msg_iov = &part,
	                        .msg_iovlen = 1,
	                        .msg_control = control.bytes,
	                        .msg_controllen = sizeof(control.bytes)};
	int before = count_open();
	struct message message;

	(void)state;
	memcpy(CMSG_DATA(&control.header), ends, sizeof(ends));
	assert_int_equal(sendmsg(ends[0], &header, 0), sizeof(head));
	assert_int_equal(channel_receive_with_fd(ends[1], &message), 1);
	close(message.fd);
	assert_int_equal(count_open(), before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(test_words, set_up, tear_down),
	        cmocka_unit_test_setup_teardown(test_descriptor, set_up, tear_down),
	        cmocka_unit_test_setup_teardown(test_descriptors_that_nobody_wants, set_up, tear_down),
	        cmocka_unit_test_setup_teardown(test_two_descriptors, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
