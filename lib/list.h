/* lib/list.h - a circular, doubly linked list of structs that carry their own links.
 * A list_head that points to itself is an empty list, or an entry on none. */
#pragma once
#include "lib/compiler.h"

struct list_head {
    struct list_head *next, *prev;
};

static inline void list_init(struct list_head *l)
{
    l->next = l->prev = l;
}
static inline bool list_empty(const struct list_head *l)
{
    return l->next == l;
}
static inline void list_insert_between(struct list_head *e, struct list_head *prev, struct list_head *next)
{
    e->prev = prev;
    e->next = next;
    prev->next = e;
    next->prev = e;
}
/* Put e first / last on the list l, or (l being an entry) just after / before l. */
static inline void list_add(struct list_head *e, struct list_head *l)
{
    list_insert_between(e, l, l->next);
}
static inline void list_add_tail(struct list_head *e, struct list_head *l)
{
    list_insert_between(e, l->prev, l);
}
/* Take e off its list and leave it empty; harmless when it is on none. */
static inline void list_del(struct list_head *e)
{
    e->prev->next = e->next;
    e->next->prev = e->prev;
    list_init(e);
}
/* Move all of from to the end of to; from is empty afterwards. */
static inline void list_splice_tail(struct list_head *from, struct list_head *to)
{
    if (list_empty(from))
        return;
    from->next->prev = to->prev;
    to->prev->next = from->next;
    from->prev->next = to;
    to->prev = from->prev;
    list_init(from);
}

#define list_entry(ptr, type, member) container_of(ptr, type, member)
#define list_first_entry(l, type, member)                                                                    \
    (list_empty(l) ? NULL : list_entry((l)->next, type, member)) /* NULL when empty */
#define list_for_each_entry(pos, l, member)                                                                  \
    for (pos = list_entry((l)->next, __typeof__(*pos), member); &pos->member != (l);                         \
         pos = list_entry(pos->member.next, __typeof__(*pos), member))
/* The same where the body may take pos off the list. */
#define list_for_each_entry_safe(pos, tmp, l, member)                                                        \
    for (pos = list_entry((l)->next, __typeof__(*pos), member),                                              \
        tmp = list_entry(pos->member.next, __typeof__(*pos), member);                                        \
         &pos->member != (l); pos = tmp, tmp = list_entry(tmp->member.next, __typeof__(*tmp), member))
