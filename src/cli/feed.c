/* `tailwater feed`: a make-believe shop into the input topics, to try a configuration before the real events flow. */
#include "cli/cli.h"
#include "cli/feeder.h"

#include "base/clock.h"
#include "base/log.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <time.h>

#define CHUNK 200
#define PAUSE_MS 5

/* What was sent is acknowledged; after a stop was asked for, at most shutdown.timeout.ms are waited for that. */
static tw_code finish(tw_feeder *feeder, int64_t wait_ms, tw_err *err) {
    int64_t stopped_ms = 0;
    tw_code code;
    while ((code = tw_feeder_flush(feeder, 200, err)) == TW_E_BUSY) {
        int64_t now_ms = tw_clock_steady_ns(&tw_clock_system) / 1000000;
        if (tw_stop_wanted() && !stopped_ms)
            stopped_ms = now_ms;
        if (stopped_ms && now_ms - stopped_ms >= wait_ms)
            break;
    }
    return code;
}

/* All at once when the shop ends, in real time when it does not. */
static tw_code feed(tw_feeder *feeder, bool live, int64_t wait_ms, tw_err *err) {
    TW_TRY(tw_feeder_send_items(feeder, err));
    while (!tw_feeder_ended(feeder) && !tw_stop_wanted()) {
        int count;
        int64_t until_ms = live ? tw_clock_wall_ms(&tw_clock_system) : INT64_MAX;
        TW_TRY(tw_feeder_send(feeder, CHUNK, until_ms, &count, err));
        tw_code code = tw_feeder_flush(feeder, 0, err);
        if (code != TW_OK && code != TW_E_BUSY)
            return code;
        if (live && count < CHUNK)
            nanosleep(&(struct timespec){.tv_nsec = PAUSE_MS * 1000000L}, NULL);
    }
    return finish(feeder, wait_ms, err);
}

static tw_code run(int argc, char **argv, tw_err *err) {
    int64_t events = 0, rate = 100, users = 1000, items = 2000, seed = 1;
    const tw_option options[] = {
        {.name = "events",
         .value = "N",
         .doc = "So many events at once, the last of them now (default: endless, in real time)",
         .number = &events,
         .number_min = 1,
         .number_max = INT64_MAX / 2},
        {.name = "rate",
         .value = "N",
         .doc = "Events a second of event time (default 100)",
         .number = &rate,
         .number_min = 1,
         .number_max = 1000000},
        {.name = "users",
         .value = "N",
         .doc = "Users of the shop (default 1000)",
         .number = &users,
         .number_min = 1,
         .number_max = UINT32_MAX / 2},
        {.name = "items",
         .value = "N",
         .doc = "Items of the shop (default 2000)",
         .number = &items,
         .number_min = 1,
         .number_max = 10000000},
        {.name = "seed",
         .value = "N",
         .doc = "Another shop for another number (default 1)",
         .number = &seed,
         .number_max = INT64_MAX},
        {0}};
    tw_config config;
    tw_args args;
    tw_feeder *feeder = NULL;
    tw_shop_options shop;
    tw_config_init(&config);
    tw_code code = tw_args_parse(&tw_command_feed, options, argc, argv, &config, 0, 0, &args, err);
    if (code != TW_OK || args.help)
        goto done;
    tw_log_set((tw_log_level)config.log_level, (tw_log_format)config.log_format);
    tw_stop_catch();
    tw_shop_defaults(&shop);
    shop.events = (uint64_t)events;
    shop.events_per_s = (double)rate;
    shop.users = (uint32_t)users;
    shop.items = (uint32_t)items;
    shop.seed = (uint64_t)seed;
    shop.end_ms = tw_clock_wall_ms(&tw_clock_system);
    if ((code = tw_feeder_open(&config, &shop, &feeder, err)) != TW_OK)
        goto done;
    code = feed(feeder, events == 0, config.shutdown_timeout_ms, err);
    if (code == TW_OK)
        printf("sent %" PRIu64 " records\n", tw_feeder_sent(feeder));
done:
    tw_feeder_close(feeder);
    tw_config_done(&config);
    return code;
}

const tw_command tw_command_feed = {"feed", "--config FILE [--events N] [--rate N]",
                                    "Sends a make-believe shop into the input topics, to try a configuration", run};
