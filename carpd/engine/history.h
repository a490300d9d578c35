/*
 * What happened and why: the log, and the latest of it kept for `carpctl log`.
 */
#ifndef CARPD_HISTORY_H
#define CARPD_HISTORY_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "carpd/config/config.h"
#include "core/engine.h"
#include "carpd/log/text.h"

#define HISTORY_MAX 256

struct history_entry {
	int64_t wall_ns;
	char group[CONFIG_NAME_MAX]; /* empty: the whole host */
	const char *event;           /* as in doc/control-protocol.md */
	const char *from, *to;       /* states, or NULL */
	char text[TEXT_SENTENCE_MAX];
};

struct history {
	struct history_entry ring[HISTORY_MAX];
	size_t count;
	size_t next;
};

/* One line in the log and one entry.  group may be NULL. */
void history_note(struct history *history, int64_t wall_ns, const char *group, const char *event,
                  const char *format, ...) __attribute__((format(printf, 5, 6)));

/* A report of the engine in words. */
void history_report(struct history *history, const struct engine *engine, const struct action *action,
                    instant now);

/* The newest count entries, oldest first, as in doc/control-protocol.md. */
json_t *history_json(const struct history *history, size_t count);
/* The last transition of a group, or JSON null. */
json_t *history_last_transition(const struct history *history, const char *group);

#endif
