/* user/sh.c - a shell good enough to start programs.
 *
 *     list     := andor { (';' | '&' | newline) andor }
 *     andor    := pipeline { ('&&' | '||') pipeline }
 *     pipeline := ['!'] command { '|' command }
 *     command  := 'if' list 'then' list ['else' list] 'fi' | { NAME=value } word { word | redirection }
 *
 * A line is cut into tokens first; the parser walks the tokens and runs what it reads at once, or, with
 * `live` false, only walks on (the branch not taken). Words know '...', "...", \ and $NAME, $?, $$, $#, $1.
 * No globs, no functions. */
#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAX_TOKENS = 1024, MAX_ARGS = 256, MAX_STAGES = 16 };
enum token_kind {
    T_END,
    T_WORD,
    T_NEWLINE,
    T_SEMI,
    T_BACKGROUND,
    T_AND,
    T_OR,
    T_PIPE,
    T_IN,
    T_OUT,
    T_APPEND,
    T_DUP
};
struct token {
    enum token_kind kind;
    int fd;     /* of a redirection: which descriptor */
    char *text; /* of a word: as written, quotes and all */
};
static struct token tokens[MAX_TOKENS];
static int n_tokens, at;
static int last_status, interactive;
static char **parameters; /* $0, $1, ... */

struct command {
    char *argv[MAX_ARGS + 1];
    int argc;
    struct token redirections[8];
    char *targets[8];
    int n_redirections;
    char *assignments[16];
    int n_assignments;
};

static int run_list(int live);

/* ---- tokens ---- */

static int syntax_error(const char *near)
{
    fprintf(stderr, "sh: syntax error near '%s'\n", near);
    last_status = 2;
    return -1;
}

/* The end of the word that begins at s; NULL when a quote is not closed. */
static const char *word_end(const char *s)
{
    while (*s && !strchr(" \t\n;&|<>", *s)) {
        if (*s == '\\' && s[1]) {
            s += 2;
        } else if (*s == '\'' || *s == '"') {
            char quote = *s++;
            while (*s && *s != quote)
                s += (quote == '"' && *s == '\\' && s[1]) ? 2 : 1;
            if (!*s)
                return NULL;
            s++;
        } else {
            s++;
        }
    }
    return s;
}

static int add_token(enum token_kind kind, int fd, char *text)
{
    if (n_tokens == MAX_TOKENS - 1)
        return syntax_error("too many words");
    tokens[n_tokens++] = (struct token){ kind, fd, text };
    return 0;
}

/* An operator at s: its length and kind; 0 if there is none. */
static int operator_at(const char *s, enum token_kind *kind, int *fd)
{
    static const struct {
        const char *text;
        enum token_kind kind;
        int fd;
    } table[] = { { "&&", T_AND, 0 },   { "||", T_OR, 0 },     { ">>", T_APPEND, 1 },
                  { "2>&1", T_DUP, 2 }, { "1>&2", T_DUP, 1 },  { "2>>", T_APPEND, 2 },
                  { "2>", T_OUT, 2 },   { ">&2", T_DUP, 1 },   { "&", T_BACKGROUND, 0 },
                  { "|", T_PIPE, 0 },   { "<", T_IN, 0 },      { ">", T_OUT, 1 },
                  { ";", T_SEMI, 0 },   { "\n", T_NEWLINE, 0 } };

    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        size_t n = strlen(table[i].text);
        if (!strncmp(s, table[i].text, n)) {
            *kind = table[i].kind;
            *fd = table[i].fd;
            return (int)n;
        }
    }
    return 0;
}

static int tokenize(const char *s)
{
    n_tokens = at = 0;
    for (;;) {
        enum token_kind kind;
        int fd, n;
        s += strspn(s, " \t\r");
        if (*s == '#')
            s += strcspn(s, "\n");
        if (!*s)
            break;
        if ((n = operator_at(s, &kind, &fd))) {
            if (add_token(kind, fd, NULL))
                return -1;
            s += n;
            continue;
        }
        const char *end = word_end(s);
        if (!end)
            return syntax_error("unclosed quote");
        if (add_token(T_WORD, 0, strndup(s, (size_t)(end - s))))
            return -1;
        s = end;
    }
    tokens[n_tokens] = (struct token){ T_END, 0, NULL };
    return 0;
}

static void free_tokens(void)
{
    for (int i = 0; i < n_tokens; i++)
        free(tokens[i].text);
    n_tokens = 0;
}

/* ---- words ---- */

