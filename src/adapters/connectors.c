// SPDX-License-Identifier: Apache-2.0
#include "core/connector.h"

#include <assert.h>

// A line each, in the order of the reference. NAME_connector stands in the folder of what
// it connects to.
#define CONNECTORS        \
    CONNECTOR(filesystem) \
    CONNECTOR(kafka)      \
    CONNECTOR(file)

#define CONNECTOR(name) extern const struct connector name##_connector;
CONNECTORS
#undef CONNECTOR

#define CONNECTOR(name) &name##_connector,
const struct connector *const connectors[] = {CONNECTORS};
const size_t n_connectors = ARRAY_LEN(connectors);

const struct connector *connector_find(struct str name)
{
    for (size_t i = 0; i < n_connectors; i++)
        if (str_is(name, connectors[i]->options.name))
            return connectors[i];
    return NULL;
}

const struct connector *connector_of_files(void)
{
    size_t i = 0;
    while (connectors[i]->stream != NULL)
        i++;
    return connectors[i];
}

const struct connector *connector_of_topics(void)
{
    size_t i = 0;
    while (connectors[i]->admin == NULL)
        i++;
    return connectors[i];
}

void connector_formats(const struct connector *connector, struct buf *ret)
{
    size_t n = 0;
    for (size_t i = 0; i < n_formats; i++)
        if (connector->takes(formats[i]))
            buf_printf(ret, "%s%s", n++ ? "|" : "", formats[i]->options.name);
}

const char *option_choices(const struct option_group *group, const struct option_def *def,
                           struct arena *arena)
{
    AUTO(buf_release) struct buf names = {0};
    if (def->type != OPTION_FORMAT)
        return def->choices;
    connector_formats((const struct connector *)group, &names);
    return arena_cstr(arena, buf_as_str(&names));
}

size_t n_option_groups(void)
{
    return 1 + n_connectors + n_formats;
}

const struct option_group *option_group_at(size_t i)
{
    assert(i < n_option_groups());
    if (i == 0)
        return &set_option_group;
    if (i <= n_connectors)
        return &connectors[i - 1]->options;
    return &formats[i - 1 - n_connectors]->options;
}
