/* The refresh queue: a binary heap with a place index by user. Called by the engine at each applied event and each list;
 * what a list holds is list.c's business. */
#include "pipeline/rank/queue.h"

#include "base/alloc.h"
#include "base/err.h"

#include <stdlib.h>
#include <string.h>

typedef struct entry {
    int64_t due_ms;
    uint64_t sequence;
    uint32_t user;
} entry;

struct tw_rank_queue {
    entry *heap; /* (count) */
    size_t count, capacity;
    uint32_t *place_of; /* (users) index in the heap plus 1; 0: not waiting */
    size_t places;
};

tw_rank_queue *tw_rank_queue_create(void) {
    return tw_zalloc(sizeof(tw_rank_queue));
}

tw_rank_queue *tw_rank_queue_free(tw_rank_queue *queue) {
    if (queue) {
        free(queue->heap);
        free(queue->place_of);
        free(queue);
    }
    return NULL;
}

static bool before(const entry *a, const entry *b) {
    return a->due_ms != b->due_ms ? a->due_ms < b->due_ms : a->sequence < b->sequence;
}

static void put(tw_rank_queue *queue, size_t at, entry e) {
    queue->heap[at] = e;
    queue->place_of[e.user] = (uint32_t)at + 1;
}

static void sift_up(tw_rank_queue *queue, size_t at, entry e) {
    while (at > 0) {
        size_t parent = (at - 1) / 2;
        if (!before(&e, &queue->heap[parent]))
            break;
        put(queue, at, queue->heap[parent]);
        at = parent;
    }
    put(queue, at, e);
}

static void sift_down(tw_rank_queue *queue, size_t at, entry e) {
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= queue->count)
            break;
        if (child + 1 < queue->count && before(&queue->heap[child + 1], &queue->heap[child]))
            child++;
        if (!before(&queue->heap[child], &e))
            break;
        put(queue, at, queue->heap[child]);
        at = child;
    }
    put(queue, at, e);
}

void tw_rank_queue_add(tw_rank_queue *queue, uint32_t user, int64_t due_ms, uint64_t sequence) {
    TW_ASSERT(!tw_rank_queue_has(queue, user));
    if (user >= queue->places) {
        size_t old = queue->places;
        queue->place_of = tw_grow(queue->place_of, &queue->places, (size_t)user + 1, sizeof(uint32_t));
        memset(queue->place_of + old, 0, (queue->places - old) * sizeof(uint32_t));
    }
    queue->heap = tw_grow(queue->heap, &queue->capacity, queue->count + 1, sizeof(entry));
    queue->count++;
    sift_up(queue, queue->count - 1, (entry){due_ms, sequence, user});
}

bool tw_rank_queue_has(const tw_rank_queue *queue, uint32_t user) {
    return user < queue->places && queue->place_of[user] != 0;
}

void tw_rank_queue_remove(tw_rank_queue *queue, uint32_t user) {
    if (!tw_rank_queue_has(queue, user))
        return;
    size_t at = queue->place_of[user] - 1;
    queue->place_of[user] = 0;
    entry last = queue->heap[--queue->count];
    if (at == queue->count)
        return;
    if (at > 0 && before(&last, &queue->heap[(at - 1) / 2]))
        sift_up(queue, at, last);
    else
        sift_down(queue, at, last);
}

bool tw_rank_queue_first(const tw_rank_queue *queue, uint32_t *ret_user, int64_t *ret_due_ms) {
    if (queue->count == 0)
        return false;
    *ret_user = queue->heap[0].user;
    *ret_due_ms = queue->heap[0].due_ms;
    return true;
}

size_t tw_rank_queue_count(const tw_rank_queue *queue) {
    return queue->count;
}

int64_t tw_rank_due_ms(int64_t owed_since_ms, int64_t listed_ms, int64_t min_interval_ms) {
    if (listed_ms == INT64_MIN || listed_ms + min_interval_ms <= owed_since_ms)
        return owed_since_ms;
    return listed_ms + min_interval_ms;
}
