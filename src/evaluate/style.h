/* page.css as it is inside the program; the table is generated at build time and has this one file. */
#ifndef TW_EVALUATE_STYLE_H
#define TW_EVALUATE_STYLE_H

#include "base/embedded.h"

extern const tw_embedded_file tw_evaluate_files[];
extern const size_t tw_evaluate_files_count;

#endif
