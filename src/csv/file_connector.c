// SPDX-License-Identifier: Apache-2.0
// Connector 'file': a local file as a bounded stream.
#include "core/connector.h"

static const struct option_def file_options[] = {
    {"path", OPTION_TEXT, NULL, 0, 0, NULL, OPTION_REQUIRED, "a local file"},
    {"format", OPTION_FORMAT, "csv", 0, 0, NULL, 0, "format of the file"},
};

static enum status check(const char *option, struct str value, struct err *err)
{
    return strcmp(option, "path") == 0 ? option_check_file(value, err) : ST_OK;
}

static bool takes(const struct format *format)
{
    return format->file_stream != NULL;
}

static enum status open_topic(const struct stream_request *request, struct topic **ret,
                              struct err *err)
{
    const char *path = options_text(request->options, "path").p;
    return request->format->file_stream->open_topic(path, ret, err);
}

static enum status open_stream(const struct stream_request *request, struct topic *topic,
                               UNUSED struct asker *asker, struct stream **ret,
                               struct err *err)
{
    return request->format->file_stream->open(&request->table, topic,
                                              (size_t)request->batch_records, ret, err);
}

static enum status look(const struct stream_request *request, struct topic *topic,
                        struct stream **ret, struct err *err)
{
    return open_stream(request, topic, NULL, ret, err);
}

static enum status check_stream(UNUSED const struct stream_request *request,
                                UNUSED struct err *err)
{
    return ST_OK;
}

static const struct connector_stream file_stream = {
    .open_topic = open_topic,
    .open = open_stream,
    .look = look,
    .check = check_stream,
};

const struct connector file_connector = {
    .options =
        {
            .name = "file",
            .about = "A bounded stream from a local file",
            .defs = file_options,
            .n = ARRAY_LEN(file_options),
            .check = check,
        },
    .place = "path",
    .takes = takes,
    .stream = &file_stream,
};
