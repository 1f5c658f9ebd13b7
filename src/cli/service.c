/* Signals and words of a service. Called by `run`; main thread. */
#include "cli/service.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/notify.h"
#include "cli/cli.h"

#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#define STATUS_EVERY_NS 5000000000

static volatile sig_atomic_t reload_wanted;

static void on_reload(int signal_number) {
    (void)signal_number;
    reload_wanted = 1;
}

static volatile sig_atomic_t all_committed;

static void on_overdue(int signal_number) {
    static const char text[] =
        "tailwater run: the stop took longer than shutdown.timeout.ms and 5 s: ended by force; the "
        "next start goes on from the last commit\n";
    (void)signal_number;
    (void)!write(STDERR_FILENO, text, sizeof text - 1);
    _exit(all_committed ? TW_EXIT_DONE
                        : TW_EXIT_FAILURE); /* the former: only the group does not know yet that we left */
}

void tw_service_begin(tw_service *service) {
    signal(SIGHUP, on_reload);
    service->watchdog_ns = tw_notify_watchdog_us() * 1000 / 2;
    tw_notify("STATUS=starting");
}

static bool may_change(const char *key) {
    return strcmp(key, "log.level") == 0 || strncmp(key, "rank.", 5) == 0;
}

/* Quotes would end the value in the log. */
static void plain(char *text) {
    for (; *text; text++)
        if (*text == '"' || *text == '\n')
            *text = '\'';
}

static void reload(tw_service *service) {
    tw_config fresh;
    tw_err err = {0};
    tw_buf taken = {0}, ignored = {0};
    tw_rank_ids *ids = NULL;
    tw_config_init(&fresh);
    if (service->read(service->read_self, &fresh, &err) != TW_OK || tw_rank_ids_open(&fresh, &ids, &err) != TW_OK) {
        plain(err.text);
        tw_log_error("reload", "text=\"refused, the old settings stay: %s\"", err.text);
    } else {
        tw_config_take_over(service->config, &fresh, may_change, &taken, &ignored);
        tw_engine_reload(service->engine, service->config, ids);
        tw_log_set((tw_log_level)service->config->log_level, (tw_log_format)service->config->log_format);
        tw_log_warn("reload", "changed=\"" TW_SLICE_FMT "\" needs_restart=\"" TW_SLICE_FMT "\"",
                    TW_SLICE_ARG(tw_buf_slice(&taken)), TW_SLICE_ARG(tw_buf_slice(&ignored)));
    }
    tw_buf_done(&taken);
    tw_buf_done(&ignored);
    tw_config_done(&fresh);
}

static void tell_status(const tw_service *service) {
    tw_totals t;
    tw_engine_totals(service->engine, &t);
    tw_notify("STATUS=%s; consumed %" PRIu64 ", lists %" PRIu64,
              tw_engine_ready(service->engine) ? "streaming" : "catching up, or waiting for a broker", t.consumed,
              t.lists);
}

void tw_service_beat(void *self) {
    tw_service *service = self;
    int64_t now_ns = tw_clock_steady_ns(&tw_clock_system);
    if (!service->engine)
        return;
    if (!service->ready && tw_engine_ready(service->engine)) {
        service->ready = true;
        tw_notify("READY=1");
        service->status_ns = 0;
    }
    if (service->watchdog_ns && now_ns - service->beat_ns >= service->watchdog_ns) {
        service->beat_ns = now_ns;
        tw_notify("WATCHDOG=1");
    }
    if (now_ns - service->status_ns >= STATUS_EVERY_NS) {
        service->status_ns = now_ns;
        tell_status(service);
    }
    if (reload_wanted) {
        reload_wanted = 0;
        reload(service);
    }
}

void tw_service_stop(tw_service *service) {
    if (service->stopping)
        return;
    service->stopping = true;
    int64_t most_ms = service->config->shutdown_timeout_ms + TW_SERVICE_REST_MS;
    struct itimerval timer = {.it_value = {most_ms / 1000, most_ms % 1000 * 1000}};
    tw_notify("STOPPING=1\nSTATUS=waiting for acknowledgements");
    signal(SIGALRM, on_overdue);
    setitimer(ITIMER_REAL, &timer, NULL);
}

void tw_service_committed(void) {
    all_committed = 1;
}
