/* Chromium over a pipe; see browser.h. */
#include "browser.h"

#include "base/alloc.h"
#include "base/json.h"
#include "support/test.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_S 60
#define CHROMIUM "/usr/bin/chromium"

extern char **environ;

struct browser {
    pid_t pid;
    int to, from;
    int id; /* of the last command */
    char session[64];
    tw_buf in;     /* read, not yet taken */
    tw_buf answer; /* to the last command */
    tw_buf errors, network_errors;
    int width, height;
    double scale;
    bool phone;
};

/* A browser takes minutes and most of a small machine: it is asked for by name. */
bool browser_exists(void) {
    return getenv("TAILWATER_BROWSER") != NULL && access(CHROMIUM, X_OK) == 0;
}

/* ---- messages ----------------------------------------------------------------------------------------------------- */

/* The text after "name":" in a message, unescaped; false when there is none. */
static bool text_field(const char *message, const char *name, tw_buf *out) {
    char key[64];
    snprintf(key, sizeof key, "\"%s\":\"", name);
    const char *at = strstr(message, key);
    if (!at)
        return false;
    for (at += strlen(key); *at && *at != '"'; at++) {
        if (*at != '\\') {
            tw_buf_u8(out, (uint8_t)*at);
            continue;
        }
        at++;
        if (*at == 'u') { /* beyond ASCII a '?': tests ask for figures and words */
            long code = strtol((char[5]){at[1], at[2], at[3], at[4], 0}, NULL, 16);
            tw_buf_u8(out, (uint8_t)(code < 128 ? code : '?'));
            at += 4;
        } else {
            tw_buf_u8(out, (uint8_t)(*at == 'n' ? '\n' : *at == 't' ? '\t' : *at));
        }
    }
    return true;
}

/* Keeps what the page complains of. */
static void note_event(browser *b, const char *message) {
    bool thrown = strstr(message, "\"method\":\"Runtime.exceptionThrown\"");
    bool logged = strstr(message, "\"method\":\"Log.entryAdded\"") && strstr(message, "\"level\":\"error\"");
    bool console = strstr(message, "\"method\":\"Runtime.consoleAPICalled\"") && strstr(message, "\"type\":\"error\"");
    if (!thrown && !logged && !console)
        return;
    tw_buf *to = logged && strstr(message, "\"source\":\"network\"") ? &b->network_errors : &b->errors;
    if (!text_field(message, thrown ? "description" : console ? "value" : "text", to))
        tw_buf_put(to, message, strlen(message));
    tw_buf_u8(to, '\n');
}

/* Takes bytes off the front. */
static void drop(tw_buf *buf, size_t size) {
    if (size)
        memmove(buf->data, buf->data + size, buf->size - size);
    buf->size -= size;
}

/* The next message, valid until the call after; the test fails when none comes. */
static const char *next_message(browser *b, size_t *taken) {
    tw_buf *in = &b->in;
    drop(in, *taken);
    for (;;) {
        char *end = in->size ? memchr(in->data, 0, in->size) : NULL;
        if (end) {
            *taken = (size_t)(end - in->data) + 1;
            return in->data;
        }
        struct pollfd ready = {.fd = b->from, .events = POLLIN};
        if (poll(&ready, 1, PATIENCE_S * 1000) != 1)
            tw_test_fail(__FILE__, __LINE__, "the browser said nothing for %d s", PATIENCE_S);
        ssize_t n = read(b->from, tw_buf_reserve(in, 1 << 16), 1 << 16);
        if (n <= 0)
            tw_test_fail(__FILE__, __LINE__, "the browser has gone");
        in->size += (size_t)n;
    }
}

/* Sends a command and waits for its answer. */
__attribute__((format(printf, 3, 4))) static const char *command(browser *b, const char *method, const char *fmt, ...) {
    char mark[32];
    tw_buf out = {0};
    va_list args;
    va_start(args, fmt);
    int size = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    char *parameters = tw_alloc((size_t)size + 1);
    va_start(args, fmt);
    vsnprintf(parameters, (size_t)size + 1, fmt, args);
    va_end(args);
    tw_buf_printf(&out, "{\"id\":%d,\"method\":\"%s\",\"params\":{", ++b->id, method);
    tw_buf_put(&out, parameters, (size_t)size);
    free(parameters);
    tw_buf_u8(&out, '}');
    if (b->session[0])
        tw_buf_printf(&out, ",\"sessionId\":\"%s\"", b->session);
    tw_buf_printf(&out, "}");
    tw_buf_u8(&out, 0);
    for (size_t sent = 0; sent < out.size;) {
        ssize_t n = write(b->to, out.data + sent, out.size - sent);
        if (n <= 0)
            tw_test_fail(__FILE__, __LINE__, "the browser does not listen");
        sent += (size_t)n;
    }
    tw_buf_done(&out);
    snprintf(mark, sizeof mark, "{\"id\":%d,", b->id);
    size_t taken = 0;
    const char *message;
    while (strncmp(message = next_message(b, &taken), mark, strlen(mark)) != 0)
        note_event(b, message);
    tw_buf_clear(&b->answer);
    tw_buf_put(&b->answer, message, taken);
    drop(&b->in, taken);
    if (strstr(b->answer.data, "\"error\":{\"code\""))
        tw_test_fail(__FILE__, __LINE__, "%s: %.300s", method, b->answer.data);
    return b->answer.data;
}

