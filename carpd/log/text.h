/*
 * Values as people read them.  All but text_read_address write into the caller's buffer and return it.
 */
#ifndef CARPD_TEXT_H
#define CARPD_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/engine.h"

#define TEXT_ADDRESS_MAX  48
#define TEXT_TIME_MAX     96
#define TEXT_SENTENCE_MAX 384

/* "203.0.113.2" */
const char *text_address(const struct address *address, char text[TEXT_ADDRESS_MAX]);
/* The other way.  False if it is not the address of IPv4 or IPv6. */
bool text_read_address(const char *text, struct address *ret_address);
/* "00:00:5e:00:01:01" */
const char *text_mac(const struct mac *mac, char text[TEXT_ADDRESS_MAX]);
/* "2026-11-23T02:13:07.412+00:00", local time */
const char *text_time(int64_t wall_ns, char text[TEXT_TIME_MAX]);
/* "02:13:07.412" */
const char *text_clock(int64_t wall_ns, char text[TEXT_TIME_MAX]);
/* "3.004 s", "12 s", "1 min 26 s", "3 d 4 h" */
const char *text_span(int64_t span_ns, char text[TEXT_TIME_MAX]);
/* Why a state changed, as a sentence without an end; wall_offset_ns as in the engine. */
const char *text_cause(const struct transition *transition, int64_t wall_offset_ns,
                       char text[TEXT_SENTENCE_MAX]);
/* "It fits our passphrase without fe80::1: add that address there, or take it out here." */
/* What a node's conflict is about, without a full stop; and, in whole sentences, what would end it. */
const char *text_conflict(const struct conflict *conflict, uint8_t vhid, char text[TEXT_SENTENCE_MAX]);
/* Of a peer whose digest has the form that we do not send. */
const char *text_other_form(const struct group *group, const struct address *peer,
                            char text[TEXT_SENTENCE_MAX]);
/* Of a master that is demoted and stays master. */
const char *text_unrelieved(const struct group *group, char text[TEXT_SENTENCE_MAX]);
/* Why adverts do not leave, and what to do. */
const char *text_suspicion(const struct suspicion *suspicion, char text[TEXT_SENTENCE_MAX]);
const char *text_doubtful(const struct address *peer, char text[TEXT_SENTENCE_MAX]);
const char *text_blocked(const struct address *destination, int error, char text[TEXT_SENTENCE_MAX]);
const char *text_advice(const struct group *group, const struct node *node, char text[TEXT_SENTENCE_MAX]);

#endif
