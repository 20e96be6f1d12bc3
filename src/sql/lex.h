// SPDX-License-Identifier: Apache-2.0
// Tokens of a script, for what PostgreSQL's parser does not tell: places of names, names
// that it would cut, signs that its JSON loses. The meaning comes from the parse tree.
#ifndef SQL_LEX_H
#define SQL_LEX_H

#include "base/str.h"

enum token_kind {
    TOKEN_END,
    TOKEN_NAME,   // identifier or keyword
    TOKEN_QUOTED, // "identifier"
    TOKEN_STRING, // '...', E'...' or $tag$...$tag$
    TOKEN_NUMBER,
    TOKEN_SIGN, // one other character
};

struct token {
    enum token_kind kind;
    size_t start, end; // bytes [start, end) of the text
};

// The token at or after byte `from`; white space and comments are passed over.
struct token lex_next(struct str text, size_t from);

static inline struct str token_text(struct str text, struct token token)
{
    return (struct str){text.p + token.start, token.end - token.start};
}

#endif
