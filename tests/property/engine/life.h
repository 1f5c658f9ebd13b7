/* The life of an engine on a small shop, from what its directory holds to the end of the shop: what the tests of failures disturb. */
#ifndef TW_TEST_LIFE_H
#define TW_TEST_LIFE_H

#include "engine/engine.h"

#define LIFE_COMMITS_MAX 200

/* What it has come to. Zeroed at the start. */
typedef struct life {
    bool opened;
    int commits;                              /* that went through */
    tw_hash128 digests[LIFE_COMMITS_MAX + 1]; /* after so many of them */
    bool no_digests;                          /* do not fill them */
} life;

/* Settings and shop of the lives that follow; bounded: memory holds a fifth of the users (state.memory.max). */
void life_begin(int events, bool bounded);
void life_end(void);

/* To the end of the shop, or to the first failure, after which a commit must be refused. */
tw_code life_go_on(const char *dir, life *one, tw_err *err);

tw_hash128 life_state(const char *dir); /* what a new engine opens with */
bool life_same(tw_hash128 a, tw_hash128 b);

#endif
