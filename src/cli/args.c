/* Option parsing and --help from one table per command; also what every command shares: reporting, printing, stopping. */
#include "cli/cli.h"

#include "base/log.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void print_option(const char *name, const char *value, const char *doc) {
    char left[64];
    snprintf(left, sizeof left, "--%s%s%s", name, value ? " " : "", value ? value : "");
    printf("  %-24s %s\n", left, doc);
}

static void print_help(const tw_command *command, const tw_option *options, bool has_config) {
    printf("tailwater %s %s\n\n%s\n\nOptions:\n", command->name, command->usage, command->doc);
    for (const tw_option *o = options; o->name; o++)
        print_option(o->name, o->value, o->doc);
    if (has_config) {
        print_option("config", "FILE",
                     "Settings (YAML); `tailwater config` prints all of them; may be repeated, later over earlier");
        print_option("set", "KEY=VALUE", "One setting, over the file; may be repeated");
    }
    print_option("help", NULL, "This text");
    printf("\nExit codes: 0 done, 1 failure, 2 usage, 65 bad file.\n");
}

static tw_code take_value(const tw_option *option, const char *value, tw_err *err) {
    if (option->text) {
        *option->text = value;
        return TW_OK;
    }
    if (option->texts) {
        if (*option->texts_count == TW_TEXTS_MAX)
            return tw_fail(err, TW_E_USAGE, "more than %d --%s", TW_TEXTS_MAX, option->name);
        option->texts[(*option->texts_count)++] = value;
        return TW_OK;
    }
    char *end;
    errno = 0;
    long long number = strtoll(value, &end, 10);
    if (errno || end == value || *end || number < option->number_min || number > option->number_max)
        return tw_fail(err, TW_E_USAGE, "--%s %s: a whole number from %" PRId64 " to %" PRId64 " is wanted",
                       option->name, value, option->number_min, option->number_max);
    *option->number = number;
    return TW_OK;
}

#define CONFIGS_MAX 16
#define SETS_MAX 256

typedef struct settings {
    const char *configs[CONFIGS_MAX], *sets[SETS_MAX];
    int configs_count, sets_count;
} settings;

static tw_code keep(const char **texts, int *count, int max, const char *text, const char *option, tw_err *err) {
    if (*count == max)
        return tw_fail(err, TW_E_USAGE, "more than %d %s", max, option);
    texts[(*count)++] = text;
    return TW_OK;
}

/* The settings are applied after the whole line is read: each --config first, wherever it stands, then each --set. */
static tw_code apply_settings(const settings *s, tw_config *config, tw_err *err) {
    for (int i = 0; i < s->configs_count; i++)
        TW_TRY(tw_config_load(config, s->configs[i], err));
    for (int i = 0; i < s->sets_count; i++)
        if (tw_config_set(config, s->sets[i], err) != TW_OK)
            return tw_wrap(err, "--set");
    return tw_config_check(config, err);
}

tw_code tw_args_parse(const tw_command *command, const tw_option *options, int argc, char **argv, tw_config *config,
                      int positionals_min, int positionals_max, tw_args *ret_args, tw_err *err) {
    settings given = {.configs_count = 0};
    bool only_positionals = false;
    *ret_args = (tw_args){0};
    for (int i = 1; i < argc; i++) {
        char *arg = argv[i];
        if (only_positionals || strncmp(arg, "--", 2) != 0) {
            if (ret_args->positionals_count >= positionals_max)
                return tw_fail(err, TW_E_USAGE, "\"%s\" is one argument too many", arg);
            ret_args->positionals[ret_args->positionals_count++] = arg;
            continue;
        }
        if (arg[2] == '\0') {
            only_positionals = true;
            continue;
        }
        const char *equals = strchr(arg, '=');
        size_t length = equals ? (size_t)(equals - arg - 2) : strlen(arg + 2);
        if (length == 4 && strncmp(arg + 2, "help", 4) == 0) {
            print_help(command, options, config != NULL);
            ret_args->help = true;
            return TW_OK;
        }
        bool is_config = config && length == 6 && strncmp(arg + 2, "config", 6) == 0;
        bool is_set = config && length == 3 && strncmp(arg + 2, "set", 3) == 0;
        const tw_option *option = options;
        while (option->name && !(strlen(option->name) == length && strncmp(option->name, arg + 2, length) == 0))
            option++;
        if (!is_config && !is_set && !option->name)
            return tw_fail(err, TW_E_USAGE, "unknown option --%.*s (try tailwater %s --help)", (int)length, arg + 2,
                           command->name);
        if (option->name && option->flag) {
            if (equals)
                return tw_fail(err, TW_E_USAGE, "--%s takes no value", option->name);
            *option->flag = true;
            continue;
        }
        char *value = equals ? arg + 2 + length + 1 : i + 1 < argc ? argv[++i] : NULL;
        if (!value)
            return tw_fail(err, TW_E_USAGE, "%s wants a value", arg);
        if (is_config)
            TW_TRY(keep(given.configs, &given.configs_count, CONFIGS_MAX, value, "--config", err));
        else if (is_set)
            TW_TRY(keep(given.sets, &given.sets_count, SETS_MAX, value, "--set", err));
        else
            TW_TRY(take_value(option, value, err));
    }
    if (ret_args->positionals_count < positionals_min)
        return tw_fail(err, TW_E_USAGE, "usage: tailwater %s %s", command->name, command->usage);
    return config ? apply_settings(&given, config, err) : TW_OK;
}

static volatile sig_atomic_t stop_wanted;

static void on_stop(int signal_number) {
    stop_wanted = 1;
    signal(signal_number, SIG_DFL); /* a second one ends the process at once */
}

void tw_stop_catch(void) {
    signal(SIGINT, on_stop);
    signal(SIGTERM, on_stop);
    signal(SIGPIPE, SIG_IGN);
}

bool tw_stop_wanted(void) {
    return stop_wanted != 0;
}

tw_code tw_print(tw_buf *buf, tw_err *err) {
    tw_buf_u8(buf, '\n');
    bool written = fwrite(buf->data, 1, buf->size, stdout) == buf->size && fflush(stdout) == 0;
    tw_buf_clear(buf);
    return written ? TW_OK : tw_fail_errno(err, TW_E_IO, "stdout");
}

/* A quote would end the value in the log. */
static void log_failure(const char *command, tw_code code, const char *text) {
    char plain[sizeof((tw_err *)0)->text];
    size_t n = 0;
    for (; text[n] && n + 1 < sizeof plain; n++)
        plain[n] = text[n] == '"' || text[n] == '\n' ? '\'' : text[n];
    plain[n] = '\0';
    tw_log_error("failed", "command=%s code=%s text=\"%s\"", command, tw_code_name(code), plain);
}

int tw_cli_report(const char *command, tw_code code, const tw_err *err) {
    if (code == TW_OK)
        return TW_EXIT_DONE;
    const char *text = err->text[0] ? err->text : tw_code_text(code);
    if (tw_log_json(TW_LOG_ERROR))
        log_failure(command, code, text);
    else
        fprintf(stderr, "tailwater %s: %s\n", command, text);
    switch (code) {
    case TW_E_USAGE:
    case TW_E_CONFIG:
        return TW_EXIT_USAGE;
    case TW_E_BAD_FILE:
        return TW_EXIT_BAD_FILE;
    default:
        return TW_EXIT_FAILURE;
    }
}
