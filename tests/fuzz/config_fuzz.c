/* Any bytes as a configuration file: settings or one clear error. */
#include "config/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    static char path[64];
    tw_config config;
    tw_err err = {0};
    if (!path[0])
        snprintf(path, sizeof path, "/tmp/tailwater-fuzz-%ld", (long)getpid());
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(bytes, 1, size, file) != size || fclose(file) != 0)
        abort();
    tw_config_init(&config);
    tw_code code = tw_config_load(&config, path, &err);
    if (code != TW_OK && (code != TW_E_CONFIG || !err.text[0]))
        __builtin_trap();
    tw_config_done(&config);
    unlink(path);
    return 0;
}
