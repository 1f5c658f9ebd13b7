/* Any text, up to a zero byte, as a schema, and what is behind it as a datum of that schema: a plan or one clear error; what is
 * read must skip to the same end. */
#include "avro/fingerprint.h"
#include "avro/plan.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* avro-c 1.11.1 loses what it had parsed of a schema that it then refuses: not looked for. What it accepts must leave nothing. */
void __lsan_disable(void) __attribute__((weak));
void __lsan_enable(void) __attribute__((weak));

static bool accepted(tw_slice text, uint64_t *ret_fingerprint) {
    if (__lsan_disable)
        __lsan_disable();
    bool known = tw_avro_fingerprint(text, ret_fingerprint, NULL) == TW_OK;
    if (__lsan_enable)
        __lsan_enable();
    return known;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    static tw_arena *arena;
    static tw_mapping nested;
    tw_err err = {0};
    tw_avro_plan *plan;
    tw_event event;
    uint64_t fingerprint;
    size_t taken, skipped;
    if (!arena) {
        arena = tw_arena_create(1 << 16);
        tw_mapping_name(&nested, TW_FIELD_USER_ID, TW_SLICE_LITERAL("a.b"));
        tw_mapping_name(&nested, TW_FIELD_PRICE, TW_SLICE_LITERAL("a.a.a"));
    }
    const uint8_t *zero = size ? memchr(bytes, 0, size) : NULL;
    size_t text_size = zero ? (size_t)(zero - bytes) : size;
    tw_slice text = {(const char *)bytes, text_size};
    tw_slice datum = {(const char *)bytes + text_size + (zero != NULL), size - text_size - (zero != NULL)};
    for (int mapped = 0; mapped < 2 && accepted(text, &fingerprint); mapped++) {
        tw_code code = tw_avro_plan_create(text, mapped ? &nested : NULL, &plan, &err);
        if (code != TW_OK && (code != TW_E_BAD_FILE || !err.text[0]))
            __builtin_trap();
        if (code != TW_OK)
            continue;
        if (tw_avro_plan_decode(plan, datum, arena, &event, &taken) == TW_REASON_NONE)
            if (taken > datum.size || tw_avro_plan_skip(plan, datum, &skipped) != TW_REASON_NONE || skipped != taken)
                __builtin_trap();
        tw_avro_plan_free(plan);
        tw_arena_reset(arena);
    }
    return 0;
}
