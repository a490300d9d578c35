/*
 * The memory in which the engine shows the keeper what is to be kept.
 */
#ifndef CARPD_STATE_PAGES_H
#define CARPD_STATE_PAGES_H

#define STATE_PAGE_BYTES (1U << 20) /* some 8000 peers */

/*
 * While the keeper may still read the one, the other can be written: only what is
 * said at the end does not wait for an answer to the last.
 */
struct state_pages {
	char text[2][STATE_PAGE_BYTES];
};

#endif
