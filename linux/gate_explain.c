/*
 * Why there is no gate, in words that name what would help.
 */
#include "gate_private.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "sandbox.h"

#define WORDS_MAX 160

/* One at a time: who asks says it, or keeps it for as long as there is no gate. */
static char text[512];

static const char *kernel_release(void)
{
	static struct utsname kernel;

	return uname(&kernel) == 0 ? kernel.release : "?";
}

static bool is_figure(const char *line)
{
	static const char *const begins[] = {"processed ", "verification time ", "stack depth ",
	                                     "peak_states "};

	for (size_t i = 0; i < sizeof(begins) / sizeof(begins[0]); i++)
		if (strncmp(line, begins[i], strlen(begins[i])) == 0)
			return true;
	return false;
}

/* The complaint is the last line before the figures that end a log. */
static int find_last_words(const char *log, const char **ret_words)
{
	size_t bytes = 0;

	for (const char *line = log; *line != '\0'; line += strcspn(line, "\n"), line += *line == '\n') {
		if (*line == '\n' || is_figure(line))
			continue;
		*ret_words = line;
		bytes = strcspn(line, "\n");
	}
	return (int)(bytes < WORDS_MAX ? bytes : WORDS_MAX);
}

static bool lacks(int capability)
{
	/* Which stands for both of the others. */
	return !sandbox_has_capability(capability) && !sandbox_has_capability(CAP_SYS_ADMIN);
}

const char *gate_explain_refusal(const char *program, const char *log)
{
	const char *words = "";
	int bytes = find_last_words(log, &words);

	snprintf(text, sizeof(text), "the verifier of Linux %s refuses %s: \"%.*s\"; %s", kernel_release(),
	         program, bytes, words,
	         lacks(CAP_PERFMON) ? "this process lacks CAP_PERFMON" : "that is a fault to be reported");
	return text;
}

static const char *explain_rights(void)
{
	const char *bpf = lacks(CAP_BPF) ? " CAP_BPF" : "";
	const char *perfmon = lacks(CAP_PERFMON) ? " CAP_PERFMON" : "";
	const char *net_admin = sandbox_has_capability(CAP_NET_ADMIN) ? "" : " CAP_NET_ADMIN";

	if (*bpf || *perfmon || *net_admin)
		snprintf(text, sizeof(text), "loading it takes rights that this process lacks:%s%s%s", bpf,
		         perfmon, net_admin);
	else
		snprintf(text, sizeof(text),
		         "this process has the rights, but Linux %s forbids it: locked down, or (before "
		         "5.11) too "
		         "little memory that may be locked (ulimit -l, LimitMEMLOCK=)",
		         kernel_release());
	return text;
}

const char *gate_explain_load(int error)
{
	switch (error) {
	case -EPERM:
	case -EACCES:
		return explain_rights();
	case -ENOSYS:
		return "the kernel has no BPF";
	case -ENOMEM:
		return "out of memory";
	default:
		snprintf(text, sizeof(text), "Linux %s lacks what it is made of; 5.10 or later is needed",
		         kernel_release());
		return text;
	}
}

const char *gate_explain_attach(int error, const char *link_name)
{
	switch (error) {
	case -ENOSPC:
		snprintf(text, sizeof(text), "the gate has room for %d interfaces", GATE_PORTS_MAX);
		return text;
	case -EEXIST:
		snprintf(text, sizeof(text),
		         "it has a qdisc of kind ingress, where the gate needs clsact, which takes the same "
		         "filters; "
		         "replace it: tc qdisc del dev %s ingress; tc qdisc add dev %s clsact",
		         link_name, link_name);
		return text;
	case -EBUSY:
		snprintf(text, sizeof(text),
		         "a filter of another kind or protocol has priority 1 of clsact, which the gate "
		         "needs; give "
		         "it a higher number: tc filter show dev %s ingress; tc filter show dev %s egress",
		         link_name, link_name);
		return text;
	case -EOPNOTSUPP:
		return "its filters are a block that it shares with other interfaces; give it a clsact of "
		       "its own";
	case -ENOENT:
		return "the kernel has neither tcx nor clsact with BPF filters (CONFIG_NET_SCH_INGRESS, "
		       "CONFIG_NET_CLS_BPF)";
	case -ERANGE:
		return "as many programs as the kernel takes are there already (bpftool net)";
	default:
		return strerror(-error);
	}
}
