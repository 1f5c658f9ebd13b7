#include "serve/server.h"

#include "browser.h"
#include "fake_shop.h"
#include "support/test.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The live page in a real browser, in front of the make-believe shop. Pictures are left in page-screenshots/ below the
 * working directory (the build's tests/ under ctest), for people to look at. */

typedef struct stage {
    fake_shop shop;
    tw_config config;
    tw_server_options options;
    tw_server *server;
    browser *browser;
} stage;

/* prepare, if any, is called on the shop before anyone looks at it. */
static stage *stage_open(void (*prepare)(fake_shop *)) {
    if (!browser_exists())
        tw_test_skip("needs chromium and TAILWATER_BROWSER=1");
    stage *s = calloc(1, sizeof *s);
    tw_err err;
    fake_shop_init(&s->shop, 24000);
    if (prepare)
        prepare(&s->shop);
    tw_config_init(&s->config);
    s->config.serve_port = 0;
    s->options = (tw_server_options){.config = &s->config,
                                     .backend = fake_shop_backend(&s->shop),
                                     .tick_ms = getenv("TW_PAGE_SECONDS") ? 1000 : 250};
    ASSERT_OK(tw_server_start(&s->options, &s->server, &err));
    s->browser = browser_open(tw_test_dir());
    browser_size(s->browser, 1360, 900, 1, false);
    browser_prefers(s->browser, "light", false);
    return s;
}

static void stage_close(stage *s) {
    browser_close(s->browser);
    tw_server_stop(s->server);
    tw_config_done(&s->config);
    fake_shop_done(&s->shop);
    free(s);
}

static void go(stage *s, const char *rest) {
    char url[1200];
    snprintf(url, sizeof url, "%s%s", tw_server_url(s->server), rest);
    browser_go(s->browser, url);
}

static void await_live(stage *s) {
    browser_await(s->browser, "String(document.querySelector('#status').dataset.state === 'live' && "
                              "/^[0-9]/.test(document.querySelector('#events-rate').textContent))");
}

static const char *text_of(stage *s, const char *selector) {
    char expression[300];
    snprintf(expression, sizeof expression, "document.querySelector('%s').textContent", selector);
    return browser_eval(s->browser, expression);
}

static void assert_quiet(stage *s, bool network) {
    const char *complaints = browser_complaints(s->browser, network);
    if (*complaints)
        tw_test_fail(__FILE__, __LINE__, "the page complains: %s", complaints);
}

static void picture(stage *s, const char *name, bool whole) {
    char path[300];
    mkdir("page-screenshots", 0755);
    snprintf(path, sizeof path, "page-screenshots/%s.png", name);
    browser_screenshot(s->browser, path, whole);
    struct stat st;
    ASSERT_EQ(stat(path, &st), 0);
    ASSERT_GT(st.st_size, 10000);
}

/* No part of the page may stick out to the side. */
static void assert_fits(stage *s) {
    ASSERT_STR(
        browser_eval(s->browser, "String(document.documentElement.scrollWidth - document.documentElement.clientWidth)"),
        "0");
}

TEST(the_page_shows_moving_figures_and_complains_of_nothing) {
    stage *s = stage_open(NULL);
    go(s, "");
    await_live(s);
    browser_await(s->browser, "String(document.querySelectorAll('#newest .card').length === 5)");
    browser_await(s->browser, "String(document.querySelectorAll('#verdicts tr').length === 4)");
    browser_await(s->browser, "String(document.querySelectorAll('#reasons .reason').length === 5)");
    browser_await(s->browser,
                  "String(document.querySelector('#throughput .line').getAttribute('d').split('L').length > 8)");
    browser_await(s->browser, "String(document.querySelectorAll('#freshness .bar').length > 5)");
    ASSERT_TRUE(strstr(text_of(s, "#reasons"), "the bytes are not CSV, JSON or Avro of this shape"));
    char before[100];
    snprintf(before, sizeof before, "%s", text_of(s, "#events-total"));
    char expression[300];
    snprintf(expression, sizeof expression, "String(document.querySelector('#events-total').textContent !== '%s')",
             before);
    browser_await(s->browser, expression);
    assert_fits(s);
    assert_quiet(s, true);
    stage_close(s);
}

TEST(the_page_is_worth_looking_at) {
    static const struct {
        const char *name, *scheme;
        int width, height;
        double scale;
        bool phone, whole;
    } views[] = {
        {"light", "light", 1360, 900, 1, false, true},    {"dark", "dark", 1360, 900, 1, false, true},
        {"readme", "light", 1280, 1400, 1, false, false}, /* src/serve/page/screenshot.png, with TW_PAGE_SECONDS=300 */
        {"tablet", "light", 820, 1100, 1, false, true},   {"phone-light", "light", 390, 844, 2, true, true},
        {"phone-dark", "dark", 390, 844, 2, true, true},  {"narrow", "light", 320, 640, 1, true, true},
    };
    const char *seconds = getenv("TW_PAGE_SECONDS"); /* for a picture with a longer history */
    stage *s = stage_open(NULL);
    go(s, "#user=u-48213");
    await_live(s);
    browser_await(s->browser, "String(document.querySelectorAll('#result .pick').length === 10)");
    sleep(seconds ? (unsigned)atoi(seconds) : 6);
    for (size_t i = 0; i < sizeof views / sizeof views[0]; i++) {
        browser_prefers(s->browser, views[i].scheme, false);
        browser_size(s->browser, views[i].width, views[i].height, views[i].scale, views[i].phone);
        browser_eval(s->browser, "new Promise(done => setTimeout(() => done('settled'), 700))");
        assert_fits(s);
        picture(s, views[i].name, views[i].whole);
    }
    assert_quiet(s, true);
    stage_close(s);
}

TEST(a_user_is_looked_up_by_keyboard_alone) {
    stage *s = stage_open(NULL);
    go(s, "");
    await_live(s);
    browser_eval(s->browser, "(document.querySelector('#user-id').focus(), 'focused')");
    browser_eval(s->browser, "(document.querySelector('#user-id').value = 'u-7/a b', 'typed')");
    browser_key(s->browser, "Enter", 13);
    browser_await(s->browser, "String(document.querySelectorAll('#result .pick').length === 10)");
    ASSERT_STR(text_of(s, "#result h3"), "u-7/a b");
    ASSERT_STR(fake_shop_question(&s->shop), "user u-7/a b top 10 category ");
    for (int i = 0; i < 2; i++) /* past the button, to the first item */
        browser_key(s->browser, "Tab", 9);
    ASSERT_STR(browser_eval(s->browser, "document.activeElement.className"), "link title");
    ASSERT_STR(browser_eval(s->browser, "getComputedStyle(document.activeElement).outlineStyle"), "solid");
    browser_key(s->browser, "Enter", 13);
    browser_await(s->browser, "String(document.querySelector('#result').textContent.includes('Similar items'))");
    ASSERT_STR(browser_eval(s->browser, "document.activeElement.tagName"), "H3"); /* not lost with what it replaced */
    browser_eval(s->browser, "(history.back(), 'back')");
    browser_await(s->browser, "String(document.querySelector('#result h3').textContent === 'u-7/a b')");
    assert_quiet(s, true);
    stage_close(s);
}

TEST(categories_and_hit_rates_are_drawn_and_read_by_arrow_keys) {
    stage *s = stage_open(NULL);
    go(s, "");
    browser_await(s->browser, "String(document.querySelectorAll('#mix .stream').length === 5)");
    browser_await(s->browser, "String(document.querySelectorAll('#hits .rate').length === 6)");
    ASSERT_TRUE(strstr(text_of(s, "#hits-key"), "What follows"));
    browser_await(s->browser, "String(document.querySelector('#events-total').textContent.includes('behind'))");
    browser_eval(s->browser, "(document.querySelector('#mix svg').focus(), 'focused')");
    browser_key(s->browser, "ArrowLeft", 37);
    browser_await(s->browser, "String(!document.querySelector('#mix .tip').hidden)");
    ASSERT_TRUE(strstr(text_of(s, "#mix .tip"), "Tea & coffee"));
    browser_key(s->browser, "Escape", 27);
    browser_await(s->browser, "String(document.querySelector('#mix .tip').hidden)");
    assert_quiet(s, true);
    stage_close(s);
}

TEST(a_user_is_shown_with_profile_and_past) {
    stage *s = stage_open(NULL);
    go(s, "#user=u-48213");
    browser_await(s->browser, "String(document.querySelectorAll('#result .tastes li').length === 5)");
    ASSERT_TRUE(strstr(text_of(s, "#result .who-facts"), "loyal"));
    ASSERT_STR(browser_eval(s->browser, "String(document.querySelectorAll('#result .past li').length)"), "6");
    browser_await(s->browser, "String(document.querySelectorAll('#result .chart .stream').length === 5)");
    go(s, "#user=stranger");
    browser_await(s->browser, "String(document.querySelector('#result').textContent.includes('not seen yet'))");
    ASSERT_STR(browser_eval(s->browser, "String(document.querySelectorAll('#result .profile').length)"), "0");
    assert_quiet(s, true);
    stage_close(s);
}

static void without_profiles(fake_shop *shop) {
    shop->unprofiled = true;
}

TEST(without_profiles_the_page_says_where_they_come_from_and_asks_for_none) {
    stage *s = stage_open(without_profiles);
    go(s, "#user=u-1");
    browser_await(s->browser, "String(document.querySelectorAll('#result .past li').length === 6)");
    browser_await(s->browser, "String(document.querySelector('#mix').textContent.includes('profile.enabled'))");
    ASSERT_STR(browser_eval(s->browser, "String(document.querySelectorAll('#result .tastes').length)"), "0");
    assert_quiet(s, true); /* a profile that is refused would be a complaint */
    stage_close(s);
}

TEST(an_item_in_the_feed_leads_to_items_like_it) {
    stage *s = stage_open(NULL);
    go(s, "");
    browser_await(s->browser, "String(document.querySelectorAll('#newest .card').length === 5)");
    browser_click(s->browser, "#newest .pick .title");
    browser_await(s->browser, "String(document.querySelectorAll('#result .pick').length > 3)");
    ASSERT_TRUE(strstr(fake_shop_question(&s->shop), "item i-"));
    picture(s, "similar", false);
    assert_quiet(s, true);
    stage_close(s);
}

TEST(the_chart_is_read_by_arrow_keys) {
    stage *s = stage_open(NULL);
    go(s, "");
    await_live(s);
    browser_eval(s->browser, "(document.querySelector('#throughput svg').focus(), 'focused')");
    browser_key(s->browser, "ArrowLeft", 37);
    browser_await(s->browser, "String(!document.querySelector('#throughput .tip').hidden)");
    ASSERT_TRUE(strstr(text_of(s, "#throughput .tip"), "Duplicate"));
    picture(s, "chart-keys", false);
    browser_key(s->browser, "Escape", 27);
    browser_await(s->browser, "String(document.querySelector('#throughput .tip').hidden)");
    stage_close(s);
}

TEST(pause_holds_the_figures_still) {
    stage *s = stage_open(NULL);
    go(s, "");
    await_live(s);
    browser_click(s->browser, "#pause");
    browser_await(s->browser, "String(document.querySelector('#status').dataset.state === 'paused')");
    char before[100];
    snprintf(before, sizeof before, "%s", text_of(s, "#events-total"));
    browser_eval(s->browser, "new Promise(done => setTimeout(() => done('later'), 1500))");
    ASSERT_STR(text_of(s, "#events-total"), before);
    browser_click(s->browser, "#pause");
    char expression[300];
    snprintf(expression, sizeof expression, "String(document.querySelector('#events-total').textContent !== '%s')",
             before);
    browser_await(s->browser, expression);
    stage_close(s);
}

static void without_events(fake_shop *shop) {
    shop->empty = true;
}

TEST(a_shop_without_events_says_what_it_waits_for) {
    stage *s = stage_open(without_events);
    go(s, "");
    browser_await(s->browser, "String(document.querySelector('#status').dataset.state === 'live')");
    browser_await(s->browser, "String(document.querySelector('#newest').textContent.includes('No list yet'))");
    ASSERT_TRUE(strstr(text_of(s, "#freshness"), "No list was made"));
    ASSERT_TRUE(strstr(text_of(s, "#reasons"), "None so far"));
    picture(s, "empty", true);
    assert_quiet(s, true);
    stage_close(s);
}

static void behind_and_clean(fake_shop *shop) {
    shop->ready = false;
    shop->clean = true;
}

TEST(catching_up_and_silence_are_said_in_words) {
    stage *s = stage_open(behind_and_clean);
    go(s, "");
    browser_await(s->browser, "String(document.querySelector('#status-text').textContent === 'Catching up')");
    ASSERT_TRUE(strstr(text_of(s, "#notice"), "Lists follow"));
    ASSERT_TRUE(strstr(text_of(s, "#reasons"), "every record so far"));
    s->shop.silent = true;
    browser_await(s->browser, "String(document.querySelector('#status').dataset.state === 'silent')");
    ASSERT_TRUE(strstr(text_of(s, "#notice"), "has not answered"));
    picture(s, "silent", true);
    s->shop.silent = false;
    s->shop.ready = true;
    await_live(s);
    ASSERT_STR(browser_eval(s->browser, "String(document.querySelector('#notice').hidden)"), "true");
    stage_close(s);
}

TEST(the_page_comes_back_by_itself_when_the_server_does) {
    stage *s = stage_open(NULL);
    tw_err err;
    go(s, "#user=u-1");
    await_live(s);
    s->config.serve_port = tw_server_port(s->server);
    s->server = tw_server_stop(s->server);
    browser_await(s->browser, "String(document.querySelector('#status').dataset.state === 'lost')");
    ASSERT_TRUE(strstr(text_of(s, "#notice"), "No word from the server since"));
    picture(s, "lost", false);
    ASSERT_OK(tw_server_start(&s->options, &s->server, &err));
    await_live(s);
    assert_quiet(s, false);
    stage_close(s);
}

TEST(without_a_stream_the_page_asks) {
    stage *s = stage_open(NULL);
    tw_server_stop(s->server);
    tw_err err;
    s->config.serve_streams_max = 0; /* each stream is refused */
    ASSERT_OK(tw_server_start(&s->options, &s->server, &err));
    go(s, "");
    browser_await(s->browser, "String(document.querySelector('#status').dataset.state === 'polling')");
    browser_await(s->browser, "String(document.querySelectorAll('#newest .card').length === 5)");
    assert_quiet(s, false);
    stage_close(s);
}

TEST(titles_and_ids_are_text_and_never_markup) {
    stage *s = stage_open(NULL);
    go(s, "#user=u%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E%22'");
    browser_await(s->browser, "String(document.querySelectorAll('#result .pick').length === 10)");
    ASSERT_STR(text_of(s, "#result h3"), "u<img src=x onerror=alert(1)>\"'");
    ASSERT_STR(browser_eval(s->browser, "String(document.querySelectorAll('#result img').length)"), "0");
    assert_quiet(s, true);
    char target[1100] = "#user=u"; /* the longest id, with no place to break the line */
    memset(target + strlen(target), 'w', 1023);
    go(s, target);
    browser_await(s->browser, "String(document.querySelector('#result h3').textContent.length === 1024)");
    browser_size(s->browser, 390, 844, 1, true);
    assert_fits(s);
    browser_size(s->browser, 1360, 900, 1, false);
    assert_quiet(s, true);
    go(s, "#user=%E0%A4%A"); /* an address cut off in the middle of a character */
    browser_await(s->browser, "String(document.querySelector('#result').textContent.startsWith('Type a user'))");
    assert_quiet(s, true);
    stage_close(s);
}

TEST(the_policy_forbids_inline_scripts) {
    stage *s = stage_open(NULL);
    go(s, "");
    browser_eval(s->browser,
                 "(() => { const e = document.createElement('script'); e.textContent = 'window.broken = 1'; "
                 "document.body.append(e); return 'tried'; })()");
    ASSERT_STR(browser_eval(s->browser, "String(window.broken)"), "undefined");
    ASSERT_TRUE(strstr(browser_complaints(s->browser, false), "Content Security Policy"));
    stage_close(s);
}
