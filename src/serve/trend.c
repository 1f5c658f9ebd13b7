/* The ring of trend.h. Called by the sampler, under its lock. */
#include "serve/trend.h"

#include <inttypes.h>

static uint64_t more(uint64_t now, uint64_t before) { /* an engine that opened anew counts from zero */
    return now > before ? now - before : 0;
}

void tw_trend_tick(tw_trend *trend, const tw_serve_trend *now, int64_t at_ms) {
    if (trend->any && ++trend->ticks < TW_TREND_TICKS)
        return;
    if (trend->any) {
        tw_trend_point *point = &trend->points[trend->count++ % TW_TREND_STEPS];
        const tw_serve_trend *last = &trend->last;
        *point = (tw_trend_point){.at_ms = at_ms, .categories = now->categories};
        point->hits.asked = more(now->hits.asked, last->hits.asked);
        point->hits.blend = more(now->hits.blend, last->hits.blend);
        for (int i = 0; i < TW_SCORERS_MAX; i++)
            point->hits.by[i] = more(now->hits.by[i], last->hits.by[i]);
        for (uint32_t c = 0; c < now->categories; c++) {
            double came = now->counts[c] - (c < last->categories ? last->counts[c] : 0);
            point->counts[c] = came > 0 ? (float)came : 0;
        }
    }
    trend->last = *now;
    trend->any = true;
    trend->ticks = 0;
}

void tw_trend_write(const tw_trend *trend, int scorers, tw_buf *out) {
    uint64_t first = trend->count > TW_TREND_STEPS ? trend->count - TW_TREND_STEPS : 0;
    tw_buf_printf(out, "\"points\":[");
    for (uint64_t i = first; i < trend->count; i++) {
        const tw_trend_point *p = &trend->points[i % TW_TREND_STEPS];
        tw_buf_printf(out, "%s{\"at_ms\":%" PRId64 ",\"asked\":%" PRIu64 ",\"blend\":%" PRIu64 ",\"by\":[",
                      i > first ? "," : "", p->at_ms, p->hits.asked, p->hits.blend);
        for (int s = 0; s < scorers; s++)
            tw_buf_printf(out, "%s%" PRIu64, s ? "," : "", p->hits.by[s]);
        tw_buf_printf(out, "],\"counts\":[");
        for (uint32_t c = 0; c < p->categories; c++)
            tw_buf_printf(out, "%s%.4g", c ? "," : "", (double)p->counts[c]);
        tw_buf_printf(out, "]}");
    }
    tw_buf_u8(out, ']');
}
