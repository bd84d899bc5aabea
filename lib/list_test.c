/* lib/list_test.c - the circular list. */
#include "lib/list.h"
#include "sim/test.h"

struct item {
    struct list_head link;
    int number;
};

/* The numbers of the list's entries as digits of one number. */
static int digits(const struct list_head *l)
{
    const struct item *i;
    int n = 0;

    list_for_each_entry (i, l, link)
        n = n * 10 + i->number;
    return n;
}

TEST(a_list_keeps_the_order_of_insertion)
{
    struct item a = { .number = 1 }, b = { .number = 2 }, c = { .number = 3 };
    struct list_head l;

    list_init(&l);
    CHECK(list_empty(&l) && !list_first_entry(&l, struct item, link));
    list_add_tail(&a.link, &l);
    list_add_tail(&b.link, &l);
    list_add(&c.link, &l);
    CHECK_EQ(digits(&l), 312);
    list_del(&a.link);
    CHECK(list_empty(&a.link));
    list_del(&a.link); /* harmless */
    CHECK_EQ(digits(&l), 32);
    list_add(&a.link, &c.link); /* just behind c */
    CHECK_EQ(digits(&l), 312);
}

TEST(an_entry_may_leave_the_list_that_is_walked)
{
    struct item items[5], *i, *tmp;
    struct list_head l;

    list_init(&l);
    for (int n = 0; n < 5; n++) {
        items[n].number = n + 1;
        list_add_tail(&items[n].link, &l);
    }
    list_for_each_entry_safe (i, tmp, &l, link)
        if (i->number % 2)
            list_del(&i->link);
    CHECK_EQ(digits(&l), 24);
}

TEST(lists_are_joined_end_to_end)
{
    struct item a = { .number = 1 }, b = { .number = 2 }, c = { .number = 3 };
    struct list_head l, m;

    list_init(&l);
    list_init(&m);
    list_add_tail(&a.link, &l);
    list_add_tail(&b.link, &m);
    list_add_tail(&c.link, &m);
    list_splice_tail(&m, &l);
    CHECK_EQ(digits(&l), 123);
    CHECK(list_empty(&m));
    list_splice_tail(&m, &l);
    CHECK_EQ(digits(&l), 123);
}
