/* The durable form of the detectors: rows, changes, digest, and a user's part for another process. Called by the engine at commits, at the
 * start and when tasks move. */
#include "drift/internal.h"

#include "base/alloc.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define USER_FORMAT 1

static void encode_common(const tw_drift *drift, tw_buf *out) {
    tw_buf_u64(out, drift->events);
    tw_buf_u64(out, drift->raised);
    tw_buf_f64(out, drift->loss_sum);
    tw_buf_u32(out, drift->loss_count);
    tw_persistence_encode(&drift->persistence, out);
    for (int k = 0; k < TW_DRIFT_CATEGORIES; k++)
        tw_buf_f64(out, drift->mix[k]);
    tw_buf_u32(out, drift->names_count);
    for (uint32_t k = 0; k < drift->names_count; k++)
        tw_buf_text(out, tw_slice_of(drift->names[k]));
}

static bool load_common(tw_drift *drift, tw_cursor *c) {
    drift->events = tw_cursor_u64(c);
    drift->raised = tw_cursor_u64(c);
    drift->loss_sum = tw_cursor_f64(c);
    drift->loss_count = tw_cursor_u32(c);
    tw_persistence_load(&drift->persistence, c);
    for (int k = 0; k < TW_DRIFT_CATEGORIES; k++)
        drift->mix[k] = tw_cursor_f64(c);
    uint32_t count = tw_cursor_u32(c);
    if (c->bad || count > TW_DRIFT_CATEGORIES - 1)
        return false;
    for (uint32_t k = 0; k < count; k++) {
        tw_slice name = tw_cursor_text(c);
        if (c->bad || name.size > TW_DRIFT_NAME_MAX)
            return false;
        memset(drift->names[k], 0, sizeof drift->names[k]);
        memcpy(drift->names[k], name.data, name.size);
    }
    drift->names_count = count;
    return true;
}

void tw_drift_encode(const tw_drift *drift, tw_table table, uint32_t row, tw_buf *out) {
    if (table == TW_TABLE_TASTE)
        tw_drift_taste_encode(drift->tastes[row], out);
    else if (row == TW_DRIFT_COMMON)
        encode_common(drift, out);
    else if (row < TW_DRIFT_WINDOW_FIRST)
        tw_mix_encode(&drift->mixes[row - TW_DRIFT_MIX_FIRST], out);
    else
        tw_adwin_encode(&drift->windows[row - TW_DRIFT_WINDOW_FIRST], out);
}

void tw_drift_changes(tw_drift *drift, const tw_row_sink *sink) {
    tw_buf buf = {0};
    for (size_t i = 0; i < drift->dirty_count; i++) {
        uint32_t user = drift->dirty[i];
        drift->marked[user] = 0;
        tw_buf_clear(&buf);
        if (user < drift->tastes_count && drift->tastes[user]) {
            tw_drift_encode(drift, TW_TABLE_TASTE, user, &buf);
            sink->put(sink->self, TW_TABLE_TASTE, user, tw_buf_slice(&buf));
        } else {
            sink->del(sink->self, TW_TABLE_TASTE, user);
        }
    }
    drift->dirty_count = 0;
    for (uint32_t row = 0; drift->changed && row < TW_DRIFT_ROWS; row++) {
        tw_buf_clear(&buf);
        tw_drift_encode(drift, TW_TABLE_DRIFT, row, &buf);
        sink->put(sink->self, TW_TABLE_DRIFT, row, tw_buf_slice(&buf));
    }
    drift->changed = false;
    tw_buf_done(&buf);
}

tw_code tw_drift_load(tw_drift *drift, tw_table table, uint32_t row, tw_slice bytes, tw_err *err) {
    tw_cursor c = tw_cursor_of(bytes);
    bool good = true;
    if (table == TW_TABLE_TASTE) {
        tw_drift_taste *taste = NULL;
        good = tw_drift_taste_decode(&c, &taste, NULL) == TW_OK;
        if (good) {
            tw_drift_reach(drift, row);
            tw_drift_taste_free(drift->tastes[row]);
            drift->tastes[row] = taste;
        }
    } else if (row == TW_DRIFT_COMMON) {
        good = load_common(drift, &c);
    } else if (row < TW_DRIFT_WINDOW_FIRST) {
        good = tw_mix_load(&drift->mixes[row - TW_DRIFT_MIX_FIRST], &c);
    } else {
        good = row < TW_DRIFT_ROWS && tw_adwin_load(&drift->windows[row - TW_DRIFT_WINDOW_FIRST], &c);
    }
    return good && !c.bad && c.at == c.end
               ? TW_OK
               : tw_fail(err, TW_E_STORE, "row %" PRIu32 " of the drift detectors (table %d) is damaged", row,
                         (int)table);
}

