#include "runtime.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

_Static_assert(CONFIG_PEERS_MAX <= DESTINATIONS_MAX, "the engine has room for every peer");

static size_t find_or_add_parent(struct runtime *runtime, const char *name)
{
	size_t count = runtime->settings.parent_count;

	for (size_t i = 0; i < count; i++)
		if (strcmp(runtime->parent_names[i], name) == 0)
			return i;
	runtime->parent_names[count] = name;
	runtime->settings.parent_count++;
	return count;
}

/* Scopes are numbered by the first group that names them. */
static int demotion_scope(const struct config *config, size_t group)
{
	for (size_t i = 0; i < group; i++)
		if (strcmp(config->groups[i].demotion_group, config->groups[group].demotion_group) == 0)
			return (int)i;
	return (int)group;
}

static size_t derive_keys(const struct config_group *group, struct seal_key *keys)
{
	const struct passphrase *passphrase = &group->passphrase;

	/* Key 0 is the passphrase's; those of key files count from 1. */
	if (group->key_count == 0)
		seal_key_derive(keys, 0, passphrase->bytes, passphrase->length);
	for (size_t i = 0; i < group->key_count; i++)
		if (group->keys[i].id == 0)
			seal_key_derive(&keys[i], 0, passphrase->bytes, passphrase->length);
		else
			seal_key_derive(&keys[i], group->keys[i].id, group->keys[i].bytes, SEAL_KEY_BYTES);
	return group->key_count > 0 ? group->key_count : 1;
}

static void translate(struct runtime *runtime, size_t index, struct seal_key *keys)
{
	const struct config_group *from = &runtime->config->groups[index];

	runtime->nodes[index] = (struct node_settings){.vhid = from->vhid, .advskew = from->advskew};
	runtime->groups[index] = (struct group_settings){
	        .name = from->name,
	        .parent = find_or_add_parent(runtime, from->interface),
	        .advbase = from->advbase,
	        .preempt = from->preempt,
	        .preempt_delay_ns = from->preempt_delay_s * NS_PER_S,
	        .demotion_scope = demotion_scope(runtime->config, index),
	        .ttl_check = from->ttl_check,
	        .nodes = &runtime->nodes[index],
	        .node_count = 1,
	        .addresses = from->addresses,
	        .address_count = from->address_count,
	        .peers = from->peers,
	        .peer_count = from->peer_count,
	        .passphrase = from->passphrase,
	        .digest_form = from->hash_link_local,
	        .seal = from->seal,
	        .seal_keys = keys,
	        .seal_key_count = derive_keys(from, keys),
	        .seal_window_ns = from->seal_window_s * NS_PER_S,
	};
	seal_key_derive(&runtime->groups[index].mark_key, 0, from->passphrase.bytes, from->passphrase.length);
}

static size_t count_keys(const struct config *config)
{
	size_t count = 0;

	for (size_t i = 0; i < config->group_count; i++)
		count += config->groups[i].key_count > 0 ? config->groups[i].key_count : 1;
	return count;
}

static bool allocate(struct runtime *runtime)
{
	const struct config *config = runtime->config;
	size_t count = config->group_count;

	runtime->groups = calloc(count, sizeof(runtime->groups[0]));
	runtime->nodes = calloc(count, sizeof(runtime->nodes[0]));
	runtime->parent_names = calloc(count, sizeof(runtime->parent_names[0]));
	runtime->seal_keys = calloc(count_keys(config), sizeof(runtime->seal_keys[0]));
	return runtime->groups != NULL && runtime->nodes != NULL && runtime->parent_names != NULL &&
	       runtime->seal_keys != NULL;
}

static int compare_shared(const void *address, const void *shared)
{
	return address_compare(address, &((const struct shared_address *)shared)->address);
}

bool runtime_shares(const struct group_settings *group, const struct address *address)
{
	return bsearch(address, group->addresses, group->address_count, sizeof(group->addresses[0]),
	               compare_shared) != NULL;
}

uint64_t runtime_seed(void)
{
	uint64_t seed = 0;

	/* Early after boot there may be nothing random yet, and nobody waits for it. */
	if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) != sizeof(seed)) {
		struct timespec now;
		clock_gettime(CLOCK_BOOTTIME, &now);
		seed = (uint64_t)now.tv_nsec + (uint64_t)now.tv_sec * NS_PER_S;
	}
	return seed;
}

struct runtime *runtime_create(struct config *config, uint64_t seed, uint64_t sequence_base, instant start)
{
	struct runtime *runtime = calloc(1, sizeof(*runtime));
	size_t next_key = 0;

	if (runtime == NULL)
		return NULL;
	runtime->config = config;
	if (!allocate(runtime)) {
		runtime_free(runtime);
		return NULL;
	}
	for (size_t i = 0; i < config->group_count; i++) {
		translate(runtime, i, &runtime->seal_keys[next_key]);
		next_key += runtime->groups[i].seal_key_count;
	}
	runtime->settings.groups = runtime->groups;
	runtime->settings.group_count = config->group_count;
	runtime->settings.node_count = config->group_count;
	runtime->settings.parent_names = runtime->parent_names;
	runtime->settings.handover_wait_ns = config->handover_wait_ms * NS_PER_MS;
	runtime->settings.grace_ns = config->grace_s * NS_PER_S;
	runtime->settings.seed = seed;
	runtime->settings.sequence_base = sequence_base;
	runtime->settings.start = start;
	void *memory = calloc(1, engine_bytes(&runtime->settings));
	if (memory == NULL) {
		runtime_free(runtime);
		return NULL;
	}
	runtime->engine = engine_place(memory, &runtime->settings);
	return runtime;
}

void runtime_free_retired(struct runtime *runtime)
{
	if (runtime->retired != NULL)
		runtime_free(runtime->retired);
	runtime->retired = NULL;
}

void runtime_free(struct runtime *runtime)
{
	runtime_free_retired(runtime);
	if (runtime->engine != NULL) {
		explicit_bzero(runtime->engine, engine_bytes(&runtime->settings));
		free(runtime->engine);
	}
	if (runtime->seal_keys != NULL)
		explicit_bzero(runtime->seal_keys,
		               count_keys(runtime->config) * sizeof(runtime->seal_keys[0]));
	free(runtime->seal_keys);
	free(runtime->parent_names);
	free(runtime->nodes);
	if (runtime->groups != NULL)
		explicit_bzero(runtime->groups, runtime->config->group_count * sizeof(runtime->groups[0]));
	free(runtime->groups);
	config_free(runtime->config);
	free(runtime);
}