/* The value of the variable after a '$' at *s, which moves behind its name. */
static const char *variable(const char **s, char *buf, size_t size)
{
    const char *p = *s;

    if (*p == '?' || *p == '$' || *p == '#' || isdigit((unsigned char)*p)) {
        int n = 0;
        while (parameters && parameters[n])
            n++;
        *s = p + 1;
        if (isdigit((unsigned char)*p))
            return *p - '0' < n ? parameters[*p - '0'] : "";
        snprintf(buf, size, "%d", *p == '?' ? last_status : *p == '$' ? (int)getpid() : n - 1);
        return buf;
    }
    int braces = *p == '{';
    p += braces;
    size_t len = 0;
    while (isalnum((unsigned char)p[len]) || p[len] == '_')
        len++;
    if (!len) {
        return "$";
    }
    snprintf(buf, size, "%.*s", (int)len, p);
    *s = p + len + (braces && p[len] == '}');
    const char *value = getenv(buf);
    return value ? value : "";
}

/* Take off the quotes and put in the variables. One word stays one word. */
static char *expand(const char *s)
{
    char *out = NULL, name[256], quote = 0;
    size_t len = 0;
    FILE *f = open_memstream(&out, &len);

    while (*s) {
        if (*s == '\\' && quote != '\'' && s[1]) {
            fputc(s[1], f);
            s += 2;
        } else if (*s == quote) {
            quote = 0;
            s++;
        } else if (!quote && (*s == '\'' || *s == '"')) {
            quote = *s++;
        } else if (*s == '$' && quote != '\'') {
            s++;
            fputs(variable(&s, name, sizeof name), f);
        } else {
            fputc(*s++, f);
        }
    }
    fclose(f);
    return out;
}

/* ---- built-in commands ---- */

static int builtin_cd(struct command *c)
{
    const char *to = c->argc > 1 ? c->argv[1] : getenv("HOME");

    if (chdir(to ? to : "/") == 0)
        return 0;
    fprintf(stderr, "cd: %s: %s\n", to, strerror(errno));
    return 1;
}

static int builtin_exit(struct command *c)
{
    exit(c->argc > 1 ? atoi(c->argv[1]) & 255 : last_status);
}

static int builtin_export(struct command *c)
{
    for (int i = 1; i < c->argc; i++)
        if (strchr(c->argv[i], '='))
            putenv(strdup(c->argv[i]));
    return 0;
}

