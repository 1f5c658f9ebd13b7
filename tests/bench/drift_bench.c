/* The drift table: detection, delay and false alarms on the synthetic shop with planted changes, default settings.
 *
 *   drift_bench [EVENTS] [still|population|users] [KEY=VALUE...]      default 10,000,000 events, all three streams one after another
 *
 * still: nothing changes, so that each alarm is a false one. population: a season, prices or what goes with what changes 60 times. users: the whole taste of
 * one user in twenty is replaced 60 times. */
#include "support/planted.h"

#include <stdio.h>

static const char *const streams[] = {"still", "population", "users"};
enum { STILL, POPULATION, USERS, STREAMS };

static planted table;

static void plant(tw_shop_options *shop, int stream) {
    shop->plant_every = stream == STILL ? 0 : shop->events / 61;
    shop->plant_share = stream == USERS ? 0.05 : 0.2;
    shop->plants_count = stream == USERS ? 1 : 3;
    for (int i = 0; stream == POPULATION && i < 3; i++)
        shop->plants[i] = (tw_shop_plant)(TW_SHOP_SEASON + i);
}

static void print_users(void) {
    printf("  planted %llu, noticed within %d events %.3f, median delay %u, false alarms %.2f in 100,000 events\n",
           (unsigned long long)table.user_plants, PLANTED_USER_EVENTS,
           (double)table.user_found / (double)table.user_plants, planted_median(&table),
           (double)table.user_false * 1e5 / (double)table.events);
}

static int run(uint64_t events, const tw_config *config, int stream) {
    static const char *const names[TW_SHOP_PLANTS] = {"taste", "season", "prices", "relations"};
    tw_err err = {0};
    table = (planted){.talk = true};
    tw_shop_defaults(&table.shop);
    table.shop.events = events;
    table.shop.end_ms = 1700000000000;
    table.shop.shifts = 0;
    plant(&table.shop, stream);
    if (planted_run(&table, config, &err) != TW_OK) {
        fprintf(stderr, "error: %s\n", err.text);
        return 1;
    }
    double millions = (double)table.events / 1e6;
    printf(
        "%s: %llu events of users; of population and model %.2f unprovoked alarms a million, %.2f told again; of users "
        "%.2f false in 100,000\n",
        streams[stream], (unsigned long long)table.events, (double)table.unprovoked / millions,
        (double)table.again / millions, (double)table.user_false / millions / 10);
    for (int k = TW_SHOP_SEASON; k < TW_SHOP_PLANTS; k++)
        if (table.plants[k])
            printf("  %-10s planted %3llu, noticed within %d events %3llu, mean delay %.0f\n", names[k],
                   (unsigned long long)table.plants[k], PLANTED_WITHIN, (unsigned long long)table.found[k],
                   table.found[k] ? (double)table.delays[k] / (double)table.found[k] : 0.0);
    if (stream == USERS)
        print_users();
    fflush(stdout);
    return 0;
}

int main(int argc, char **argv) {
    tw_config config;
    tw_err err = {0};
    uint64_t events = argc > 1 ? strtoull(argv[1], NULL, 10) : 10000000;
    int only = -1, failed = 0;
    tw_config_init(&config);
    config.drift_enabled = true;
    for (int i = 2; i < argc; i++) {
        bool named = false;
        for (int s = 0; s < STREAMS; s++)
            if (strcmp(argv[i], streams[s]) == 0) {
                only = s;
                named = true;
            }
        if (!named && tw_config_set(&config, argv[i], &err) != TW_OK) {
            fprintf(stderr, "error: %s\n", err.text);
            return 2;
        }
    }
    for (int s = 0; s < STREAMS && !failed; s++)
        if (only < 0 || only == s)
            failed = run(events, &config, s);
    tw_config_done(&config);
    return failed;
}
