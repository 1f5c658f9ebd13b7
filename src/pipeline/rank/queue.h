/* Users whose lists are due, coalesced: however many events touch a user, the user waits in the queue once.
 *
 * A binary heap over (due time, order of debt), with each user's place remembered so that a user can be taken out. It holds no
 * state of its own that must survive: what is owed is in the users' rows, and the queue is rebuilt from them. Bounded by
 * the number of users. Thread: engine. */
#ifndef TW_RANK_QUEUE_H
#define TW_RANK_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct tw_rank_queue tw_rank_queue;

tw_rank_queue *tw_rank_queue_create(void);
tw_rank_queue *tw_rank_queue_free(tw_rank_queue *queue);

/* Adds a user that is not waiting; sequence breaks ties, smaller first. */
void tw_rank_queue_add(tw_rank_queue *queue, uint32_t user, int64_t due_ms, uint64_t sequence);
bool tw_rank_queue_has(const tw_rank_queue *queue, uint32_t user);
void tw_rank_queue_remove(tw_rank_queue *queue, uint32_t user); /* no effect when not waiting */

/* The user that is due first; false when none waits. */
bool tw_rank_queue_first(const tw_rank_queue *queue, uint32_t *ret_user, int64_t *ret_due_ms);
size_t tw_rank_queue_count(const tw_rank_queue *queue);

/* When a user's list may be made: not before min_interval_ms after the last one.
 *   owed_since_ms of the first event that no list covers     listed_ms of the last list, INT64_MIN: never */
int64_t tw_rank_due_ms(int64_t owed_since_ms, int64_t listed_ms, int64_t min_interval_ms);

#endif
