#ifndef CARPD_CARPCTL_KEY_H
#define CARPD_CARPCTL_KEY_H

/* Makes a key file for the seal: 64 hex digits and a newline, for its owner only.  0 or -errno. */
int key_create(const char *path);

#endif
