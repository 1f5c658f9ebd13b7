/* Drift: tells when what is asked of the shop changes: per user, over all users, and in how well the model does.
 *
 *   user         taste by category                                  user.h       bound: e^-evidence
 *   population   categories, kinds, prices, ratings                 mix.h        p-value
 *   model        loss of each event; on the events that train the blend: hits among the best ten, its loss, the best candidate's score,
 *                the length of the context                          adwin.h      bound
 *
 * Each change is told once: after it the past begins anew. The state is a function of the events in their order. Memory: about 20 kB, and for
 * each user 56 bytes and 13 for each category met. Thread: engine. */
#ifndef TW_DRIFT_DRIFT_H
#define TW_DRIFT_DRIFT_H

#include "base/drift.h"
#include "base/event.h"
#include "base/hash.h"
#include "base/rows.h"

#include <stdbool.h>

typedef struct tw_drift tw_drift;

typedef struct tw_drift_options {
    double user_evidence;  /* nats; a user's change is told from there on */
    double user_half_life; /* of a user's past, in visits */
    double population_p;   /* a change of a distribution is told below it */
    double model_delta;    /* of ADWIN */
} tw_drift_options;

/* Called from tw_drift_add; the record and its texts live for the call. */
typedef void (*tw_drift_fn)(void *self, const tw_drift_record *record);

tw_drift *tw_drift_create(const tw_drift_options *options, tw_drift_fn raise, void *self);
tw_drift *tw_drift_free(tw_drift *drift);

/* What the model says of an event that it has just learned; numbers that are NaN are not known. */
typedef struct tw_drift_model {
    double loss;                         /* nats */
    double hit, blend_loss, score, norm; /* of an event that trained the blend */
} tw_drift_model;

/* Takes in one applied event of a user (a slot of the model, live). category: of its item, the first where several are split by '|'; now_ms: the
 * newest event time of its partition. */
void tw_drift_add(tw_drift *drift, uint32_t user, tw_slice user_id, uint32_t task, const tw_event *event,
                  tw_slice category, int64_t now_ms, const tw_drift_model *model);
void tw_drift_user_gone(tw_drift *drift, uint32_t user); /* nothing where nothing is known */

/* A user's shares by category as they are now, the largest first: (TW_DRIFT_EVIDENCE_MAX) out. from: of the long past. Returns how many;
 * 0: nothing is known. */
int tw_drift_user_shares(const tw_drift *drift, uint32_t user, tw_drift_share *shares);
uint64_t tw_drift_raised(const tw_drift *drift); /* records, all time */

/* A user's part as any process can read it (categories by name); false: nothing is known. Errors: TW_E_CORRUPT. */
bool tw_drift_user_export(const tw_drift *drift, uint32_t user, tw_buf *out);
tw_code tw_drift_user_import(tw_drift *drift, uint32_t user, tw_slice bytes, tw_err *err);

/* Rows of TW_TABLE_TASTE (a user) and TW_TABLE_DRIFT (0: what all share; then the mixes; then the windows), as in model.h. */
void tw_drift_changes(tw_drift *drift, const tw_row_sink *sink);
void tw_drift_encode(const tw_drift *drift, tw_table table, uint32_t row, tw_buf *out);
tw_code tw_drift_load(tw_drift *drift, tw_table table, uint32_t row, tw_slice bytes, tw_err *err);
void tw_drift_load_delete(tw_drift *drift, tw_table table, uint32_t row);
void tw_drift_digest(const tw_drift *drift, tw_hasher *hasher);

#endif
