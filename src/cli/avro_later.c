// SPDX-License-Identifier: Apache-2.0
// What format 'avro' still lacks, said as what it is: the registry's client and codegen.
#include "avro/codegen.h"
#include "registry/registry.h"

static enum status later(struct err *err)
{
    return err_set(err, ST_USAGE,
                   "this version has no Schema Registry client and no codegen yet");
}

enum status avro_codegen(UNUSED const char *avsc_json, UNUSED const char *name_prefix,
                         UNUSED const char *header_name, UNUSED struct buf *header,
                         UNUSED struct buf *source, struct err *err)
{
    return later(err);
}

enum status registry_open(UNUSED const struct registry_config *config,
                          UNUSED struct registry **ret, struct err *err)
{
    return later(err);
}

void registry_close(UNUSED struct registry *registry)
{
}

struct schema_lookup *registry_lookup(UNUSED struct registry *registry)
{
    return NULL;
}

enum status registry_latest(UNUSED struct registry *registry, UNUSED struct str subject,
                            UNUSED struct arena *arena,
                            UNUSED struct registry_version *ret, struct err *err)
{
    return later(err);
}

enum status registry_find(UNUSED struct registry *registry, UNUSED struct str subject,
                          UNUSED struct str schema, UNUSED int32_t *ret, struct err *err)
{
    return later(err);
}

enum status registry_id_for(UNUSED struct registry *registry,
                            UNUSED enum registry_policy policy, UNUSED struct str subject,
                            UNUSED struct str schema, UNUSED int32_t *ret,
                            struct err *err)
{
    return later(err);
}

void registry_subject(UNUSED struct str option, UNUSED struct str topic,
                      UNUSED struct str record, UNUSED struct buf *ret)
{
}
