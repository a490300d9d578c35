/*
 * The engine's actions carried out, in the order in which carpd/engine/perform.c does it:
 * gates are shut, addresses come and go, then adverts leave.
 */
#ifndef CARPSIM_PERFORM_H
#define CARPSIM_PERFORM_H

struct host;

/* Until none is left: what comes of an action may ask for more. */
/* The engine hears of what the kernel has taken and routes. */
void perform_look_for_routes(struct host *host);
void perform_all(struct host *host);

#endif
