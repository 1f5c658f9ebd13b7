/* Called by drift.c for each event that counts. */
#include "drift/persistence.h"

/* Until a class has been seen, it is taken for a visit's when it is below half an hour (the custom of web analytics), worth so many
 * pairs. */
#define FIRST_VISIT_S 1800
#define FIRST_WITHIN 0.8
#define FIRST_BEYOND 0.0
#define FIRST_WORTH 50
#define RHO_MAX 0.98
/* Less than this is what tastes that moved leave in the counts, not visits that go on: a rare category met again after days would be
 * taken for one. */
#define RHO_MIN 0.1
/* Counts are halved here: the past of a shop that has changed is forgotten. */
#define ALL_MAX 1000000

int tw_pause_class(uint32_t from_s, uint32_t to_s) {
    uint32_t pause_s = to_s > from_s ? to_s - from_s : 0;
    return pause_s == 0 ? 0 : 32 - __builtin_clz(pause_s) < TW_PAUSES ? 32 - __builtin_clz(pause_s) : TW_PAUSES - 1;
}

void tw_persistence_add(tw_persistence *p, int pause, bool same, double taste) {
    p->same[pause] += same;
    p->chance[pause] += taste;
    p->all[pause] += 1;
    if (p->all[pause] < ALL_MAX)
        return;
    p->same[pause] /= 2;
    p->chance[pause] /= 2;
    p->all[pause] /= 2;
}

double tw_persistence_rho(const tw_persistence *p, int pause) {
    double first = (1u << (pause > 0 ? pause - 1 : 0)) < FIRST_VISIT_S ? FIRST_WITHIN : FIRST_BEYOND;
    double rho =
        (p->same[pause] - p->chance[pause] + FIRST_WORTH * first) / (p->all[pause] - p->chance[pause] + FIRST_WORTH);
    return rho < RHO_MIN ? 0 : rho > RHO_MAX ? RHO_MAX : rho;
}

void tw_persistence_encode(const tw_persistence *p, tw_buf *out) {
    for (int i = 0; i < TW_PAUSES; i++) {
        tw_buf_f64(out, p->same[i]);
        tw_buf_f64(out, p->chance[i]);
        tw_buf_f64(out, p->all[i]);
    }
}

void tw_persistence_load(tw_persistence *p, tw_cursor *c) {
    for (int i = 0; i < TW_PAUSES; i++) {
        p->same[i] = tw_cursor_f64(c);
        p->chance[i] = tw_cursor_f64(c);
        p->all[i] = tw_cursor_f64(c);
    }
}
