/*
 * The control socket's place in the file system, made by root before the engine serves it.
 */
#ifndef CARPD_CONTROL_BIND_H
#define CARPD_CONTROL_BIND_H

/*
 * A listening socket at path, in place of one that nobody listens on any more.
 * The fd, or -errno: -EADDRINUSE if somebody does, -EEXIST if it is no socket.
 */
int control_bind(const char *path);

#endif
