/* Validation rules with a name each (TW_REASON_LIST): what an event must be to be believed. Thread: any. */
#ifndef TW_CLEAN_RULES_H
#define TW_CLEAN_RULES_H

#include "base/event.h"

/* The first rule that the event breaks, NONE when it is good. now_ms + skew_max_ms is the latest believable event time. */
tw_reason tw_rules_check(const tw_event *event, int64_t now_ms, int64_t skew_max_ms);

#endif
