/*
 * One line out, one line in, over the control socket (doc/control-protocol.md).
 */
#ifndef CARPD_CARPCTL_REQUEST_H
#define CARPD_CARPCTL_REQUEST_H

#include <stddef.h>

#define REQUEST_ANSWER_MAX (16U << 20)

/*
 * Sends the line (which ends in a newline) and reads the answer, without its
 * newline and with a final zero; the caller frees it.  0 or -errno: -ENOTSOCK,
 * -ETIMEDOUT, -EMSGSIZE (an answer above the limit), -ENODATA (hung up without
 * an answer), -EPROTO (hung up within it), or what the system said.
 */
int request_exchange(const char *socket_path, const char *line, int timeout_s, char **ret_answer,
                     size_t *ret_length);

#endif