/* ---- coming and going --------------------------------------------------------------------------------------------- */

/* A pipe whose ends stay clear of the numbers 3 and 4, which are the browser's. */
static void make_pipe(int ends[2]) {
    int low[2];
    if (pipe2(low, O_CLOEXEC) != 0)
        tw_test_fail(__FILE__, __LINE__, "pipe: %s", strerror(errno));
    for (int i = 0; i < 2; i++) {
        ends[i] = fcntl(low[i], F_DUPFD_CLOEXEC, 10);
        close(low[i]);
    }
}

browser *browser_open(const char *profile_dir) {
    browser *b = tw_zalloc(sizeof *b);
    char profile[600];
    int to[2], from[2];
    snprintf(profile, sizeof profile, "--user-data-dir=%s", profile_dir);
    char *argv[] = {CHROMIUM,
                    "--headless",
                    "--no-sandbox",
                    "--disable-gpu",
                    "--disable-quic",
                    "--disable-dev-shm-usage",
                    "--no-first-run",
                    "--disable-background-networking",
                    "--disable-component-update",
                    "--disable-sync",
                    "--hide-scrollbars",
                    "--remote-debugging-pipe",
                    profile,
                    "about:blank",
                    NULL};
    make_pipe(to);
    make_pipe(from);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, to[0], 3);
    posix_spawn_file_actions_adddup2(&actions, from[1], 4);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    int failed = posix_spawn(&b->pid, CHROMIUM, &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(to[0]);
    close(from[1]);
    b->to = to[1];
    b->from = from[0];
    if (failed)
        tw_test_fail(__FILE__, __LINE__, "%s: %s", CHROMIUM, strerror(failed));
    tw_buf id = {0};
    text_field(command(b, "Target.createTarget", "\"url\":\"about:blank\""), "targetId", &id);
    tw_buf session = {0};
    text_field(command(b, "Target.attachToTarget", "\"targetId\":\"%.*s\",\"flatten\":true", (int)id.size, id.data),
               "sessionId", &session);
    snprintf(b->session, sizeof b->session, "%.*s", (int)session.size, session.data);
    tw_buf_done(&id);
    tw_buf_done(&session);
    command(b, "Page.enable", " ");
    command(b, "Runtime.enable", " ");
    command(b, "Log.enable", " ");
    command(b, "Network.enable", " ");
    return b;
}

browser *browser_close(browser *b) {
    if (!b)
        return NULL;
    b->session[0] = '\0';
    command(b, "Browser.close", " ");
    close(b->to);
    close(b->from);
    for (int i = 0; i < 500 && waitpid(b->pid, NULL, WNOHANG) == 0; i++) {
        if (i == 499) {
            kill(b->pid, SIGKILL);
            waitpid(b->pid, NULL, 0);
        }
        usleep(10000);
    }
    tw_buf_done(&b->in);
    tw_buf_done(&b->answer);
    tw_buf_done(&b->errors);
    tw_buf_done(&b->network_errors);
    free(b);
    return NULL;
}

/* ---- doing -------------------------------------------------------------------------------------------------------- */

static void set_metrics(browser *b, int height) {
    command(b, "Emulation.setDeviceMetricsOverride",
            "\"width\":%d,\"height\":%d,\"deviceScaleFactor\":%g,\"mobile\":%s", b->width, height, b->scale,
            b->phone ? "true" : "false");
}

void browser_size(browser *b, int width, int height, double scale, bool phone) {
    b->width = width;
    b->height = height;
    b->scale = scale;
    b->phone = phone;
    set_metrics(b, height);
}

void browser_prefers(browser *b, const char *scheme, bool reduced_motion) {
    command(b, "Emulation.setEmulatedMedia",
            "\"features\":[{\"name\":\"prefers-color-scheme\",\"value\":\"%s\"},"
            "{\"name\":\"prefers-reduced-motion\",\"value\":\"%s\"}]",
            scheme, reduced_motion ? "reduce" : "no-preference");
}

void browser_go(browser *b, const char *url) {
    tw_buf quoted = {0};
    tw_json_text(&quoted, tw_slice_of(url));
    command(b, "Page.navigate", "\"url\":%.*s", (int)quoted.size, quoted.data);
    tw_buf_done(&quoted);
    browser_await(b, "String(location.href !== 'about:blank' && document.readyState === 'complete')");
}

