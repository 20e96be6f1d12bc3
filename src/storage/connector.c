// SPDX-License-Identifier: Apache-2.0
// Connector 'filesystem': tables, materialized views and the result, in a storage.
#include "core/connector.h"

#include "storage/storage_url.h"

static const struct option_def filesystem_options[] = {
    {"path", OPTION_TEXT, NULL, 0, 0, NULL, OPTION_REQUIRED,
     "directory: a local path, file:///..., hdfs://namenode:9870/... or hdfss://..."},
    {"format", OPTION_FORMAT, NULL, 0, 0, NULL, OPTION_REQUIRED, "format of the files"},
    {"optional", OPTION_BOOLEAN, "false", 0, 0, NULL, 0,
     "a missing file is a table without rows"},
    {"on_error", OPTION_CHOICE, "fail", 0, 0, "fail|skip", 0,
     "what happens to a row that cannot be read"},
    {"directory", OPTION_CHOICE, "flat", 0, 0, "flat|day", 0,
     "sinks: all files in the path, or in a directory for each day"},
    {"user", OPTION_TEXT, NULL, 0, 0, NULL, 0,
     "HDFS user name; default: $HADOOP_USER_NAME, else the local user"},
    {"auth", OPTION_CHOICE, "simple", 0, 0, "simple|kerberos", 0,
     "HDFS authentication: user name, or SPNEGO with the ticket at hand"},
    {"ca.file", OPTION_TEXT, NULL, 0, 0, NULL, 0,
     "certificates to trust for hdfss://, as PEM"},
};

static enum status check_path(struct str value, struct err *err)
{
    AUTO(arena_release) struct arena arena = {0};
    struct storage_url url;
    TRY(storage_url_parse(value, &arena, &url, err));
    if (url.path[0] != '\0')
        return ST_OK;
    return err_set(
        err, ST_USAGE,
        "'%.*s' is the root of its storage, where all is that others keep; give "
        "a directory below it",
        STR_ARGS(value));
}

static enum status check(const char *option, struct str value, struct err *err)
{
    if (strcmp(option, "path") == 0)
        return check_path(value, err);
    return strcmp(option, "ca.file") == 0 ? option_check_file(value, err) : ST_OK;
}

static bool takes(const struct format *format)
{
    return format->files != NULL;
}

const struct connector filesystem_connector = {
    .options =
        {
            .name = "filesystem",
            .about = "Tables, materialized views and the result",
            .defs = filesystem_options,
            .n = ARRAY_LEN(filesystem_options),
            .check = check,
        },
    .place = "path",
    .takes = takes,
};
