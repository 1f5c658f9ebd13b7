/* Questions from HTTP threads, answered by the engine thread between two steps: the state has one owner and needs no locks.
 * A question waits in the asker's own stack frame; whoever gives up takes it back under the lock. */
#include "engine/internal.h"

#include "base/alloc.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

typedef struct letter {
    tw_question_fn answer;
    void *question;
    bool done;
    struct letter *next;
} letter;

struct tw_mailbox {
    pthread_mutex_t lock;
    pthread_cond_t answered;
    letter *first, **last;
    _Atomic bool waiting; /* read without the lock at each step */
};

tw_mailbox *tw_mailbox_create(void) {
    tw_mailbox *mailbox = tw_zalloc(sizeof *mailbox);
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_mutex_init(&mailbox->lock, NULL);
    pthread_cond_init(&mailbox->answered, &attr);
    pthread_condattr_destroy(&attr);
    mailbox->last = &mailbox->first;
    return mailbox;
}

tw_mailbox *tw_mailbox_free(tw_mailbox *mailbox) {
    if (mailbox) {
        pthread_cond_destroy(&mailbox->answered);
        pthread_mutex_destroy(&mailbox->lock);
        free(mailbox);
    }
    return NULL;
}

static void take_back(tw_mailbox *mailbox, letter *mine) {
    for (letter **at = &mailbox->first; *at; at = &(*at)->next)
        if (*at == mine) {
            *at = mine->next;
            if (mailbox->last == &mine->next)
                mailbox->last = at;
            return;
        }
}

tw_code tw_engine_ask(tw_engine *engine, tw_question_fn answer, void *question, int wait_ms) {
    tw_mailbox *mailbox = engine->mailbox;
    letter mine = {answer, question, false, NULL};
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += wait_ms / 1000;
    until.tv_nsec += (wait_ms % 1000) * 1000000L;
    if (until.tv_nsec >= 1000000000L) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000L;
    }
    pthread_mutex_lock(&mailbox->lock);
    *mailbox->last = &mine;
    mailbox->last = &mine.next;
    mailbox->waiting = true;
    while (!mine.done && pthread_cond_timedwait(&mailbox->answered, &mailbox->lock, &until) != ETIMEDOUT) {
    }
    if (!mine.done)
        take_back(mailbox, &mine);
    pthread_mutex_unlock(&mailbox->lock);
    return mine.done ? TW_OK : TW_E_BUSY;
}

/* Answers under the lock: an asker that gives up meanwhile must find its letter answered or not, never half. */
void tw_engine_serve(tw_engine *engine) {
    tw_mailbox *mailbox = engine->mailbox;
    if (!mailbox->waiting)
        return;
    pthread_mutex_lock(&mailbox->lock);
    while (mailbox->first) {
        letter *one = mailbox->first;
        mailbox->first = one->next;
        one->answer(engine, one->question);
        one->done = true;
    }
    mailbox->last = &mailbox->first;
    mailbox->waiting = false;
    pthread_cond_broadcast(&mailbox->answered);
    pthread_mutex_unlock(&mailbox->lock);
}
