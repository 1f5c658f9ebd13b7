/* Names of kinds and reasons, from the lists in the header. */
#include "base/event.h"

static const tw_slice kind_names[TW_KIND_COUNT] = {
#define KIND_NAME(name, text, doc) {text, sizeof text - 1},
    TW_KIND_LIST(KIND_NAME)
#undef KIND_NAME
};

static const char *const reason_names[TW_REASON_COUNT] = {"none",
#define REASON_NAME(name, text, doc) text,
                                                          TW_REASON_LIST(REASON_NAME)
#undef REASON_NAME
};

const char *tw_kind_name(tw_kind kind) {
    return kind < TW_KIND_COUNT ? kind_names[kind].data : "unknown";
}

tw_kind tw_kind_of(tw_slice name) {
    for (int k = 0; k < TW_KIND_COUNT; k++)
        if (tw_slice_equal(name, kind_names[k]))
            return (tw_kind)k;
    return TW_KIND_COUNT;
}

const char *tw_reason_name(tw_reason reason) {
    return reason < TW_REASON_COUNT ? reason_names[reason] : "unknown";
}
