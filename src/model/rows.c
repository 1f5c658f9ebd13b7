/* The durable form of the model: which rows changed, how each is encoded, how they come back, and the digest over them. Called
 * by the engine at commits and at the start; engine thread.
 *
 *   USER      user_row.c     ITEM, ITEM_IN, ITEM_OUT   items.c     FOLLOW   follow.c
 *   WEIGHT    0 clock: sequence, event time, next order, unit of popularity   1 blend   2 repeats   3 pool of negatives
 *             4.. chunks of the sampler's ring   68.. the profile: all but its weights, then each layer
 */
#include "model/internal.h"

#include <inttypes.h>

static void encode_clock(const tw_model *model, tw_buf *out) {
    tw_buf_u64(out, model->sequence);
    tw_buf_u64(out, (uint64_t)model->clock_ms);
    tw_buf_u64(out, model->items.next_order);
    tw_buf_f64(out, model->popular_unit);
    tw_buf_u32(out, model->items.slots.end); /* uniform draws are over all slots ever used */
}

static tw_code load_clock(tw_model *model, tw_slice bytes, tw_err *err) {
    tw_cursor c = tw_cursor_of(bytes);
    model->sequence = tw_cursor_u64(&c);
    model->clock_ms = (int64_t)tw_cursor_u64(&c);
    model->items.next_order = tw_cursor_u64(&c);
    model->popular_unit = tw_cursor_f64(&c);
    uint32_t end = tw_cursor_u32(&c);
    if (!c.bad && end > model->items.slots.end)
        tw_items_reach_end(&model->items, end);
    return c.bad || c.at != c.end ? tw_fail(err, TW_E_STORE, "the model's clock is damaged") : TW_OK;
}

static void encode_weight(const tw_model *model, uint32_t row, tw_buf *out) {
    switch (row) {
    case TW_WEIGHT_CLOCK:
        encode_clock(model, out);
        break;
    case TW_WEIGHT_BLEND:
        tw_blend_encode(&model->blend, out);
        break;
    case TW_WEIGHT_REPEAT:
        tw_repeat_encode(&model->repeat, out);
        break;
    case TW_WEIGHT_POOL:
        tw_sampler_encode_pool(&model->sampler, out);
        break;
    default:
        if (row < TW_WEIGHT_PROFILE)
            tw_sampler_encode_chunk(&model->sampler, row - TW_WEIGHT_RING, out);
        else
            tw_profile_encode(&model->profile, row - TW_WEIGHT_PROFILE, out);
    }
}

static tw_code load_weight(tw_model *model, uint32_t row, tw_slice bytes, tw_err *err) {
    switch (row) {
    case TW_WEIGHT_CLOCK:
        return load_clock(model, bytes, err);
    case TW_WEIGHT_BLEND:
        return tw_blend_load(&model->blend, bytes, err);
    case TW_WEIGHT_REPEAT:
        return tw_repeat_load(&model->repeat, bytes, err);
    case TW_WEIGHT_POOL:
        return tw_sampler_load_pool(&model->sampler, bytes, err);
    default:
        if (row < TW_WEIGHT_PROFILE)
            return tw_sampler_load_chunk(&model->sampler, row - TW_WEIGHT_RING, bytes, err);
        return tw_profile_load(&model->profile, row - TW_WEIGHT_PROFILE, bytes, err);
    }
}

static void encode_user(const tw_model *model, uint32_t user, bool with_list, tw_buf *out) {
    const float *vector;
    const tw_user *u = tw_users_look(&model->users, user, &vector);
    tw_user_encode(u, vector, model->users.embeddings.D, with_list, out);
}

void tw_model_encode(tw_model *model, tw_table table, uint32_t row, tw_buf *out) {
    switch (table) {
    case TW_TABLE_USER:
        encode_user(model, row, true, out);
        break;
    case TW_TABLE_ITEM:
    case TW_TABLE_ITEM_IN:
    case TW_TABLE_ITEM_OUT:
        tw_item_encode(&model->items, table, row, out);
        break;
    case TW_TABLE_FOLLOW:
        tw_follow_encode(&model->follow, row, out);
        break;
    case TW_TABLE_WEIGHT:
        encode_weight(model, row, out);
        break;
    case TW_TABLE_TASTE: /* the drift detectors' */
    case TW_TABLE_DRIFT:
    case TW_TABLE_COUNT:
        break;
    }
}

static void send(tw_model *model, const tw_row_sink *sink, tw_table table, uint32_t row, tw_buf *buf) {
    tw_buf_clear(buf);
    tw_model_encode(model, table, row, buf);
    sink->put(sink->self, table, row, tw_buf_slice(buf));
}

static void send_table(tw_model *model, const tw_row_sink *sink, tw_table table, tw_dirty *dirty, const tw_slots *slots,
                       tw_buf *buf) {
    for (size_t i = 0; i < dirty->count; i++) {
        if (table == TW_TABLE_USER && tw_slots_used(slots, dirty->list[i]) &&
            !tw_user_in_memory(&model->users, dirty->list[i]))
            continue; /* counts as changed, for the changelog: the value in place is right */
        if (tw_slots_used(slots, dirty->list[i]))
            send(model, sink, table, dirty->list[i], buf);
        else
            sink->del(sink->self, table, dirty->list[i]);
    }
    tw_dirty_clear(dirty);
}

