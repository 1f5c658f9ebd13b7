/* GET / and what the page loads: files of src/serve/page that the build has put into the program (cmake/embed.cmake). */
#include "serve/page.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/hash.h"
#include "serve/internal.h"

static const char *content_type_of(const char *path) {
    static const char *const types[][2] = {{".html", "text/html; charset=utf-8"},
                                           {".css", "text/css; charset=utf-8"},
                                           {".js", "text/javascript; charset=utf-8"},
                                           {".svg", "image/svg+xml"}};
    const char *suffix = strrchr(path, '.');
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (strcmp(suffix, types[i][0]) == 0)
            return types[i][1];
    return "application/octet-stream";
}

enum MHD_Result tw_handle_page(tw_server *server, struct MHD_Connection *connection, const tw_request *request) {
    (void)server;
    tw_slice name = request->segments_count ? request->segments[0] : TW_SLICE_LITERAL("index.html");
    for (size_t i = 0; i < tw_page_files_count; i++) {
        const tw_embedded_file *file = &tw_page_files[i];
        tw_slice body = tw_embedded_slice(file);
        char etag[24];
        if (!tw_slice_equal(name, tw_slice_of(file->name)))
            continue;
        snprintf(etag, sizeof etag, "\"%016" PRIx64 "\"", tw_hash64(body));
        return tw_reply_static(connection, content_type_of(file->name), body, etag);
    }
    return tw_reply_problem(connection, MHD_HTTP_NOT_FOUND, "there is nothing at this address");
}
