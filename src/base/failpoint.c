/* Failpoints, armed by the environment before main. */
#include "base/failpoint.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const point_names[TW_FAILPOINT_COUNT] = {
#define POINT_NAME(name, text, doc) text,
    TW_FAILPOINT_LIST(POINT_NAME)
#undef POINT_NAME
};

bool tw_failpoint_armed;
static int armed_point;
static bool armed_fail;
static _Atomic long passes_left;

__attribute__((constructor)) static void arm(void) {
    const char *text = getenv("TAILWATER_FAILPOINT");
    const char *colon = text ? strchr(text, ':') : NULL;
    if (!colon)
        return;
    for (int p = 0; p < TW_FAILPOINT_COUNT; p++)
        if (strlen(point_names[p]) == (size_t)(colon - text) &&
            strncmp(point_names[p], text, (size_t)(colon - text)) == 0) {
            char *end;
            armed_point = p;
            passes_left = strtol(colon + 1, &end, 10);
            armed_fail = strcmp(end, ":fail") == 0;
            tw_failpoint_armed = true;
        }
}

bool tw_failpoint_pass(tw_failpoint point) {
    if ((int)point != armed_point || --passes_left != 0)
        return false;
    if (!armed_fail)
        kill(getpid(), SIGKILL);
    return true;
}

void tw_failpoint_arm(tw_failpoint point, long passes) {
    armed_point = (int)point;
    armed_fail = true;
    passes_left = passes;
    tw_failpoint_armed = passes > 0;
}
