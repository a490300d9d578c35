#include "run.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "usage.h"

#define PASSPHRASE_VARIABLE "CARPD_PASSPHRASE"

static void print_help(FILE *out)
{
	fputs("usage: carpd run -i INTERFACE -V VHID [-p FILE] [-b ADVBASE] [-k ADVSKEW] [--preempt]\n"
	      "                 [-m auto|virtual|interface] [-s CONTROL] ADDRESS[/PREFIX]...\n"
	      "\n"
	      "  -i, --interface NAME         where the address is shared\n"
	      "  -V, --vhid ID                1..255, the same on all hosts, unique on the network\n"
	      "  -p, --passphrase-file FILE   its first line, the same on all hosts; without it the\n"
	      "                               environment's " PASSPHRASE_VARIABLE "\n"
	      "  -b, --advbase SECONDS        an advert this often (1)\n"
	      "  -k, --advskew N              the lower one is master (0)\n"
	      "      --preempt                take over from a host with a higher advskew\n"
	      "  -m, --mac WHICH              the virtual MAC or the interface's own (auto)\n"
	      "  -s, --control PATH           where carpctl asks (/run/carpd/control)\n",
	      out);
}

struct run_options {
	const char *interface;
	const char *vhid;
	const char *passphrase_file;
	const char *advbase;
	const char *advskew;
	const char *mac;
	const char *control;
	bool preempt;
};

/* A value inside quotes, so that whatever was typed stays one value. */
static void print_quoted(FILE *out, const char *value)
{
	fputc('"', out);
	for (; *value != '\0'; value++) {
		if (*value == '"' || *value == '\\')
			fputc('\\', out);
		fputc(*value, out);
	}
	fputc('"', out);
}

static void print_option(FILE *out, const char *word, const char *value)
{
	if (value == NULL)
		return;
	fprintf(out, "%s = ", word);
	print_quoted(out, value);
	fputc('\n', out);
}

static bool print_passphrase(FILE *out, const struct run_options *options)
{
	const char *passphrase = getenv(PASSPHRASE_VARIABLE);

	if (options->passphrase_file != NULL) {
		char *path = realpath(options->passphrase_file, NULL);
		print_option(out, "passphrase-file", path != NULL ? path : options->passphrase_file);
		free(path);
		return true;
	}
	if (passphrase == NULL) {
		fputs("carpd run: no passphrase; give -p FILE, or set " PASSPHRASE_VARIABLE "\n", stderr);
		return false;
	}
	print_option(out, "passphrase", passphrase);
	return true;
}

static bool print_config(FILE *out, const struct run_options *options, char **addresses, int count)
{
	print_option(out, "control", options->control);
	fputs("group run {\n", out);
	print_option(out, "interface", options->interface);
	print_option(out, "mac", options->mac);
	print_option(out, "vhid", options->vhid);
	print_option(out, "advbase", options->advbase);
	print_option(out, "advskew", options->advskew);
	if (!print_passphrase(out, options))
		return false;
	fprintf(out, "preempt = %s\naddresses = {", options->preempt ? "true" : "false");
	for (int i = 0; i < count; i++) {
		fputs(i > 0 ? ", " : " ", out);
		print_quoted(out, addresses[i]);
	}
	fputs(" }\n}\n", out);
	return true;
}

static struct config *parse(const struct run_options *options, char **addresses, int count)
{
	char *text = NULL;
	size_t length = 0;
	struct config *config = NULL;
	FILE *out = open_memstream(&text, &length);

	if (out == NULL)
		return NULL;
	bool complete = print_config(out, options, addresses, count);
	fclose(out);
	if (complete) {
		FILE *in = fmemopen(text, length, "r");
		if (in != NULL) {
			config = config_parse(in, "carpd run", stderr);
			fclose(in);
		}
	}
	explicit_bzero(text, length);
	free(text);
	return config;
}

int run_config(int argc, char **argv, struct config **ret_config)
{
	static const struct option known[] = {
	        {"interface", required_argument, NULL, 'i'},
	        {"vhid", required_argument, NULL, 'V'},
	        {"passphrase-file", required_argument, NULL, 'p'},
	        {"advbase", required_argument, NULL, 'b'},
	        {"advskew", required_argument, NULL, 'k'},
	        {"preempt", no_argument, NULL, 'P'},
	        {"mac", required_argument, NULL, 'm'},
	        {"control", required_argument, NULL, 's'},
	        {"help", no_argument, NULL, 'h'},
	        {NULL, 0, NULL, 0},
	};
	struct run_options options = {0};
	int option;

	*ret_config = NULL;
	opterr = 0;
	while ((option = getopt_long(argc, argv, ":i:V:p:b:k:m:s:h", known, NULL)) != -1) {
		switch (option) {
		case 'i':
			options.interface = optarg;
			break;
		case 'V':
			options.vhid = optarg;
			break;
		case 'p':
			options.passphrase_file = optarg;
			break;
		case 'b':
			options.advbase = optarg;
			break;
		case 'k':
			options.advskew = optarg;
			break;
		case 'P':
			options.preempt = true;
			break;
		case 'm':
			options.mac = optarg;
			break;
		case 's':
			options.control = optarg;
			break;
		case 'h':
			print_help(stdout);
			return EXIT_SUCCESS;
		default:
			usage_explain("carpd run", known, option, argv);
			return 2;
		}
	}
	if (options.interface == NULL || options.vhid == NULL || optind == argc) {
		fputs("carpd run: an interface, a vhid and at least one address are needed\n", stderr);
		print_help(stderr);
		return 2;
	}
	*ret_config = parse(&options, argv + optind, argc - optind);
	return EXIT_FAILURE;
}
