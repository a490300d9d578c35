/*
 * What keeper and engine say to each other, over a socket pair that keeps messages whole.
 */
#ifndef CARPD_CHANNEL_H
#define CARPD_CHANNEL_H

#include <stddef.h>

#define CHANNEL_TEXT_MAX 4096

enum message_kind {
	/* engine to keeper */
	MESSAGE_READY,         /* in service */
	MESSAGE_ALIVE,         /* once a second */
	MESSAGE_RELOAD_WANTED, /* somebody asked for it on the control socket */
	MESSAGE_RELOADED,      /* the configuration that was sent is in force */
	/* in either direction; text: why.  From the keeper, what is wrong with the file */
	MESSAGE_RELOAD_REFUSED,
	/* keeper to engine */
	MESSAGE_STOP,     /* hand over, give everything back, end */
	MESSAGE_STOP_NOW, /* the same without waiting for a successor */
	MESSAGE_RELOAD,   /* with an fd: a configuration, checked, its secrets included */
};

struct message {
	enum message_kind kind;
	int fd; /* with MESSAGE_RELOAD, and the receiver's to close; else -1 */
	char text[CHANNEL_TEXT_MAX];
};

/* Both ends close on exec and never block. */
int channel_open(int ret_fds[2]);

/* text may be NULL; fd -1 if none.  0 or -errno. */
int channel_send(int channel, enum message_kind kind, const char *text, int fd);

/*
 * 1: a message.  0: nothing there.  -EPIPE: the other end is gone.  Otherwise -errno.
 * The one that takes no descriptors is for the keeper: whatever an engine that has
 * gone wrong sends along is closed before it arrives.
 */
int channel_receive(int channel, struct message *ret_message);
int channel_receive_with_fd(int channel, struct message *ret_message);

#endif
