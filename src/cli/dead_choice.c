// SPDX-License-Identifier: Apache-2.0
#include "cli/dead_choice.h"

static enum status wrong(const char *flag, const char *takes, const char *text,
                         struct err *err)
{
    return err_set(err, ST_USAGE, "%s takes %s, not '%s'", flag, takes, text);
}

static bool take_pair(const char *text, int64_t *ret_first, int64_t *ret_second)
{
    struct str rest = str_of(text);
    struct str first = str_cut(&rest, ':');
    return rest.p != NULL && str_to_i64(first, ret_first) && *ret_first >= 0 &&
           str_to_i64(rest, ret_second) && *ret_second >= 0;
}

static bool take_partition(struct str text, struct dead_filter *filter)
{
    int64_t number;
    if (!str_to_i64(text, &number) || number < 0 || number > INT32_MAX)
        return false;
    filter->has_partition = true;
    filter->partition = (int32_t)number;
    return true;
}

static bool take_offsets(const char *text, struct dead_filter *filter)
{
    struct str rest = str_of(text);
    struct str partition = str_cut(&rest, ':');
    struct str first = str_cut(&rest, '-');
    if (!take_partition(partition, filter) || !str_to_i64(first, &filter->first))
        return false;
    filter->has_offsets = true;
    filter->last = filter->first;
    return (rest.p == NULL || str_to_i64(rest, &filter->last)) && filter->first >= 0 &&
           filter->last >= filter->first;
}

// reason=TEXT, or COLUMN=VALUE; a column of that name stands in quotes.
static bool take_where(const char *text, struct dead_choice *choice)
{
    struct str value = str_of(text);
    struct str name = str_cut(&value, '=');
    bool is_quoted = name.n > 2 && name.p[0] == '"' && name.p[name.n - 1] == '"';
    if (value.p == NULL || name.n == 0)
        return false;
    if (str_is(name, "reason")) {
        choice->filter.reason = value;
        return true;
    }
    choice->column = is_quoted ? (struct str){name.p + 1, name.n - 2} : name;
    choice->value = value;
    return true;
}

static enum status take_times(const struct args *args, struct dead_filter *filter,
                              struct err *err)
{
    TRY(args_time(args, "--since", &filter->since_ms, err));
    TRY(args_time(args, "--until", &filter->until_ms, err));
    if (filter->until_ms != 0 && filter->until_ms <= filter->since_ms)
        return err_set(err, ST_USAGE, "--until %s is not after --since %s",
                       args_text(args, "--until", NULL),
                       args_text(args, "--since", NULL));
    return ST_OK;
}

enum status dead_choice_parse(const struct args *args, struct dead_choice *ret,
                              struct err *err)
{
    const char *where = args_text(args, "--where", NULL);
    const char *offsets = args_text(args, "--offsets", NULL);
    const char *partition = args_text(args, "--partition", NULL);
    const char *name = args_text(args, "--show", NULL);
    struct dead_filter *filter = &ret->filter;
    filter->with_replayed = args_has(args, "--all") || name != NULL;
    if (where != NULL && !take_where(where, ret))
        return wrong("--where", "reason=TEXT or COLUMN=VALUE", where, err);
    if (offsets != NULL && partition != NULL)
        return err_set(err, ST_USAGE,
                       "--offsets names its partition; leave out --partition");
    if (partition != NULL && !take_partition(str_of(partition), filter))
        return wrong("--partition", "the number of one", partition, err);
    if (offsets != NULL && !take_offsets(offsets, filter))
        return wrong("--offsets", "PARTITION:OFFSET or PARTITION:FIRST-LAST", offsets,
                     err);
    filter->has_name = name != NULL;
    if (name != NULL && !take_pair(name, &filter->entry, &filter->line))
        return wrong("--show", "ENTRY:LINE, the name of a letter", name, err);
    return take_times(args, filter, err);
}

enum status dead_choice_open(struct dead_choice *choice, struct pipeline *pipeline,
                             struct err *err)
{
    return choice->column.p == NULL
               ? ST_OK
               : letter_test_open(pipeline, choice->column, choice->value, &choice->test,
                                  &choice->filter, err);
}

void dead_choice_close(struct dead_choice *choice)
{
    letter_columns_close(&choice->test.columns);
}
