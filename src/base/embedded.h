/* A file that the build has put into the program (cmake/embed.cmake). */
#ifndef TW_BASE_EMBEDDED_H
#define TW_BASE_EMBEDDED_H

#include "base/slice.h"

typedef struct tw_embedded_file {
    const char *name; /* without folders */
    const unsigned char *bytes;
    size_t size;
} tw_embedded_file;

static inline tw_slice tw_embedded_slice(const tw_embedded_file *file) {
    return (tw_slice){(const char *)file->bytes, file->size};
}

#endif