const char *browser_eval(browser *b, const char *expression) {
    static char text[1 << 16];
    tw_buf quoted = {0}, value = {0};
    tw_json_text(&quoted, tw_slice_of(expression));
    const char *answer =
        command(b, "Runtime.evaluate", "\"expression\":%.*s,\"awaitPromise\":true,\"returnByValue\":true",
                (int)quoted.size, quoted.data);
    if (strstr(answer, "\"exceptionDetails\""))
        tw_test_fail(__FILE__, __LINE__, "%s: %.600s", expression, answer);
    if (!text_field(answer, "value", &value))
        tw_test_fail(__FILE__, __LINE__, "%s is no string: %.300s", expression, answer);
    snprintf(text, sizeof text, "%.*s", (int)value.size, value.size ? value.data : "");
    tw_buf_done(&quoted);
    tw_buf_done(&value);
    return text;
}

void browser_await(browser *b, const char *expression) {
    for (int i = 0; i < PATIENCE_S * 20; i++) {
        if (strcmp(browser_eval(b, expression), "true") == 0)
            return;
        usleep(50000);
    }
    tw_test_fail(__FILE__, __LINE__, "never true: %s", expression);
}

void browser_key(browser *b, const char *key, int code) {
    static const char *const types[] = {"rawKeyDown", "char", "keyUp"};
    for (int i = 0; i < 3; i++) {
        bool prints = strcmp(key, "Enter") == 0;
        if (i == 1 && !prints)
            continue;
        command(b, "Input.dispatchKeyEvent",
                "\"type\":\"%s\",\"key\":\"%s\",\"code\":\"%s\",\"windowsVirtualKeyCode\":%d,\"text\":\"%s\"", types[i],
                key, key, code, i == 1 ? "\\r" : "");
    }
}

void browser_click(browser *b, const char *selector) {
    char expression[600];
    double x = 0, y = 0;
    snprintf(
        expression, sizeof expression,
        "(() => { const e = document.querySelector('%s'); e.scrollIntoView({block: 'center', behavior: 'instant'}); "
        "const r = e.getBoundingClientRect(); return (r.x + r.width / 2) + ' ' + (r.y + r.height / 2); })()",
        selector);
    if (sscanf(browser_eval(b, expression), "%lf %lf", &x, &y) != 2)
        tw_test_fail(__FILE__, __LINE__, "%s is nowhere", selector);
    static const char *const types[] = {"mousePressed", "mouseReleased"};
    for (int i = 0; i < 2; i++)
        command(b, "Input.dispatchMouseEvent", "\"type\":\"%s\",\"x\":%g,\"y\":%g,\"button\":\"left\",\"clickCount\":1",
                types[i], x, y);
}

void browser_offline(browser *b, bool offline) {
    command(b, "Network.emulateNetworkConditions",
            "\"offline\":%s,\"latency\":0,\"downloadThroughput\":-1,\"uploadThroughput\":-1",
            offline ? "true" : "false");
}

static int value_of_base64(char c) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c ? strchr(digits, c) : NULL;
    return at ? (int)(at - digits) : -1;
}

void browser_screenshot(browser *b, const char *path, bool whole) {
    if (whole) {
        set_metrics(b, atoi(browser_eval(b, "String(Math.ceil(document.documentElement.scrollHeight))")));
        browser_eval(b, "new Promise(done => requestAnimationFrame(() => setTimeout(() => done('drawn'), 600)))");
    }
    tw_buf data = {0};
    text_field(command(b, "Page.captureScreenshot", "\"format\":\"png\""), "data", &data);
    FILE *file = fopen(path, "wb");
    if (!file)
        tw_test_fail(__FILE__, __LINE__, "%s: %s", path, strerror(errno));
    uint32_t bits = 0;
    int have = 0;
    for (size_t i = 0; i < data.size; i++) {
        int value = value_of_base64(data.data[i]);
        if (value < 0)
            break;
        bits = bits << 6 | (uint32_t)value;
        have += 6;
        if (have >= 8)
            fputc((int)(bits >> (have -= 8) & 255), file);
    }
    fclose(file);
    tw_buf_done(&data);
    if (whole)
        set_metrics(b, b->height);
}

const char *browser_complaints(browser *b, bool network) {
    static char text[1 << 14];
    command(b, "Runtime.evaluate", "\"expression\":\"0\""); /* takes in what has come meanwhile */
    snprintf(text, sizeof text, "%.*s%.*s", (int)b->errors.size, b->errors.size ? b->errors.data : "",
             network ? (int)b->network_errors.size : 0,
             network && b->network_errors.size ? b->network_errors.data : "");
    tw_buf_clear(&b->errors);
    tw_buf_clear(&b->network_errors);
    return text;
}
