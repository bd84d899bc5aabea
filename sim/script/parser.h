/* sim/script/parser.h - what the parser's parts share. What does not belong is reported by parser_expected(),
 * which leaves the parser by longjmp; all it has allocated lies in the script's arena. */
#pragma once
#include "sim/script/lexer.h"
#include "sim/script/names.h"
#include <setjmp.h>

/* So that no script, however odd, makes the parser's stack deep or its memory large. */
enum { NESTING_MOST = 24, INCLUDES_MOST = 8, STEPS_MOST = 20000 };

struct parser {
    struct arena *arena;
    struct lexer lexer;
    struct token token; /* the one that is looked at */
    const char *file;
    int nesting, includes, steps;
    struct step **last; /* where the next step goes */
    const struct script_reader *reader;
    struct script_error *error;
    jmp_buf out;
};

/* ---- parser.c ---- */

/* The token that is looked at should have been `what`. */
_Noreturn void parser_expected(struct parser *p, const char *what);
_Noreturn void parser_fail(struct parser *p, struct place place, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
struct place parser_place(const struct parser *p);
void parser_advance(struct parser *p);
bool parser_at_mark(const struct parser *p, int mark);
bool parser_at_word(const struct parser *p, const char *word);
/* Go past it if it is there. */
bool parser_take_mark(struct parser *p, int mark);
bool parser_take_word(struct parser *p, const char *word);
void parser_need_mark(struct parser *p, int mark);
/* A name, copied. what: for the error. */
const char *parser_need_name(struct parser *p, const char *what);
struct bytes parser_need_bytes(struct parser *p);
/* One level of brackets deeper, and back. */
void parser_deeper(struct parser *p);
void parser_shallower(struct parser *p);

/* ---- parse_step.c ---- */

/* A line that is a step; it is appended to the script. */
void parse_step(struct parser *p);
/* Nothing may follow. packet: a packet's fields might. */
void parser_line_end(struct parser *p, bool packet);

/* ---- parse_value.c ---- */

const struct expr *parse_expr(struct parser *p);
/* The same without operators: a number, a name, or anything in brackets. */
const struct expr *parse_primary(struct parser *p);
/* A time: a number with a unit, 0, or an expression of such in brackets. */
const struct expr *parse_time(struct parser *p);
/* any | x | a..b | >= x | <= x | == x | != x */
struct match parse_match(struct parser *p);
/* Does a value begin here? */
bool parser_at_value(const struct parser *p);
/* ip:port, :port */
struct address_spec parse_address(struct parser *p);
/* Is what comes an address with a port? */
bool parser_at_address(struct parser *p);

/* ---- parse_packet.c, parse_call.c ---- */

const struct packet_spec *parse_packet(struct parser *p);
/* From the call's name to the end of its result. */
struct call_spec parse_call(struct parser *p);
struct result_spec parse_result(struct parser *p);
