// SPDX-License-Identifier: Apache-2.0
#include "registry/wire_http.h"

#include <curl/curl.h>
#include <stdlib.h>

#include "base/mem.h"
#include "core/env.h"

struct wire_http {
    CURL *curl;
    struct curl_slist *headers;
    const struct deadline *deadline;
    char why[CURL_ERROR_SIZE];
};

static size_t on_write(char *p, size_t size, size_t count, void *context)
{
    struct buf *body = context;
    buf_append(body, p, size * count);
    return body->full ? 0 : size * count;
}

static void set_login(CURL *curl, const struct wire_http_login *login)
{
    bool has_token = login->token != NULL;
    const char *user = has_token ? NULL : login->user;
    const char *password = login->password ? login->password : "";
    curl_easy_setopt(curl, CURLOPT_HTTPAUTH,
                     (long)(has_token ? CURLAUTH_BEARER : CURLAUTH_BASIC));
    curl_easy_setopt(curl, CURLOPT_XOAUTH2_BEARER, login->token);
    curl_easy_setopt(curl, CURLOPT_USERNAME, user);
    curl_easy_setopt(curl, CURLOPT_PASSWORD, user ? password : NULL);
}

static bool is_out_of_time(const struct wire_http *http)
{
    struct env *env = env_system();
    return deadline_is_over(http->deadline, env->ops->monotonic_ms(env));
}

// Called at least once a second; non-zero ends the request.
static int on_progress(void *context, UNUSED curl_off_t down_total,
                       UNUSED curl_off_t down, UNUSED curl_off_t up_total,
                       UNUSED curl_off_t up)
{
    const struct wire_http *http = context;
    return is_out_of_time(http);
}

struct wire_http *wire_http_open(const struct wire_http_config *config)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
    struct wire_http *http = mem_zalloc(sizeof(*http));
    http->headers =
        curl_slist_append(NULL, "Content-Type: application/vnd.schemaregistry.v1+json");
    http->headers = curl_slist_append(
        http->headers,
        "Accept: application/vnd.schemaregistry.v1+json, application/json");
    CURL *curl = http->curl = curl_easy_init();
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, http->headers);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)config->timeout_ms);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, http->why);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_write);
    if (config->ca_file != NULL)
        curl_easy_setopt(curl, CURLOPT_CAINFO, config->ca_file);
    http->deadline = config->deadline;
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, http);
    return http;
}

void wire_http_close(struct wire_http *http)
{
    if (http == NULL)
        return;
    curl_slist_free_all(http->headers);
    curl_easy_cleanup(http->curl);
    free(http);
    curl_global_cleanup();
}

static bool is_hopeless(CURLcode rc)
{
    switch (rc) {
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_WRITE_ERROR:
        return true;
    default:
        return false;
    }
}

static enum status no_answer(const struct wire_http *http, CURLcode rc,
                             const struct buf *body, struct err *err)
{
    long code = 0;
    curl_easy_getinfo(http->curl, CURLINFO_RESPONSE_CODE, &code);
    if (rc == CURLE_ABORTED_BY_CALLBACK)
        return err_set(err, ST_RETRY, "no answer in the time that was left");
    const char *why = http->why[0] ? http->why : curl_easy_strerror(rc);
    if (body->full)
        return err_set(err, code == 200 ? ST_LIMIT : ST_FAIL,
                       "the answer is longer than %zu bytes", body->limit);
    if (rc == CURLE_PEER_FAILED_VERIFICATION)
        return err_set(
            err, ST_FAIL,
            "%s; if its certificate is signed by an authority of your own, give "
            "that with registry.ca_file",
            why);
    if (rc == CURLE_SSL_CACERT_BADFILE)
        return err_set(err, ST_FAIL, "registry.ca_file cannot be used: %s", why);
    return err_set(err, is_hopeless(rc) ? ST_FAIL : ST_RETRY, "%s", why);
}

enum status wire_http_send(struct wire_http *http, const char *url,
                           const struct wire_http_login *login, const char *body,
                           long *ret_code, struct buf *ret, struct err *err)
{
    CURL *curl = http->curl;
    http->why[0] = '\0';
    curl_easy_setopt(curl, CURLOPT_URL, url);
    set_login(curl, login);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, ret);
    if (body == NULL) {
        curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L);
    } else {
        curl_easy_setopt(curl, CURLOPT_POST, 1L);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
    }
    CURLcode rc = curl_easy_perform(curl);
    if (rc != CURLE_OK)
        return no_answer(http, rc, ret, err);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, ret_code);
    return ST_OK;
}
