/*
 * What carpd has put into the kernel, taken out again by those who did not put it there.
 */
#ifndef CARPD_CLEAN_H
#define CARPD_CLEAN_H

struct gate;

/*
 * Removes all addresses, routes, bridge entries and gates that bear our mark, and
 * says so behind the words of occasion.  0 or -errno, which is in the log too.
 */
int clean_kernel(const char *occasion);

/* When the engine is dead: its gates (NULL: none) are shut and stay, its addresses go. */
void clean_after_engine(struct gate *gate);

/* `carpd --clean`: removes what a killed run left.  Returns the exit status. */
int clean_run(void);

#endif
