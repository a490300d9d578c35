/*
 * What outlives the daemon, on its way to the disk.  A disk may be slow, stand still
 * for minutes, or be a pipe that nobody reads: neither the engine nor the keeper has the
 * time, so a process of its own does each write.
 */
#ifndef CARPD_WRITER_H
#define CARPD_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "channel.h"
#include "carpd/config/config.h"

struct writer {
	char directory[CONFIG_PATH_MAX];
	uid_t uid; /* who the files belong to */
	gid_t gid;
	pid_t pid;             /* 0: nothing is being written */
	enum message_kind job; /* what is, and its number */
	uint32_t number;
	/* What comes next; something newer takes its place. */
	bool has_seals, has_maintenance;
	char *seals;
	size_t seals_length;
	uint32_t seals_number, maintenance_number;
};

/*
 * Begins to write (or waits for what is being written) what the engine's message of
 * that number says (channel.h).  The engine is answered over channel with the same
 * number, and the reason if it could not be written.  text is copied.
 */
void writer_keep_seals(struct writer *writer, int channel, uint32_t number, const char *text, size_t length);
void writer_keep_maintenance(struct writer *writer, int channel, uint32_t number);

/* The process pid has ended with that status; if it was the writer's, the next begins. */
void writer_ended(struct writer *writer, int channel, pid_t pid, int status);

bool writer_is_busy(const struct writer *writer);
/* What is still being written goes on by itself. */
void writer_close(struct writer *writer);

#endif
