/* Sums over lists. The hook of an evaluation calls it for each asked event. */
#include "evaluate/lists.h"

#include "base/alloc.h"
#include "config/keys.h"

#include <stdlib.h>
#include <string.h>

void tw_listed_done(tw_listed *listed) {
    free(listed->order_next);
    *listed = (tw_listed){0};
}

/* Says whether the item is listed for the first time. */
static bool is_first(tw_listed *listed, const tw_listed_item *item) {
    size_t old = listed->capacity;
    listed->order_next =
        tw_grow(listed->order_next, &listed->capacity, (size_t)item->slot + 1, sizeof *listed->order_next);
    if (listed->capacity > old)
        memset(listed->order_next + old, 0, (listed->capacity - old) * sizeof *listed->order_next);
    bool first = listed->order_next[item->slot] != item->order + 1;
    listed->order_next[item->slot] = item->order + 1;
    return first;
}

void tw_lists_add(tw_lists_sums *sums, tw_listed *listed, const tw_listed_item *items, int count, uint32_t place) {
    bool any_new = false;
    for (int i = 0; i < count; i++) {
        int64_t age_ms = items[i].age_ms > 0 ? items[i].age_ms : 0;
        bool is_new = age_ms < TW_DAY_MS;
        any_new |= is_new;
        sums->new_hits += is_new && place == (uint32_t)i + 1;
        sums->age_days += (double)age_ms / (double)TW_DAY_MS;
        sums->different += is_first(listed, &items[i]);
    }
    sums->lists++;
    sums->items += (uint64_t)count;
    if (any_new)
        tw_prequential_add(&sums->with_new, place);
}

static double share(double part, uint64_t whole) {
    return whole ? part / (double)whole : 0;
}

double tw_lists_coverage(const tw_lists_sums *sums, uint64_t catalogue) {
    return share((double)sums->different, catalogue);
}

double tw_lists_new_share(const tw_lists_sums *sums) {
    return share((double)sums->with_new.asked, sums->lists);
}

double tw_lists_age_days(const tw_lists_sums *sums) {
    return share(sums->age_days, sums->items);
}
