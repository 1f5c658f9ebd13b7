/* Words to systemd, as sd_notify(3) has them, over the datagram socket that NOTIFY_SOCKET names. Without one nothing happens.
 * Thread: any. */
#ifndef TW_BASE_NOTIFY_H
#define TW_BASE_NOTIFY_H

#include <stdint.h>

/* "READY=1", "STATUS=...", several split by line breaks. What cannot be sent is dropped: it is a courtesy. */
__attribute__((format(printf, 1, 2))) void tw_notify(const char *fmt, ...);

/* How often WATCHDOG=1 is wanted at the latest, in microseconds; 0: not at all. */
int64_t tw_notify_watchdog_us(void);

#endif
