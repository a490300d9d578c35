#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "config_check.h"
#include "config_group.h"
#include "config_read.h"
#include "config_report.h"
#include "config_secret.h"
#include "config_value.h"

const char *const config_mac_words[] = {
        [CONFIG_MAC_AUTO] = "auto",
        [CONFIG_MAC_VIRTUAL] = "virtual",
        [CONFIG_MAC_INTERFACE] = "interface",
        NULL,
};

const char *const config_seal_words[] = {
        [SEAL_OFF] = "off",
        [SEAL_OFFER] = "offer",
        [SEAL_REQUIRE] = "require",
        NULL,
};

static const struct config host_defaults = {
        .user = "carpd",
        .control_path = "/run/carpd/control",
        .state_directory = "/var/lib/carpd",
        .realtime = true,
        .sandbox = true,
        .handover_wait_ms = 1000,
        .grace_s = 60,
};

static const struct config_group group_defaults = {
        .advbase = 1,
        .demotion_group = "host",
        .mac = CONFIG_MAC_AUTO,
        .hash_link_local = DIGEST_WITHOUT_LINK_LOCAL,
        .ttl_check = true,
        .seal = SEAL_OFFER,
        .seal_window_s = 5,
};

static void read_host(struct config_parser *p, cfg_t *root)
{
	struct config_report *report = &p->report;
	struct config *config = p->config;

	config_value_name(report, root, "user", sizeof(config->user), config->user);
	config_value_path(report, root, "control", sizeof(((struct sockaddr_un *)NULL)->sun_path),
	                  config->control_path);
	config_value_path(report, root, "state-directory", sizeof(config->state_directory),
	                  config->state_directory);
	config_value_bool(report, root, "realtime", &config->realtime);
	config_value_bool(report, root, "sandbox", &config->sandbox);
	config_value_number(report, root, "handover-wait", (struct config_range){0, 60000, " (milliseconds)"},
	                    &config->handover_wait_ms);
	config_value_number(report, root, "grace", (struct config_range){0, CONFIG_DAY_S, " (seconds)"},
	                    &config->grace_s);
}

static void read_tree(struct config_parser *p, const struct config_tree *tree)
{
	unsigned int count = cfg_size(tree->root, "group");

	p->defaults = group_defaults;
	*p->config = host_defaults;
	read_host(p, tree->root);
	config_group_read_common(p, tree->root, &p->defaults);
	if (count == 0) {
		config_error(&p->report, 0, "no group; write at least one: group NAME { ... }");
		return;
	}
	p->config->groups = calloc(count, sizeof(*p->config->groups));
	if (p->config->groups == NULL) {
		config_error(&p->report, 0, "out of memory");
		return;
	}
	for (unsigned int i = 0; i < count; i++)
		config_group_read(p, cfg_getnsec(tree->root, "group", i), tree->scan.block_lines[i]);
	config_check_gate(&p->report, p->config);
}

struct config *config_parse(FILE *file, const char *path, FILE *errors)
{
	struct config_parser p = {.report.path = path, .config = calloc(1, sizeof(*p.config))};
	struct config_tree tree;

	p.report.is_no_file = fileno(file) < 0; /* in memory: put together from options */
	p.is_exposed = config_secret_is_exposed(file, &p.mode);
	if (p.config == NULL) {
		config_error(&p.report, 0, "out of memory");
	} else if (config_read(file, &p.report, &tree)) {
		p.is_misspelt = p.report.error_count > 0;
		read_tree(&p, &tree);
		config_read_free(&tree);
	}
	config_report_flush(&p.report, errors);
	if (p.report.error_count > 0) {
		config_free(p.config);
		return NULL;
	}
	return p.config;
}

struct config *config_load(const char *path, FILE *errors)
{
	FILE *file = fopen(path, "re");
	struct config *config;

	if (file == NULL) {
		fprintf(errors, "%s: cannot be opened: %s\n", path, strerror(errno));
		return NULL;
	}
	config = config_parse(file, path, errors);
	fclose(file);
	return config;
}

void config_free(struct config *config)
{
	if (config == NULL)
		return;
	for (size_t i = 0; i < config->group_count; i++) {
		struct config_group *group = &config->groups[i];
		free(group->addresses);
		free(group->peers);
		free(group->routes);
		if (group->keys != NULL)
			explicit_bzero(group->keys, SEAL_KEYS_MAX * sizeof(*group->keys));
		free(group->keys);
		explicit_bzero(group, sizeof(*group));
	}
	free(config->groups);
	free(config);
}