static void send_followers(tw_model *model, const tw_row_sink *sink, tw_buf *buf) {
    tw_dirty *dirty = &model->follow.dirty;
    for (size_t i = 0; i < dirty->count; i++) {
        uint32_t item = dirty->list[i];
        tw_buf_clear(buf);
        if (tw_follow_take_delta(&model->follow, item, buf))
            sink->put_delta(sink->self, TW_TABLE_FOLLOW, item, tw_buf_slice(buf));
        else if (tw_follow_row_at(&model->follow, item))
            send(model, sink, TW_TABLE_FOLLOW, item, buf);
        else
            sink->del(sink->self, TW_TABLE_FOLLOW, item);
    }
    tw_dirty_clear(dirty);
}

void tw_model_changes(tw_model *model, const tw_row_sink *sink) {
    tw_buf buf = {0};
    send_table(model, sink, TW_TABLE_USER, &model->users.dirty, &model->users.slots, &buf);
    send_table(model, sink, TW_TABLE_ITEM, &model->items.dirty, &model->items.slots, &buf);
    send_table(model, sink, TW_TABLE_ITEM_IN, &model->items.dirty_in, &model->items.slots, &buf);
    send_table(model, sink, TW_TABLE_ITEM_OUT, &model->items.dirty_out, &model->items.slots, &buf);
    send_followers(model, sink, &buf);
    for (uint32_t row = TW_WEIGHT_CLOCK; row < TW_WEIGHT_RING; row++)
        send(model, sink, TW_TABLE_WEIGHT, row, &buf);
    for (uint32_t chunk = 0; chunk < TW_RING_CHUNKS; chunk++)
        if (model->sampler.dirty_chunks >> chunk & 1)
            send(model, sink, TW_TABLE_WEIGHT, TW_WEIGHT_RING + chunk, &buf);
    model->sampler.dirty_chunks = 0;
    bool profile = model->profile.changed && tw_profile_begun(&model->profile);
    for (uint32_t row = 0; profile && row < TW_PROFILE_ROWS; row++)
        send(model, sink, TW_TABLE_WEIGHT, TW_WEIGHT_PROFILE + row, &buf);
    model->profile.changed = false;
    tw_buf_done(&buf);
}

tw_code tw_model_load(tw_model *model, tw_table table, uint32_t row, tw_slice bytes, bool delta, tw_err *err) {
    if (delta && table != TW_TABLE_FOLLOW)
        return tw_fail(err, TW_E_STORE, "a change to row %" PRIu32 " of table %d, which has only whole rows", row,
                       (int)table);
    switch (table) {
    case TW_TABLE_USER:
        return tw_user_load(&model->users, row, bytes, err);
    case TW_TABLE_ITEM:
    case TW_TABLE_ITEM_IN:
    case TW_TABLE_ITEM_OUT:
        return tw_item_load(&model->items, table, row, bytes, err);
    case TW_TABLE_FOLLOW:
        return tw_follow_load(&model->follow, row, bytes, delta, err);
    case TW_TABLE_WEIGHT:
        return load_weight(model, row, bytes, err);
    case TW_TABLE_TASTE: /* the drift detectors' */
    case TW_TABLE_DRIFT:
    case TW_TABLE_COUNT:
        break;
    }
    return tw_fail(err, TW_E_STORE, "row of unknown table %d", (int)table);
}

void tw_model_load_delete(tw_model *model, tw_table table, uint32_t row) {
    if (table == TW_TABLE_USER)
        tw_user_unload(&model->users, row);
    else if (table == TW_TABLE_FOLLOW)
        tw_follow_drop(&model->follow, row);
    else
        tw_item_unload(&model->items, table, row);
}

tw_code tw_model_loaded(tw_model *model, tw_err *err) {
    if (tw_profile_begun(&model->profile))
        TW_TRY(tw_profile_loaded(&model->profile, err));
    tw_users_loaded(&model->users);
    tw_items_loaded(&model->items);
    tw_cold_loaded(&model->cold, &model->items);
    tw_scan_forget(&model->scan);
    tw_sampler_reach(&model->sampler, model->items.slots.end);
    tw_sampler_loaded(&model->sampler);
    bool gone = model->items.next_order != model->items.slots.count; /* some items are */
    for (uint32_t user = 0; gone && user < model->users.slots.end; user++)
        if (tw_slots_used(&model->users.slots, user) && tw_user_in_memory(&model->users, user))
            tw_past_scrub(tw_user_at(&model->users, user), &model->items);
    return TW_OK;
}

void tw_model_digest(tw_model *model, tw_hasher *hasher) {
    static const tw_table item_tables[] = {TW_TABLE_ITEM, TW_TABLE_ITEM_IN, TW_TABLE_ITEM_OUT, TW_TABLE_FOLLOW};
    tw_buf buf = {0};
    for (uint32_t user = 0; user < model->users.slots.end; user++)
        if (tw_slots_used(&model->users.slots, user)) {
            tw_buf_clear(&buf);
            tw_buf_u32(&buf, user);
            encode_user(model, user, false, &buf);
            tw_hasher_add(hasher, buf.data, buf.size);
        }
    for (size_t t = 0; t < sizeof item_tables / sizeof item_tables[0]; t++)
        for (uint32_t item = 0; item < model->items.slots.end; item++)
            if (tw_slots_used(&model->items.slots, item)) {
                tw_buf_clear(&buf);
                tw_buf_u32(&buf, item);
                tw_model_encode(model, item_tables[t], item, &buf);
                tw_hasher_add(hasher, buf.data, buf.size);
            }
    for (uint32_t row = 0; row < TW_WEIGHT_ROWS; row++) {
        tw_buf_clear(&buf);
        encode_weight(model, row, &buf);
        tw_hasher_add(hasher, buf.data, buf.size);
    }
    tw_buf_done(&buf);
}
