/*
 * The configuration file, checked and complete: defaults are filled in, secrets
 * are read.  Printing it and parsing what was printed gives the same again.
 */
#ifndef CARPD_CONFIG_H
#define CARPD_CONFIG_H

#include <net/if.h>
#include <stdbool.h>
#include <stdio.h>

#include "core/address.h"
#include "core/digest.h"
#include "core/seal.h"
#include "linux/rtnl.h"

#define CONFIG_NAME_MAX   32 /* of a group, with the final zero */
#define CONFIG_PATH_MAX   256
#define CONFIG_PEERS_MAX  16
#define CONFIG_ROUTES_MAX 16

enum config_mac {
	CONFIG_MAC_AUTO, /* virtual where the gate can be attached, else interface */
	CONFIG_MAC_VIRTUAL,
	CONFIG_MAC_INTERFACE,
};

/* How they are written, by value; NULL ends the list. */
extern const char *const config_mac_words[];
extern const char *const config_seal_words[];

/* One of `keys = { "1:/etc/carpd/wan.key" }`, "1:hex:0123..." or "passphrase", which has id 0; the first
 * is the one we send with. */
struct config_key {
	uint8_t id;
	uint8_t bytes[SEAL_KEY_BYTES];
	char path[CONFIG_PATH_MAX]; /* empty: given in the file itself */
};

struct config_group {
	char name[CONFIG_NAME_MAX];
	char interface[IFNAMSIZ];
	uint8_t vhid;
	uint8_t advbase;
	uint8_t advskew;
	bool preempt;
	int preempt_delay_s;
	char demotion_group[CONFIG_NAME_MAX]; /* "host" unless split */
	enum config_mac mac;
	enum digest_form hash_link_local; /* the form we send */
	bool ttl_check;
	struct shared_address *addresses; /* sorted, IPv4 first; at least one */
	size_t address_count;
	struct address source_ipv4; /* FAMILY_NONE: chosen among the interface's own */
	struct address source_ipv6;
	struct address *peers; /* none: multicast */
	size_t peer_count;
	struct rtnl_route *routes; /* there while this host serves the group */
	size_t route_count;
	struct passphrase passphrase;
	char passphrase_file[CONFIG_PATH_MAX]; /* empty: given in the file itself */
	enum seal_policy seal;
	struct config_key *keys; /* none: the passphrase's alone */
	size_t key_count;
	int seal_window_s; /* 0: a first sequence is not held against the clock */
	int line;          /* where it stands in the file, for errors */
};

struct config {
	char user[CONFIG_NAME_MAX]; /* the engine's */
	char control_path[CONFIG_PATH_MAX];
	char state_directory[CONFIG_PATH_MAX];
	bool realtime;               /* SCHED_FIFO and locked memory for the engine */
	bool sandbox;                /* seccomp */
	int handover_wait_ms;        /* how long a stop or hand-over waits for a successor */
	int grace_s;                 /* how long an old passphrase or address set stays accepted */
	struct config_group *groups; /* in the order of the file */
	size_t group_count;
};

/*
 * Hidden secrets stand in files: the files' names are printed.  A passphrase or
 * key that the text itself held is printed with it in both forms, because
 * without it the text would mean something else; who can read the one can read
 * the other.
 */
enum config_secrets {
	CONFIG_HIDE_SECRETS, /* for people: carpd -nv */
	CONFIG_SHOW_SECRETS, /* everything in the text itself: from keeper to engine only */
};

/*
 * Reads a whole file (path is used in messages only).  Every error goes to
 * errors as "path:line: what is wrong; what would be right", all that can be
 * found in one run, in the order of the lines.  Returns NULL if there was any.
 * Warnings are "path:line: warning: ..." and do no harm.  Files with secrets are
 * looked for in the folder of path.  Free with config_free.
 */
struct config *config_parse(FILE *file, const char *path, FILE *errors);

/* The same of a file by name: opens it, and says why it cannot be opened. */
struct config *config_load(const char *path, FILE *errors);

void config_free(struct config *config);

/* With every default, as a file that config_parse takes and understands the same. */
void config_print(const struct config *config, enum config_secrets secrets, FILE *out);

#endif
