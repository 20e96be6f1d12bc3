// SPDX-License-Identifier: Apache-2.0
#include "registry.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ANSWER_MAX = 4096,
    TIMEOUT_S = 10
};

struct answer {
    char text[ANSWER_MAX];
    size_t n;
};

static size_t take_answer(char *p, size_t size, size_t n, void *context)
{
    struct answer *answer = context;
    size_t room = ANSWER_MAX - 1 - answer->n;
    size_t taken = size * n < room ? size * n : room;
    memcpy(answer->text + answer->n, p, taken);
    answer->n += taken;
    answer->text[answer->n] = '\0';
    return size * n;
}

// {"schema": "<the schema, as a JSON string>"}; the schema made by codegen is ASCII.
// NULL: no memory.
static char *request_of(const char *schema)
{
    char *request = malloc(2 * strlen(schema) + 32);
    if (request == NULL)
        return NULL;
    char *to = request + sprintf(request, "{\"schema\": \"");
    for (; *schema != '\0'; schema++) {
        if (*schema == '"' || *schema == '\\')
            *to++ = '\\';
        *to++ = *schema;
    }
    strcpy(to, "\"}");
    return request;
}

static CURLcode post(const char *url, const char *request, struct answer *answer,
                     long *ret_code)
{
    CURL *curl = curl_easy_init();
    if (curl == NULL)
        return CURLE_FAILED_INIT;
    struct curl_slist *headers =
        curl_slist_append(NULL, "Content-Type: application/vnd.schemaregistry.v1+json");
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_answer);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)TIMEOUT_S);
    CURLcode rc = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, ret_code);
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    return rc;
}

// The answer is {"id": 17}, in some registries with more beside it.
static bool id_of(const char *answer, int32_t *ret_id)
{
    const char *at = strstr(answer, "\"id\"");
    return at != NULL && sscanf(at, "\"id\" : %d", ret_id) == 1 && *ret_id >= 0;
}

bool registry_register(const char *url, const char *topic, const char *schema,
                       int32_t *ret_id)
{
    char path[1024];
    struct answer answer = {0};
    long code = 0;
    int n = snprintf(path, sizeof(path), "%s/subjects/%s-value/versions", url, topic);
    char *request = n < (int)sizeof(path) ? request_of(schema) : NULL;
    if (request == NULL) {
        fprintf(stderr, "registry: the address is too long, or no memory\n");
        return false;
    }
    CURLcode rc = post(path, request, &answer, &code);
    free(request);
    if (rc != CURLE_OK)
        fprintf(stderr, "registry: POST %s: %s\n", path, curl_easy_strerror(rc));
    else if (code != 200 || !id_of(answer.text, ret_id))
        fprintf(stderr, "registry: POST %s: HTTP %ld: %s\n", path, code, answer.text);
    return rc == CURLE_OK && code == 200 && id_of(answer.text, ret_id);
}
