/* Files of item ids as two sets. Called when an engine opens and when rank.* is read anew; engine thread. */
#include "pipeline/rank/ids.h"

#include "base/alloc.h"
#include "base/event.h"
#include "base/file.h"
#include "base/map.h"

#include <stdlib.h>

#define FILE_SIZE_MAX (1u << 30)

typedef struct id_set {
    tw_buf text; /* the file; ids point into it */
    tw_slice *ids;
    size_t count, capacity;
    tw_map *map; /* NULL: no file */
} id_set;

struct tw_rank_ids {
    id_set allow, deny;
};

static bool same_id(const void *owner, uint32_t index, tw_slice id, uint32_t salt) {
    const id_set *set = owner;
    (void)salt;
    return tw_slice_equal(set->ids[index], id);
}

static bool has(const id_set *set, tw_slice id) {
    return tw_map_find(set->map, id, 0, tw_map_hash(id, 0)) != TW_MAP_NONE;
}

static void add(id_set *set, tw_slice id) {
    if (has(set, id))
        return;
    set->ids = tw_grow(set->ids, &set->capacity, set->count + 1, sizeof *set->ids);
    set->ids[set->count] = id;
    tw_map_insert(set->map, tw_map_hash(id, 0), (uint32_t)set->count++);
}

static tw_slice trim(const char *at, const char *end) {
    while (at < end && (*at == ' ' || *at == '\t'))
        at++;
    while (end > at && (end[-1] == ' ' || end[-1] == '\t' || end[-1] == '\r'))
        end--;
    return (tw_slice){at, (size_t)(end - at)};
}

static tw_code read_set(const char *key, const char *path, id_set *set, tw_err *err) {
    tw_err why = {0};
    if (!*path)
        return TW_OK;
    set->map = tw_map_create(same_id, set);
    if (tw_file_read(path, FILE_SIZE_MAX, &set->text, &why) != TW_OK)
        return tw_fail(err, TW_E_CONFIG, "%s: %s", key, why.text);
    const char *at = (const char *)set->text.data, *end = at + set->text.size;
    for (int line = 1; at < end; line++) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        tw_slice id = trim(at, stop ? stop : end);
        at = stop ? stop + 1 : end;
        if (id.size == 0 || id.data[0] == '#')
            continue;
        if (id.size > TW_ID_SIZE_MAX || !tw_slice_is_utf8(id) || memchr(id.data, '\0', id.size))
            return tw_fail(err, TW_E_CONFIG, "%s: %s:%d: no item can have this id (at most %d bytes of UTF-8)", key,
                           path, line, TW_ID_SIZE_MAX);
        add(set, id);
    }
    return TW_OK;
}

static void done_set(id_set *set) {
    tw_map_free(set->map);
    free(set->ids);
    tw_buf_done(&set->text);
}

tw_code tw_rank_ids_open(const tw_config *config, tw_rank_ids **ret_ids, tw_err *err) {
    if (!*config->rank_allow && !*config->rank_deny) {
        *ret_ids = NULL;
        return TW_OK;
    }
    tw_rank_ids *ids = tw_zalloc(sizeof *ids);
    tw_code code = read_set("rank.allow", config->rank_allow, &ids->allow, err);
    if (code == TW_OK && ids->allow.map && ids->allow.count == 0)
        code = tw_fail(err, TW_E_CONFIG, "rank.allow: %s names no item: every list would be empty", config->rank_allow);
    if (code == TW_OK)
        code = read_set("rank.deny", config->rank_deny, &ids->deny, err);
    if (code != TW_OK) {
        tw_rank_ids_free(ids);
        return code;
    }
    *ret_ids = ids;
    return TW_OK;
}

tw_rank_ids *tw_rank_ids_free(tw_rank_ids *ids) {
    if (ids) {
        done_set(&ids->allow);
        done_set(&ids->deny);
        free(ids);
    }
    return NULL;
}

bool tw_rank_ids_show(const tw_rank_ids *ids, tw_slice item_id) {
    if (!ids)
        return true;
    if (ids->deny.map && has(&ids->deny, item_id))
        return false;
    return !ids->allow.map || has(&ids->allow, item_id);
}
