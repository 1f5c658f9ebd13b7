/* The sampler: one thread that looks at the backend once a tick, keeps five minutes of rates, and makes the JSON that the
 * API's stats, the streams and the probes hand out. However many watch, the engine is asked once a second.
 *
 * A tick at which the engine does not answer is published too, with "answering": false, the counters of the last answer
 * and no rates: whoever watches sees a gap, not a made-up line. */
#ifndef TW_SERVE_SAMPLE_H
#define TW_SERVE_SAMPLE_H

#include "serve/backend.h"

/* How long any question may wait for the engine. */
#define TW_SERVE_WAIT_MS 1000

#define TW_HISTORY_MAX 300 /* ticks */

typedef struct tw_sampler tw_sampler;

/* Starts the thread. backend is borrowed until stop. Errors: TW_E_NO_MEMORY (no thread to be had). */
tw_code tw_sampler_start(const tw_serve_backend *backend, int tick_ms, tw_sampler **ret_sampler, tw_err *err);

/* Lets everyone who waits go, and from then on nobody waits; streams end. tw_sampler_stop does so too. Thread: any. */
void tw_sampler_release(tw_sampler *sampler);
tw_sampler *tw_sampler_stop(tw_sampler *sampler); /* joins; nobody may be inside a call */

typedef enum tw_sampled { TW_SAMPLED, TW_SAMPLED_NOTHING, TW_SAMPLED_END } tw_sampled;

/* Waits at most wait_ms for a sample newer than *seen (0: any) and appends its JSON; moves *seen on. END: released.
 * Thread: any. */
tw_sampled tw_sampler_wait(tw_sampler *sampler, uint64_t *seen, int wait_ms, tw_buf *out);

/* Appends {"tick_ms", "points": [[at_ms, applied, duplicate, late, dead_lettered, lists], ...]}, per second, oldest first;
 * null where the engine did not answer. Thread: any. */
void tw_sampler_history(tw_sampler *sampler, tw_buf *out);

/* Appends "step_ms" and "points" of the last ten minutes (trend.h). Thread: any. */
void tw_sampler_trends(tw_sampler *sampler, int scorers, tw_buf *out);

/* Since the engine last answered, or since the start when it never did. Thread: any. */
int64_t tw_sampler_silent_ms(tw_sampler *sampler);

#endif