void tw_drift_load_delete(tw_drift *drift, tw_table table, uint32_t row) {
    if (table == TW_TABLE_TASTE && row < drift->tastes_count)
        drift->tastes[row] = tw_drift_taste_free(drift->tastes[row]);
}

void tw_drift_digest(const tw_drift *drift, tw_hasher *hasher) {
    tw_buf buf = {0};
    for (uint32_t user = 0; user < drift->tastes_count; user++)
        if (drift->tastes[user]) {
            tw_buf_u32(&buf, user);
            tw_drift_encode(drift, TW_TABLE_TASTE, user, &buf);
        }
    for (uint32_t row = 0; row < TW_DRIFT_ROWS; row++)
        tw_drift_encode(drift, TW_TABLE_DRIFT, row, &buf);
    tw_hasher_add(hasher, buf.data, buf.size);
    tw_buf_done(&buf);
}

/* The names of the entries' categories, then the entries as they are. */
bool tw_drift_user_export(const tw_drift *drift, uint32_t user, tw_buf *out) {
    if (user >= drift->tastes_count || !drift->tastes[user])
        return false;
    const tw_drift_taste *taste = drift->tastes[user];
    tw_buf_u8(out, USER_FORMAT);
    tw_buf_text(out, tw_drift_category_name(drift, taste->last_category));
    tw_buf_u16(out, taste->count);
    for (uint16_t i = 0; i < taste->count; i++)
        tw_buf_text(out, taste->entries[i].category < TW_DRIFT_CATEGORIES - 1
                             ? tw_drift_category_name(drift, taste->entries[i].category)
                             : (tw_slice){0});
    tw_drift_taste_encode(taste, out);
    return true;
}

/* Entries that share a place here, because there is no room for more names, are one. */
static void renumber(tw_drift_taste *taste, const uint8_t *numbers) {
    uint16_t kept = 0;
    for (uint16_t i = 0; i < taste->count; i++) {
        tw_drift_taste_entry entry = taste->entries[i];
        uint16_t at = 0;
        entry.category = numbers[i];
        while (at < kept && taste->entries[at].category != entry.category)
            at++;
        if (at == kept) {
            taste->entries[kept++] = entry;
            continue;
        }
        tw_drift_taste_entry *same = &taste->entries[at];
        same->before += entry.before;
        same->since += entry.since;
        same->last_s = entry.last_s > same->last_s ? entry.last_s : same->last_s;
    }
    taste->count = kept;
}

tw_code tw_drift_user_import(tw_drift *drift, uint32_t user, tw_slice bytes, tw_err *err) {
    tw_cursor c = tw_cursor_of(bytes);
    uint8_t format = tw_cursor_u8(&c), numbers[TW_DRIFT_CATEGORIES];
    tw_slice names[TW_DRIFT_CATEGORIES], last = tw_cursor_text(&c);
    uint16_t count = tw_cursor_u16(&c);
    tw_drift_taste *taste = NULL;
    for (uint16_t i = 0; i < count && count <= TW_DRIFT_CATEGORIES; i++)
        names[i] = tw_cursor_text(&c);
    if (c.bad || format != USER_FORMAT || tw_drift_taste_decode(&c, &taste, NULL) != TW_OK || taste->count != count ||
        c.at != c.end) {
        tw_drift_taste_free(taste);
        return tw_fail(err, TW_E_CORRUPT, "a user's taste in the changelog is damaged or of another version");
    }
    for (int i = 0; i < taste->count; i++)
        numbers[i] = tw_drift_category(drift, names[i]);
    taste->last_category = tw_drift_category(drift, last);
    renumber(taste, numbers);
    tw_drift_reach(drift, user);
    tw_drift_taste_free(drift->tastes[user]);
    drift->tastes[user] = taste;
    tw_drift_mark(drift, user);
    drift->changed = true;
    return TW_OK;
}
