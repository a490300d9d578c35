#include "state.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "text.h"

#define RESERVE_NS       (30 * (uint64_t)NS_PER_S)
#define RESERVE_AGAIN_NS (10 * (uint64_t)NS_PER_S)
#define PATH_BYTES       (CONFIG_PATH_MAX + 32)

static void path_of(const struct state *state, const char *name, char path[PATH_BYTES])
{
	snprintf(path, PATH_BYTES, "%s/%s", state->directory, name);
}

static FILE *open_seals(const struct state *state)
{
	char path[PATH_BYTES];

	path_of(state, "seals", path);
	return fopen(path, "re");
}

void state_open(struct state *state, const char *directory)
{
	snprintf(state->directory, sizeof(state->directory), "%s", directory);
	FILE *file = open_seals(state);
	if (file == NULL) {
		if (errno != ENOENT)
			log_warning("%s/seals: %s; replays from before this start will not be recognised",
			            directory, strerror(errno));
		return;
	}
	if (fscanf(file, "sequence %" SCNu64, &state->reserved_sequence) != 1)
		state->reserved_sequence = 0;
	fclose(file);
}

bool state_maintenance(const struct state *state)
{
	char path[PATH_BYTES];

	path_of(state, "maintenance", path);
	return access(path, F_OK) == 0;
}

int state_set_maintenance(const struct state *state, bool on)
{
	char path[PATH_BYTES];

	path_of(state, "maintenance", path);
	if (!on)
		return unlink(path) < 0 && errno != ENOENT ? -errno : 0;
	int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

static void write_marks(FILE *file, const struct engine *engine)
{
	char address[TEXT_ADDRESS_MAX];

	for (size_t i = 0; i < engine->settings->node_count; i++) {
		const struct node *node = &engine->nodes[i];
		size_t parent = node->vhost.group->settings->parent;
		for (size_t s = 0; s < REPLAY_SOURCES_MAX; s++) {
			const struct replay_source *source = &node->replay.sources[s];
			if (source->address.family == FAMILY_NONE)
				continue;
			fprintf(file, "mark %s %d %s %" PRIu64 "\n", engine->settings->parent_names[parent],
			        node->vhost.vhid, text_address(&source->address, address), source->highest);
		}
	}
}

static void save(const struct state *state, const struct engine *engine)
{
	char path[PATH_BYTES], fresh[PATH_BYTES];

	path_of(state, "seals", path);
	path_of(state, "seals.new", fresh);
	FILE *file = fopen(fresh, "we");
	if (file == NULL)
		return; /* told when the state was opened */
	fprintf(file, "sequence %" PRIu64 "\n", state->reserved_sequence);
	write_marks(file, engine);
	bool written = fflush(file) == 0 && ferror(file) == 0;
	fclose(file);
	if (!written || rename(fresh, path) < 0)
		unlink(fresh);
}

void state_save(struct state *state, const struct engine *engine, uint64_t sequence)
{
	state->reserved_sequence = sequence + RESERVE_NS;
	save(state, engine);
}

void state_renew(struct state *state, const struct engine *engine, instant now)
{
	uint64_t sequence =
	        engine->settings->sequence_base + (uint64_t)instant_span_ns(engine->settings->start, now);

	if (sequence < engine->sequence)
		sequence = engine->sequence;
	if (state->reserved_sequence < sequence + RESERVE_AGAIN_NS)
		state_save(state, engine, sequence);
}

void state_close(struct state *state, const struct engine *engine)
{
	/* A run that was never master has used none, but it began above what the runs before have used. */
	state->reserved_sequence = engine->settings->sequence_base;
	if (state->reserved_sequence < engine->sequence)
		state->reserved_sequence = engine->sequence;
	save(state, engine);
}

static void restore_mark(struct engine *engine, const char *interface, unsigned vhid,
                         const struct address *source, uint64_t highest, instant now)
{
	for (size_t p = 0; p < engine->settings->parent_count; p++) {
		if (strcmp(engine->settings->parent_names[p], interface) != 0 || vhid > UINT8_MAX)
			continue;
		uint16_t place = engine->parents[p].node_of[vhid];
		if (place != 0)
			replay_restore(&engine->nodes[place - 1].replay, source, highest, now);
	}
}

void state_restore_marks(const struct state *state, struct engine *engine, instant now)
{
	FILE *file = open_seals(state);
	char line[160], interface[IFNAMSIZ], text[TEXT_ADDRESS_MAX];
	struct address source;
	unsigned vhid;
	uint64_t highest;

	if (file == NULL)
		return;
	while (fgets(line, sizeof(line), file) != NULL)
		if (sscanf(line, "mark %15s %u %47s %" SCNu64, interface, &vhid, text, &highest) == 4 &&
		    text_read_address(text, &source))
			restore_mark(engine, interface, vhid, &source, highest, now);
	fclose(file);
}
