/* A headless Chromium, spoken to over a pipe (--remote-debugging-pipe: JSON messages that end in a zero byte), with one open
 * page. A test fails when the browser does not do as told within a minute. */
#ifndef TW_TEST_BROWSER_H
#define TW_TEST_BROWSER_H

#include <stdbool.h>
#include <stddef.h>

typedef struct browser browser;

bool browser_exists(void);
browser *browser_open(const char *profile_dir); /* an empty directory */
browser *browser_close(browser *b);

/* The window in CSS pixels and how many of the screen's pixels make one. */
void browser_size(browser *b, int width, int height, double scale, bool phone);
void browser_prefers(browser *b, const char *scheme, bool reduced_motion); /* "light" or "dark" */
void browser_go(browser *b, const char *url);                              /* returns when loaded */

/* Evaluates a JavaScript expression to a string (static storage, until the next call); promises are waited for. */
const char *browser_eval(browser *b, const char *expression);
/* Evaluates until the result is "true"; the test fails when it never is. */
void browser_await(browser *b, const char *expression);

void browser_key(browser *b, const char *key, int code); /* "Tab", 9 */
void browser_click(browser *b, const char *selector);    /* the middle of what it names */
void browser_offline(browser *b, bool offline);
void browser_screenshot(browser *b, const char *path, bool whole); /* PNG; whole: the page beyond the window as well */

/* Everything the page complained of since the last call: exceptions, console errors and refused loads, one a line; "" when
 * there was nothing. Failed requests count only with network true. */
const char *browser_complaints(browser *b, bool network);

#endif
