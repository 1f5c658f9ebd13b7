/* What of the model another process can use. A user's row names items by id, because slots are a process's own, and leaves out the
 * vector, which was learned against one process's items. Items and weights go as they are, slots and all, to a process that
 * has none yet. Called by the engine when tasks move; engine thread. */
#include "model/internal.h"

#define USER_FORMAT 3

size_t tw_model_users_changed(const tw_model *model) {
    return model->users.dirty.count;
}
uint32_t tw_model_user_changed(const tw_model *model, size_t i) {
    return model->users.dirty.list[i];
}

static void put_list(const tw_user_list *list, tw_buf *out) {
    tw_buf_u64(out, (uint64_t)list->listed_ms);
    tw_buf_u64(out, (uint64_t)list->owed_since_ms);
    tw_buf_u64(out, list->list_version);
    tw_buf_u64(out, (uint64_t)list->newest_ms);
    tw_buf_u64(out, (uint64_t)list->newest_offset);
    tw_buf_u32(out, (uint32_t)list->newest_partition);
}

static void take_list(tw_cursor *c, tw_user_list *list) {
    list->listed_ms = (int64_t)tw_cursor_u64(c);
    list->owed_since_ms = (int64_t)tw_cursor_u64(c);
    list->list_version = tw_cursor_u64(c);
    list->newest_ms = (int64_t)tw_cursor_u64(c);
    list->newest_offset = (int64_t)tw_cursor_u64(c);
    list->newest_partition = (int32_t)tw_cursor_u32(c);
}

void tw_model_user_export(const tw_model *model, uint32_t user, tw_buf *out) {
    const float *vector;
    const tw_user *u = tw_users_look(&model->users, user, &vector);
    tw_buf_u8(out, USER_FORMAT);
    put_list(&u->list, out);
    tw_shown_export(&u->shown, &model->profile.categories, out);
    tw_buf_u64(out, (uint64_t)u->last_ms);
    tw_buf_u32(out, u->events);
    tw_buf_u32(out, u->past_count);
    for (uint32_t place = 0; place < u->past_count; place++) {
        tw_buf_text(out, tw_model_item_id(model, u->items[place]));
        tw_buf_u32(out, u->times_s[place]);
        tw_buf_u16(out, u->counts[place]);
        tw_buf_u8(out, u->flags[place]);
    }
    tw_taste_export(&u->taste, &model->profile.categories, out);
}

static tw_code damaged(tw_err *err) {
    return tw_fail(err, TW_E_CORRUPT, "a user's row of the changelog is damaged or of another version");
}

static void skip_shown(tw_cursor *c) {
    for (uint32_t left = tw_cursor_u32(c); left > 0 && !c->bad; left--) {
        tw_cursor_text(c);
        tw_cursor_u8(c);
    }
}

static uint32_t find_category(void *self, tw_slice name) {
    return tw_categories_find(self, name);
}

tw_code tw_model_user_import_list(tw_model *model, uint32_t user, tw_slice bytes, tw_err *err) {
    tw_user *u = tw_user_here(&model->users, user);
    tw_cursor c = tw_cursor_of(bytes);
    tw_user_list taken = u->list;
    if (tw_cursor_u8(&c) != USER_FORMAT)
        return damaged(err);
    take_list(&c, &taken);
    model->users.bytes -= tw_shown_bytes(&u->shown);
    tw_shown_import(&u->shown, &c, find_category, &model->profile.categories);
    model->users.bytes += tw_shown_bytes(&u->shown);
    if (c.bad)
        return damaged(err);
    u->list = taken;
    tw_model_user_list_touch(model, user);
    return TW_OK;
}

tw_code tw_model_user_import(tw_model *model, uint32_t task, tw_slice user_id, tw_slice bytes, uint32_t *ret_user,
                             tw_err *err) {
    tw_cursor c = tw_cursor_of(bytes);
    if (user_id.size == 0 || user_id.size > TW_ID_SIZE_MAX || tw_cursor_u8(&c) != USER_FORMAT)
        return damaged(err);
    uint32_t user = tw_users_find(&model->users, task, user_id);
    if (user != TW_SLOT_NONE)
        tw_model_user_drop(model, user);
    user = tw_users_add(&model->users, task, user_id);
    tw_user *u = tw_user_here(&model->users, user);
    take_list(&c, &u->list);
    tw_cursor shown = c; /* once the categories have numbers */
    skip_shown(&c);
    int64_t last_ms = (int64_t)tw_cursor_u64(&c);
    uint32_t events = tw_cursor_u32(&c), count = tw_cursor_u32(&c);
    for (uint32_t i = 0; i < count && !c.bad; i++) {
        tw_slice item_id = tw_cursor_text(&c);
        uint32_t time_s = tw_cursor_u32(&c);
        uint16_t times = tw_cursor_u16(&c);
        uint8_t flags = tw_cursor_u8(&c);
        if (c.bad || item_id.size == 0 || item_id.size > TW_ID_SIZE_MAX)
            return damaged(err);
        bool made;
        uint32_t item = tw_model_item_intern(model, item_id, (int64_t)time_s * 1000, &made);
        if (made)
            tw_cold_describe(&model->cold, &model->items, item);
        uint32_t place = tw_past_meet(&model->users, u, item, (int64_t)time_s * 1000);
        u->counts[place] = times;
        u->flags[place] = flags;
    }
    tw_profile_import(&model->profile, &u->taste, &c, &u->shown, &shown);
    model->users.bytes += tw_taste_bytes(&u->taste) + tw_shown_bytes(&u->shown);
    if (c.bad || shown.bad || c.at != c.end)
        return damaged(err);
    tw_users_touch(&model->users, user, model->sequence, last_ms, model->items.next_order);
    u->events = events;
    *ret_user = user;
    return TW_OK;
}

void tw_model_user_drop(tw_model *model, uint32_t user) {
    tw_users_remove(&model->users, user);
    tw_dirty_add(&model->users.dirty, user);
}

void tw_model_touch_task(tw_model *model, uint32_t task) {
    for (uint32_t user = 0; user < model->users.slots.end; user++)
        if (tw_slots_used(&model->users.slots, user) && tw_users_task(&model->users, user) == task)
            tw_dirty_add(&model->users.dirty, user);
}

void tw_model_touch_items(tw_model *model) {
    for (uint32_t item = 0; item < model->items.slots.end; item++) {
        tw_dirty_add(&model->items.dirty, item);
        tw_dirty_add(&model->items.dirty_in, item);
        tw_dirty_add(&model->items.dirty_out, item);
        tw_dirty_add(&model->follow.dirty, item);
        if (tw_follow_row_at(&model->follow, item))
            model->follow.rows[item].whole = true;
    }
    model->sampler.dirty_chunks = UINT64_MAX;
    model->profile.changed = true;
}

void tw_model_fit(tw_model *model) {
    if (tw_profile_begun(&model->profile))
        tw_profile_fit(&model->profile, model->config);
}

/* Rows come from different moments: a vector or a pair may name an item that was gone by then. */
void tw_model_adopted(tw_model *model) {
    for (uint32_t item = 0; item < model->items.slots.end; item++)
        if (!tw_slots_used(&model->items.slots, item))
            tw_follow_drop(&model->follow, item);
    tw_follow_scrub(&model->follow, &model->items.slots);
    tw_sampler_scrub(&model->sampler, &model->items);
    tw_model_touch_items(model);
}

uint64_t tw_model_seen(const tw_model *model) {
    return model->sequence;
}
