/*
 * The engine's actions carried out, in the order in which carpd/perform.c does it:
 * gates are shut, addresses come and go, then adverts leave.
 */
#ifndef CARPSIM_PERFORM_H
#define CARPSIM_PERFORM_H

struct host;

/* Until none is left: what comes of an action may ask for more. */
void perform_all(struct host *host);

#endif
