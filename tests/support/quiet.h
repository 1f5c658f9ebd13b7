/* Callbacks that hear nothing and find all well, for the sinks and the owners of a store whose tests are about others. */
#ifndef TW_TEST_QUIET_H
#define TW_TEST_QUIET_H

#include "pipeline/publish/sink.h"
#include "store/store.h"

static inline tw_code quiet_flush(tw_sink *sink, tw_err *err) {
    (void)sink, (void)err;
    return TW_OK;
}
static inline void quiet_position(tw_sink *sink, tw_buf *out) {
    (void)sink, (void)out;
}
static inline tw_code quiet_resume(tw_sink *sink, tw_slice bytes, tw_err *err) {
    (void)sink, (void)bytes, (void)err;
    return TW_OK;
}

static inline void quiet_load_delete(void *self, tw_table table, uint32_t row) {
    (void)self, (void)table, (void)row;
}
static inline tw_code quiet_load_meta(void *self, const char *name, tw_slice bytes, tw_err *err) {
    (void)self, (void)name, (void)bytes, (void)err;
    return TW_OK;
}
static inline tw_code quiet_load_log(void *self, uint32_t log, uint64_t bucket, tw_slice bytes, tw_err *err) {
    (void)self, (void)log, (void)bucket, (void)bytes, (void)err;
    return TW_OK;
}

#endif
