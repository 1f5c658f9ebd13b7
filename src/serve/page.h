/* The files of src/serve/page as they are inside the program; the table is generated at build time. */
#ifndef TW_SERVE_PAGE_H
#define TW_SERVE_PAGE_H

#include <stddef.h>

typedef struct tw_page_file {
    const char *name; /* "index.html" */
    const unsigned char *bytes;
    size_t size;
} tw_page_file;

extern const tw_page_file tw_page_files[];
extern const size_t tw_page_files_count;

#endif
