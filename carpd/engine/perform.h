/*
 * The engine's actions, carried out.
 */
#ifndef CARPD_PERFORM_H
#define CARPD_PERFORM_H

#include "daemon.h"

/*
 * Until none is left, since results are events that may ask for more.  Within a
 * turn gates are shut first, then all addresses go to the kernel in one batch,
 * then come the adverts with what follows them: so 255 groups that rise together
 * cost one system call for their addresses and not 255.
 */
void perform_all(struct daemon *daemon);

#endif
