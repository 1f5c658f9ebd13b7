/* The files of src/serve/page as they are inside the program; the table is generated at build time. */
#ifndef TW_SERVE_PAGE_H
#define TW_SERVE_PAGE_H

#include "base/embedded.h"

extern const tw_embedded_file tw_page_files[];
extern const size_t tw_page_files_count;

#endif
