#include "config_read.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "config_option.h"

#define TEXT_MAX    (16U << 20)
#define UNKNOWN_MAX 32
/* With the word that begins a group, and libconfuse's end. */
#define DECLARED_MAX (CONFIG_OPTIONS_MAX + UNKNOWN_MAX + 2)
#define GIVEN        (1 << 29) /* our own bit in libconfuse's option flags */

struct unknown {
	char *word;
	bool in_group;
};

struct reader {
	struct config_report *report;
	struct unknown unknown[UNKNOWN_MAX];
	size_t unknown_count;
	bool again; /* a new unknown word was met: libconfuse stopped there */
};

/* libconfuse hands no pointer to its callbacks; its lexer is global anyway. */
static struct reader *reading;

static bool is_known_unknown(const char *word, bool in_group)
{
	for (size_t i = 0; i < reading->unknown_count; i++)
		if (reading->unknown[i].in_group == in_group && strcmp(reading->unknown[i].word, word) == 0)
			return true;
	return false;
}

static void note_unknown(const char *word, bool in_group, int line)
{
	struct reader *r = reading;

	/* A word that is still unknown after it was declared would be met for ever. */
	if (is_known_unknown(word, in_group))
		return;
	config_option_refuse(r->report, word, in_group, line);
	if (r->unknown_count == UNKNOWN_MAX)
		return;
	r->unknown[r->unknown_count] = (struct unknown){strdup(word), in_group};
	if (r->unknown[r->unknown_count].word == NULL)
		return;
	r->unknown_count++;
	r->again = true;
}

static const char *advice_on(const char *complaint)
{
	static const struct {
		const char *start, *advice;
	} known[] = {
	        {"missing equal sign", "write: word = value"},
	        {"missing opening brace", "write: group NAME { ... }"},
	        {"missing title", "write: group NAME { ... }"},
	        {"premature end", "the last word has no value"},
	        {"attempt to append", "write = instead of +="},
	        {"unexpected token", "write word = value, or word = { value, value } for a list"},
	        {"invalid octal", "write \\\\ for a backslash"},
	        {"bad escape", "write \\\\ for a backslash"},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strncmp(complaint, known[i].start, strlen(known[i].start)) == 0)
			return known[i].advice;
	return "see carpd.conf(5)";
}

static void hide_controls(char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < 0x20 || (unsigned char)*text >= 0x7f)
			*text = '?';
}

static bool starts(const char *text, const char *start)
{
	return strncmp(text, start, strlen(start)) == 0;
}

/* Its words arrive untranslated: setlocale is never called. */
__attribute__((format(printf, 2, 0))) static void take_complaint(cfg_t *section, const char *format,
                                                                 va_list arguments)
{
	bool in_group = section->title != NULL;
	char text[160];
	va_list copy;

	reading->report->group = section->title;
	va_copy(copy, arguments);
	if (starts(format, "no such option")) {
		note_unknown(va_arg(copy, const char *), in_group, section->line);
	} else if (starts(format, "found duplicate title")) {
		reading->report->group = va_arg(copy, const char *);
		config_error(reading->report, section->line,
		             "there is a group of this name already; names must differ");
	} else if (!starts(format, "missing equal sign") ||
	           !is_known_unknown(va_arg(copy, const char *), in_group)) {
		vsnprintf(text, sizeof(text), format, arguments);
		hide_controls(text);
		config_error(reading->report, section->line, "%s; %s", text, advice_on(format));
	}
	va_end(copy);
	reading->report->group = NULL;
}

static int take_value(cfg_t *section, cfg_opt_t *option, const char *value, void *result)
{
	size_t bytes = strlen(value) + 1;
	struct config_word *word = malloc(sizeof(*word) + bytes);

	if (word == NULL) {
		config_error(reading->report, section->line, "out of memory");
		return -1;
	}
	word->line = section->line;
	/* After "=" the first value finds an empty list; "+=" goes on where it was. */
	word->repeated = (option->flags & GIVEN) != 0 && option->nvalues == 1;
	memcpy(word->text, value, bytes);
	option->flags |= GIVEN;
	*(struct config_word **)result = word;
	return 0;
}

static void free_value(void *value)
{
	struct config_word *word = value;

	explicit_bzero(word->text, strlen(word->text));
	free(word);
}

static void declare(cfg_opt_t *options, size_t *count, const char *word, bool is_list)
{
	cfg_flag_t flags = is_list ? CFGF_LIST | CFGF_NODEFAULT : CFGF_NODEFAULT;

	options[(*count)++] = (cfg_opt_t)CFG_PTR_CB(word, NULL, flags, take_value, free_value);
}

