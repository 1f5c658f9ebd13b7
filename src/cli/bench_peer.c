/* Other people's programs: a script of tests/bench is run, and what it prints is read. */
#include "cli/bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* tests/bench stands somewhere above the executable (build/release/tailwater) or above where we are. */
static bool find_above(char *start, const char *script, tw_buf *path) {
    for (char *slash; (slash = strrchr(start, '/')) != NULL; *slash = '\0') {
        tw_buf_clear(path);
        tw_buf_printf(path, "%s/tests/bench/%s", start, script);
        if (access(path->data, R_OK) == 0)
            return true;
    }
    return false;
}

static bool find_script(const char *script, tw_buf *path) {
    char program[1024] = {0}, here[1024];
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    if (length > 0)
        setenv("TAILWATER", program, 0); /* what the script runs is what runs it */
    return (length > 0 && find_above(program, script, path)) ||
           (getcwd(here, sizeof here) && find_above(here, script, path));
}

tw_code tw_bench_peer(const char *script, const char *arguments, tw_json **ret_answer, tw_err *err) {
    char line[4096];
    tw_buf path = {0}, command = {0}, text = {0};
    tw_code code = TW_OK;
    FILE *pipe = NULL;
    int status;
    if (!find_script(script, &path)) {
        code = tw_fail(err, TW_E_NOT_FOUND, "no tests/bench/%s above the executable or the working directory", script);
        goto done;
    }
    tw_buf_printf(&command, "bash '%s' %s", path.data, arguments);
    if (!(pipe = popen(command.data, "r"))) {
        code = tw_fail(err, TW_E_IO, "%s does not start", script);
        goto done;
    }
    for (size_t got; (got = fread(line, 1, sizeof line, pipe)) > 0;)
        tw_buf_put(&text, line, got);
    if ((status = pclose(pipe)) == 0)
        code = tw_json_parse(tw_buf_slice(&text), ret_answer, err);
    else
        code = tw_fail(err, TW_E_IO, "%s ended with status %d; what it said stands above", script, status);
done:
    tw_buf_done(&path);
    tw_buf_done(&command);
    tw_buf_done(&text);
    return code;
}
