/*
 * The control socket's place in the file system, made by root before the engine serves it.
 */
#ifndef CARPD_CONTROL_SOCKET_H
#define CARPD_CONTROL_SOCKET_H

/*
 * A listening socket at path, in place of one that nobody listens on any more.
 * The fd, or -errno: -EADDRINUSE if somebody does, -EEXIST if it is no socket.
 */
int control_socket_open(const char *path);

#endif