static void declare_all(cfg_opt_t *options, bool in_group, cfg_opt_t *group_options)
{
	size_t count = 0;

	for (const struct config_option *known = config_options; known->word != NULL; known++)
		if (config_option_fits(known, in_group))
			declare(options, &count, known->word, known->is_list);
	for (size_t i = 0; i < reading->unknown_count; i++)
		if (reading->unknown[i].in_group == in_group)
			declare(options, &count, reading->unknown[i].word, true);
	if (!in_group)
		options[count++] = (cfg_opt_t)CFG_SEC(CONFIG_SECTION_WORD, group_options,
		                                      CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES);
	options[count] = (cfg_opt_t)CFG_END();
}

static cfg_t *parse_once(char *text, size_t length, bool *ret_good)
{
	cfg_opt_t group_options[DECLARED_MAX];
	cfg_opt_t host_options[DECLARED_MAX];
	FILE *file = fmemopen(text, length, "r");
	cfg_t *root;

	declare_all(group_options, true, NULL);
	declare_all(host_options, false, group_options);
	root = cfg_init(host_options, CFGF_NONE);
	if (file == NULL || root == NULL) {
		config_error(reading->report, 0, "out of memory");
		*ret_good = false;
	} else {
		cfg_set_error_function(root, take_complaint);
		*ret_good = cfg_parse_fp(root, file) == CFG_SUCCESS;
	}
	if (file != NULL)
		fclose(file);
	return root;
}

/* Again after each unknown word, which the next time is declared: so that all are found in one run. */
static cfg_t *parse(char *text, size_t length)
{
	for (;;) {
		bool good;
		cfg_t *root;

		reading->again = false;
		root = parse_once(text, length, &good);
		if (good)
			return root;
		if (root != NULL)
			cfg_free(root);
		if (!reading->again)
			return NULL;
	}
}

static void report_repeated(cfg_t *section, struct config_report *report)
{
	report->group = section->title;
	for (cfg_opt_t *option = section->opts; option->name != NULL; option++) {
		const struct config_word *word;

		if (option->type != CFGT_PTR || option->nvalues == 0)
			continue;
		word = cfg_opt_getnptr(option, 0);
		if (word->repeated)
			config_error(report, word->line, "%s is given twice; keep one", option->name);
	}
	report->group = NULL;
}

static char *read_all(FILE *file, struct config_report *report, size_t *ret_length)
{
	size_t room = 4096, length = 0;
	char *text = malloc(room + 1);

	while (text != NULL) {
		char *larger;

		length += fread(text + length, 1, room - length, file);
		if (length < room || room > TEXT_MAX)
			break;
		/* Not realloc: it would leave a passphrase behind in what it frees. */
		larger = malloc(2 * room + 1);
		if (larger != NULL)
			memcpy(larger, text, length);
		explicit_bzero(text, length);
		free(text);
		text = larger;
		room *= 2;
	}
	if (text == NULL) {
		config_error(report, 0, "out of memory");
		return NULL;
	}
	if (ferror(file) || length > TEXT_MAX) {
		if (ferror(file))
			config_error(report, 0, "cannot be read: %s", strerror(errno));
		else
			config_error(report, 0, "is larger than %u MiB; that is no configuration",
			             TEXT_MAX >> 20);
		explicit_bzero(text, length);
		free(text);
		return NULL;
	}
	text[length] = '\0';
	*ret_length = length;
	return text;
}

static bool parse_text(char *text, size_t length, struct config_report *report, struct config_tree *ret_tree)
{
	struct reader reader = {.report = report};
	struct config_tree tree;

	if (!config_scan_text(text, length, report, &tree.scan))
		return false;
	reading = &reader;
	tree.root = parse(text, length);
	for (size_t i = 0; i < reader.unknown_count; i++)
		free(reader.unknown[i].word);
	reading = NULL;
	if (tree.root == NULL) {
		/* libconfuse gives some texts up without a word, and no error would mean a good
		 * configuration. */
		if (report->error_count == 0)
			config_error(report, 0, "cannot be understood; look for a bracket or quote too many");
		config_scan_free(&tree.scan);
		return false;
	}
	report_repeated(tree.root, report);
	for (unsigned int i = 0; i < cfg_size(tree.root, CONFIG_SECTION_WORD); i++)
		report_repeated(cfg_getnsec(tree.root, CONFIG_SECTION_WORD, i), report);
	*ret_tree = tree;
	return true;
}

bool config_read(FILE *file, struct config_report *report, struct config_tree *ret_tree)
{
	size_t length = 0;
	char *text = read_all(file, report, &length);
	bool good;

	if (text == NULL)
		return false;
	if (length == 0)
		text[length++] = '\n'; /* fmemopen takes no empty text */
	good = parse_text(text, length, report, ret_tree);
	explicit_bzero(text, length);
	free(text);
	return good;
}

void config_read_free(struct config_tree *tree)
{
	config_scan_free(&tree->scan);
	cfg_free(tree->root);
	tree->root = NULL;
}

const struct config_word *config_read_word(cfg_t *section, const char *option, unsigned int index)
{
	return cfg_opt_getnptr(cfg_getopt(section, option), index);
}
