/* sim/script/lexer.h - a script's text in tokens. */
#pragma once
#include "sim/script/script.h"

enum token_kind {
    TOKEN_END,
    TOKEN_NEWLINE,
    TOKEN_NAME,
    TOKEN_NUMBER,
    TOKEN_TIME,
    TOKEN_BYTES,
    TOKEN_MARK,
    TOKEN_BAD
};

/* Marks of more than one character; others are their character. */
enum { MARK_EQUAL = 256, MARK_NOT_EQUAL, MARK_LEAST, MARK_MOST, MARK_RANGE, MARK_MORE };

struct token {
    enum token_kind kind;
    int line, column;
    const char *start;
    size_t n;
    int64_t number; /* NUMBER (addresses and MACs are such), TIME in ns; MARK: which */
    struct bytes bytes;
    const char *bad; /* BAD: what is wrong with it */
};

struct lexer {
    const char *at, *end, *line_start;
    int line;
    int depth; /* open brackets: a line does not end within */
    struct arena *arena;
};

void lexer_init(struct lexer *lx, struct arena *a, const char *text, size_t n);
struct token lexer_next(struct lexer *lx);
