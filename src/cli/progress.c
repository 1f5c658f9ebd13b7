/* The progress bar of long work, drawn over itself on stderr when that is a terminal. */
#include "cli/cli.h"

#include "base/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#define REDRAW_NS 200000000
#define BAR_WIDTH 30

void tw_progress_begin(tw_progress *progress, const char *what) {
    *progress = (tw_progress){.what = what, .start_ns = tw_clock_steady_ns(&tw_clock_system)};
    progress->visible = isatty(STDERR_FILENO);
}

void tw_progress_show(tw_progress *progress, int64_t done, int64_t all, uint64_t records) {
    if (!progress->visible)
        return;
    int64_t now_ns = tw_clock_steady_ns(&tw_clock_system);
    if (now_ns - progress->drawn_ns < REDRAW_NS)
        return;
    progress->drawn_ns = now_ns;
    double seconds = (double)(now_ns - progress->start_ns) * 1e-9;
    double share = all > 0 ? (double)done / (double)all : 0;
    char bar[BAR_WIDTH + 1];
    for (int i = 0; i < BAR_WIDTH; i++)
        bar[i] = i < (int)(share * BAR_WIDTH) ? '#' : '.';
    bar[BAR_WIDTH] = '\0';
    double left = share > 0.01 ? seconds / share - seconds : 0;
    fprintf(stderr, "\r%s [%s] %3.0f%%  %" PRIu64 " records  %.0f/s  %.0fs left\033[K", progress->what, bar,
            share * 100, records, seconds > 0 ? (double)records / seconds : 0, left);
    fflush(stderr);
}

void tw_progress_end(tw_progress *progress) {
    if (progress->visible)
        fprintf(stderr, "\r\033[K");
}
