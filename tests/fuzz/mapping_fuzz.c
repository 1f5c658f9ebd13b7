/* Any bytes as a list of kinds, as a name and as a time in each unit: an answer, and one that means the same when it is written out. */
#include "base/mapping.h"

#include <inttypes.h>
#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    tw_slice text = {(const char *)bytes, size};
    tw_mapping mapping = {.time_unit = TW_TIME_MS};
    tw_err err = {0};
    tw_code code = tw_mapping_add_kinds(&mapping, text, &err);
    if (code != TW_OK && (code != TW_E_CONFIG || !err.text[0]))
        __builtin_trap();
    for (int k = 0; k < mapping.kinds_count; k++)
        if (tw_mapping_kind(&mapping, mapping.kinds[k].name) != mapping.kinds[k].kind)
            __builtin_trap();
    tw_mapping_name(&mapping, TW_FIELD_TIME, text);
    if (size && tw_mapping_field(&mapping, text) >= TW_FIELD_COUNT)
        __builtin_trap();
    (void)tw_mapping_leads_to(&mapping, (tw_slice){text.data, size / 2});
    for (int unit = TW_TIME_MS; unit <= TW_TIME_NS; unit++) {
        int64_t ms, again;
        char digits[24];
        mapping.time_unit = (tw_time_unit)unit;
        if (!tw_mapping_time_text(&mapping, text, &ms))
            continue;
        int written = snprintf(digits, sizeof digits, "%" PRId64, ms);
        mapping.time_unit = TW_TIME_MS;
        if (ms != INT64_MIN &&
            (!tw_mapping_time_text(&mapping, (tw_slice){digits, (size_t)written}, &again) || again != ms))
            __builtin_trap();
    }
    return 0;
}
