/*
 * What keeper and engine say to each other, over a socket pair that keeps messages whole.
 */
#ifndef CARPD_CHANNEL_H
#define CARPD_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CHANNEL_TEXT_MAX 4096

enum message_kind {
	/* engine to keeper */
	MESSAGE_READY,         /* in service */
	MESSAGE_ALIVE,         /* every few seconds */
	MESSAGE_RELOAD_WANTED, /* on the control socket; each has a higher number than the one before */
	MESSAGE_RELOADED,      /* the configuration that was sent is in force */
	/*
	 * What is to be kept, and as the keeper's answer that it is (text: empty, or why it
	 * is not), with the same number.  That of seals is their length in the page, and
	 * MESSAGE_SEALS_SECOND if they are in the second one (state_pages.h).  That of maintenance
	 * counts up in its upper bits.
	 */
	MESSAGE_SEALS,
	MESSAGE_MAINTENANCE,
	/*
	 * In either direction; text: why.  From the keeper, what is wrong with the file;
	 * number: the last that was wanted when it was read.
	 */
	MESSAGE_RELOAD_REFUSED,
	/* keeper to engine */
	MESSAGE_STOP,     /* hand over, give everything back, end */
	MESSAGE_STOP_NOW, /* the same without waiting for a successor */
	/* With an fd: a configuration, checked, its secrets included; number as of a refusal. */
	MESSAGE_RELOAD,
};

#define MESSAGE_SEALS_SECOND   (1U << 31)
#define MESSAGE_MAINTENANCE_ON 1U

struct message {
	enum message_kind kind;
	uint32_t number; /* what it is about, for those kinds that say so */
	int fd;          /* with MESSAGE_RELOAD, and the receiver's to close; else -1 */
	char text[CHANNEL_TEXT_MAX];
};

/* Both ends close on exec and never block. */
int channel_open(int ret_fds[2]);

/* Without text, number or descriptor.  0 or -errno. */
int channel_say(int channel, enum message_kind kind);
/* text may be NULL; fd -1 if none.  0 or -errno. */
int channel_send(int channel, enum message_kind kind, uint32_t number, const char *text, int fd);

/*
 * 1: a message.  0: nothing there.  -EPIPE: the other end is gone.  Otherwise -errno.
 * The one that takes no descriptors is for the keeper: whatever an engine that has
 * gone wrong sends along is closed before it arrives.
 */
int channel_receive(int channel, struct message *ret_message);
int channel_receive_with_fd(int channel, struct message *ret_message);

#endif
