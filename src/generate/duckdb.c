// SPDX-License-Identifier: Apache-2.0
#include "generate/generate.h"

#include "base/text.h"

// A file is named after the entry of the log that brought it and appears whole, so that
// files are the result. Other names than part-* are none of it.
void generate_duckdb(const struct generate_view *view, struct buf *ret)
{
    const struct format_files *format = format_of(view->table.options)->files;
    struct str directory = view->directory;
    buf_text(ret, "-- The result, for DuckDB: duckdb -init THIS_FILE\n");
    if (!view->is_local) {
        buf_text(ret, "-- DuckDB reads local files: hdfs dfs -get ");
        buf_str(ret, directory);
        buf_text(ret, " .\n");
        size_t slash = directory.n;
        while (slash > 0 && directory.p[slash - 1] != '/')
            slash--;
        directory = (struct str){directory.p + slash, directory.n - slash};
    }
    buf_text(ret, format->duckdb_setup);
    buf_text(ret, "CREATE OR REPLACE VIEW ");
    text_quoted(ret, view->table.name, '"');
    buf_text(ret, " AS\n  SELECT * FROM ");
    AUTO(buf_release) struct buf files = {0};
    buf_str(&files, directory);
    buf_printf(&files, "%s/part-*.%s", view->by_day ? "/day=*" : "", format->extension);
    format->duckdb(&view->table, buf_as_str(&files), ret);
    buf_text(ret, ";\n");
}
