/* `tailwater profile USER --state DIR`: who a user is now, from the last commit, beside a running writer. */
#include "cli/cli.h"

#include "engine/engine.h"
#include "pipeline/publish/sink.h"

#include <inttypes.h>
#include <math.h>

#define BAR_WIDTH 40

static void write_shares(const char *title, const tw_profile_shares *shares, tw_buf *buf) {
    tw_buf_printf(buf, "\n%s%s", title, shares->count ? "" : ": none");
    for (int i = 0; i < shares->count; i++) {
        const tw_profile_share *share = &shares->shares[i];
        tw_buf_printf(buf, "\n  %5.1f%%  ", (double)share->share * 100);
        for (int k = 0; k < (int)(share->share * BAR_WIDTH + 0.5f); k++)
            tw_buf_printf(buf, "▪");
        tw_buf_printf(buf, "%s" TW_SLICE_FMT, share->share * BAR_WIDTH >= 0.5f ? " " : "",
                      TW_SLICE_ARG(share->category));
    }
}

static void write_table(const tw_user_profile *p, tw_buf *buf) {
    tw_buf_printf(buf, "user " TW_SLICE_FMT ", %s, profile version %" PRIu64 "\n%" PRIu32 " events, %.3g a day",
                  TW_SLICE_ARG(p->user_id), tw_segment_name(p->segment), p->profile_version, p->events,
                  p->events_per_day);
    if (isfinite(p->price))
        tw_buf_printf(buf, ", price %.4g (%s)", p->price, tw_price_band_name(p->price_band));
    if (isfinite(p->propensity))
        tw_buf_printf(buf, ", propensity %.3f", (double)p->propensity);
    write_shares("next item, by the profile network", &p->categories, buf);
    write_shares("interests, short horizon", &p->interests_short, buf);
    write_shares("interests, long horizon", &p->interests_long, buf);
    if (isfinite(p->distance))
        tw_buf_printf(buf, "\nsince the last one published: distance %.3f", p->distance);
    for (int i = 0; i < p->moves_count; i++)
        tw_buf_printf(buf, "\n  " TW_SLICE_FMT " %.1f%% to %.1f%%", TW_SLICE_ARG(p->moves[i].category),
                      (double)p->moves[i].from * 100, (double)p->moves[i].to * 100);
}

static tw_code answer(void *self, tw_engine *engine, const tw_config *config, const tw_args *args, tw_buf *out,
                      tw_err *err) {
    const bool *json = self;
    tw_user_profile profile;
    (void)config;
    TW_TRY(tw_engine_profile(engine, tw_slice_of(args->positionals[0]), &profile, err));
    (*json ? tw_profile_write_json : write_table)(&profile, out);
    return TW_OK;
}

static tw_code run(int argc, char **argv, tw_err *err) {
    const char *state_dir = NULL;
    bool json = false;
    const tw_option options[] = {
        {.name = "state", .value = "DIR", .doc = "Directory of the durable state", .text = &state_dir},
        {.name = "json", .doc = "One JSON object, with the names of schemas/profile.avsc", .flag = &json},
        {0}};
    const tw_state_question question = {&tw_command_profile, options, 1, &state_dir, answer, &json};
    return tw_ask_state(&question, argc, argv, err);
}

const tw_command tw_command_profile = {"profile", "USER --state DIR [--json]",
                                       "Prints who a user is now: interests, activity, what changed", run};