static int builtin_wait(struct command *c)
{
    int status = 0;
    pid_t pid = c->argc > 1 ? atoi(c->argv[1]) : -1;

    while (waitpid(pid, &status, 0) > 0 && pid < 0)
        ;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int builtin_exec(struct command *c)
{
    if (c->argc < 2)
        return 0;
    execvp(c->argv[1], c->argv + 1);
    fprintf(stderr, "sh: %s: %s\n", c->argv[1], strerror(errno));
    exit(127);
}

static int builtin_help(struct command *c)
{
    (void)c;
    puts("Built in: cd exit export exec wait help. Programs are in /bin: try `ls /bin`.");
    return 0;
}

static int (*find_builtin(const char *name))(struct command *)
{
    static const struct {
        const char *name;
        int (*fn)(struct command *);
    } table[] = { { "cd", builtin_cd },     { "exit", builtin_exit }, { "export", builtin_export },
                  { "wait", builtin_wait }, { "exec", builtin_exec }, { "help", builtin_help } };

    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (!strcmp(name, table[i].name))
            return table[i].fn;
    return NULL;
}

/* ---- running commands ---- */

/* Open the command's redirections onto its descriptors. 0, or -1 after a message. */
static int redirect(struct command *c)
{
    for (int i = 0; i < c->n_redirections; i++) {
        struct token *r = &c->redirections[i];
        if (r->kind == T_DUP) {
            dup2(r->fd == 2 ? 1 : 2, r->fd);
            continue;
        }
        int flags =
            r->kind == T_IN ? O_RDONLY : O_WRONLY | O_CREAT | (r->kind == T_APPEND ? O_APPEND : O_TRUNC);
        int fd = open(c->targets[i], flags, 0644);
        if (fd < 0) {
            fprintf(stderr, "sh: %s: %s\n", c->targets[i], strerror(errno));
            return -1;
        }
        dup2(fd, r->fd);
        close(fd);
    }
    return 0;
}

static _Noreturn void run_child(struct command *c, int background)
{
    signal(SIGINT, background ? SIG_IGN : SIG_DFL);
    signal(SIGQUIT, background ? SIG_IGN : SIG_DFL);
    for (int i = 0; i < c->n_assignments; i++)
        putenv(c->assignments[i]);
    if (redirect(c))
        _exit(1);
    if (!c->argc)
        _exit(0);
    int (*builtin)(struct command *) = find_builtin(c->argv[0]);
    if (builtin) {
        int status = builtin(c);
        fflush(stdout);
        _exit(status);
    }
    execvp(c->argv[0], c->argv);
    fprintf(stderr, "sh: %s: %s\n", c->argv[0], errno == ENOENT ? "not found" : strerror(errno));
    _exit(errno == ENOENT ? 127 : 126);
}

static int wait_status(pid_t pid)
{
    int status;

    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return 1;
    if (WIFEXITED(status))
        return WEXITSTATUS(status);
    if (WTERMSIG(status) != SIGPIPE)
        fprintf(stderr, "sh: %d: %s\n", pid, strsignal(WTERMSIG(status)));
    return 128 + WTERMSIG(status);
}

/* A command alone that is built in, or only sets variables, runs in the shell itself. True if it did. */
static int run_in_shell(struct command *c)
{
    int (*builtin)(struct command *) = c->argc ? find_builtin(c->argv[0]) : NULL;

    if (!builtin && (c->argc || c->n_redirections))
        return 0;
    for (int i = 0; i < c->n_assignments; i++)
        putenv(strdup(c->assignments[i]));
    last_status = 0;
    if (!builtin)
        return 1;
    int saved[3] = { dup(0), dup(1), dup(2) };
    last_status = redirect(c) ? 1 : builtin(c);
    fflush(stdout);
    for (int i = 0; i < 3; i++) {
        dup2(saved[i], i);
        close(saved[i]);
    }
    return 1;
}

/* Start n commands, each one's output the next one's input. */
static void run_pipeline(struct command *stages, int n, int background)
{
    pid_t pids[MAX_STAGES];
    int input = -1;

    if (n == 1 && !background && run_in_shell(stages))
        return;
    for (int i = 0; i < n; i++) {
        int fds[2] = { -1, -1 };
        if (i + 1 < n && pipe(fds)) {
            perror("sh: pipe");
            last_status = 1;
            return;
        }
        pids[i] = fork();
        if (pids[i] == 0) {
            if (input >= 0)
                dup2(input, 0);
            if (fds[1] >= 0)
                dup2(fds[1], 1);
            for (int k = 0; k < 2; k++)
                if (fds[k] > 2)
                    close(fds[k]);
            if (input > 2)
                close(input);
            run_child(&stages[i], background);
        }
        if (input >= 0)
            close(input);
        if (fds[1] >= 0)
            close(fds[1]);
        input = fds[0];
        if (pids[i] < 0)
            perror("sh: fork");
    }
    last_status = 0;
    for (int i = 0; i < n && !background; i++)
        last_status = pids[i] < 0 ? 1 : wait_status(pids[i]);
    if (background && interactive)
        fprintf(stderr, "[%d]\n", pids[n - 1]);
}

/* ---- the parser ---- */

static int word_is(const char *text)
{
    return tokens[at].kind == T_WORD && !strcmp(tokens[at].text, text);
}

static int is_assignment(const char *word)
{
    size_t n = 0;

    while (isalnum((unsigned char)word[n]) || word[n] == '_')
        n++;
    return n && !isdigit((unsigned char)word[0]) && word[n] == '=';
}

static int parse_redirection(struct command *c)
{
    struct token r = tokens[at++];

    if (c->n_redirections == 8)
        return syntax_error("too many redirections");
    if (r.kind != T_DUP) {
        if (tokens[at].kind != T_WORD)
            return syntax_error("redirection");
        c->targets[c->n_redirections] = expand(tokens[at++].text);
    }
    c->redirections[c->n_redirections++] = r;
    return 0;
}

static int parse_command(struct command *c)
{
    *c = (struct command){ 0 };
    for (;;) {
        struct token *t = &tokens[at];
        if (t->kind >= T_IN && t->kind <= T_DUP) {
            if (parse_redirection(c))
                return -1;
        } else if (t->kind != T_WORD) {
            break;
        } else if (!c->argc && is_assignment(t->text) && c->n_assignments < 16) {
            c->assignments[c->n_assignments++] = expand(t->text);
            at++;
        } else if (c->argc == MAX_ARGS) {
            return syntax_error("too many words");
        } else {
            c->argv[c->argc++] = expand(t->text);
            at++;
        }
    }
    if (!c->argc && !c->n_redirections && !c->n_assignments)
        return syntax_error(tokens[at].kind == T_END ? "end of line" : "operator");
    return 0;
}

static void free_command(struct command *c)
{
    for (int i = 0; i < c->argc; i++)
        free(c->argv[i]);
    for (int i = 0; i < c->n_redirections; i++)
        free(c->targets[i]);
    for (int i = 0; i < c->n_assignments; i++)
        free(c->assignments[i]);
}

static int expect_word(const char *word)
{
    if (!word_is(word))
        return syntax_error(tokens[at].kind == T_WORD ? tokens[at].text : "end of line");
    at++;
    return 0;
}

static int run_if(int live)
{
    at++;
    if (run_list(live) || expect_word("then"))
        return -1;
    int taken = live && last_status == 0;
    if (live)
        last_status = 0;
    if (run_list(taken))
        return -1;
    if (word_is("else")) {
        at++;
        if (run_list(live && !taken))
            return -1;
    }
    return expect_word("fi");
}

static int run_pipeline_at(int live)
{
    static struct command stages[MAX_STAGES];
    int n = 0, err = 0, invert = word_is("!");

    at += invert;
    if (word_is("if")) {
        err = run_if(live);
    } else {
        do {
            if (n == MAX_STAGES)
                err = syntax_error("too long a pipeline");
            else
                err = parse_command(&stages[n++]);
        } while (!err && tokens[at].kind == T_PIPE && ++at);
        if (!err && live)
            run_pipeline(stages, n, tokens[at].kind == T_BACKGROUND);
        for (int i = 0; i < n; i++)
            free_command(&stages[i]);
    }
    if (!err && live && invert)
        last_status = !last_status;
    return err;
}

static int run_andor(int live)
{
    int err = run_pipeline_at(live);

    while (!err && (tokens[at].kind == T_AND || tokens[at].kind == T_OR)) {
        int wanted = (tokens[at++].kind == T_AND) == (last_status == 0);
        while (tokens[at].kind == T_NEWLINE)
            at++;
        err = run_pipeline_at(live && wanted);
    }
    return err;
}

/* Run until the end, or a word that closes an enclosing `if`. 0, or -1 on a syntax error. */
static int run_list(int live)
{
    for (;;) {
        while (tokens[at].kind == T_NEWLINE || tokens[at].kind == T_SEMI || tokens[at].kind == T_BACKGROUND)
            at++;
        if (tokens[at].kind == T_END || word_is("then") || word_is("else") || word_is("fi"))
            return 0;
        if (run_andor(live))
            return -1;
        if (tokens[at].kind == T_WORD && !(word_is("then") || word_is("else") || word_is("fi")))
            return syntax_error(tokens[at].text);
    }
}

static void run_text(const char *text)
{
    if (!tokenize(text) && !run_list(1) && tokens[at].kind != T_END)
        syntax_error(tokens[at].text ? tokens[at].text : "operator");
    free_tokens();
}

/* ---- where the text comes from ---- */

static void reap_background(void)
{
    while (waitpid(-1, NULL, WNOHANG) > 0)
        ;
}

static void run_lines(FILE *in)
{
    char *line = NULL;
    size_t size = 0;

    for (;;) {
        if (interactive) {
            reap_background();
            fputs("towpath# ", stderr);
        }
        if (getline(&line, &size, in) < 0) {
            if (!interactive || feof(in))
                break;
            clearerr(in); /* interrupted */
            fputc('\n', stderr);
            continue;
        }
        run_text(line);
    }
    free(line);
}

static int run_file(const char *path)
{
    char *text = NULL;
    size_t size = 0;
    FILE *f = fopen(path, "r");

    if (!f) {
        fprintf(stderr, "sh: %s: %s\n", path, strerror(errno));
        return 127;
    }
    if (getdelim(&text, &size, 0, f) > 0)
        run_text(text);
    fclose(f);
    free(text);
    return last_status;
}

static void on_interrupt(int signo)
{
    (void)signo;
}

int main(int argc, char **argv)
{
    if (argc > 2 && !strcmp(argv[1], "-c")) {
        parameters = argv + 2;
        run_text(argv[2]);
        return last_status;
    }
    interactive = (argc > 1 && !strcmp(argv[1], "-i")) || (argc == 1 && isatty(0));
    if (argc > 1 && argv[1][0] != '-') {
        parameters = argv + 1;
        return run_file(argv[1]);
    }
    if (interactive) {
        struct sigaction act = { .sa_handler = on_interrupt }; /* no SA_RESTART: the prompt comes again */
        sigaction(SIGINT, &act, NULL);
    }
    parameters = argv;
    run_lines(stdin);
    return last_status;
}
