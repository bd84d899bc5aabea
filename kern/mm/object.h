/* kern/mm/object.h - what a mapping shows when it is not memory of its own: the pages of a file, or of memory
 * that processes share.
 *
 * An object knows the regions that show it, so that pages which it lost can be taken out of every address
 * space. Locks: a space's mutex is held when one of its regions comes to an object or goes, and inside it the
 * object's lock guards the list; vm_object_unmap() takes the mutex of one space after the other and must be
 * called with no lock that somebody may want who has a space's mutex. What makes the object smaller does so
 * first and calls vm_object_unmap() then: a page fault looks for its page and shows it under one hold of its
 * space's mutex, so it either comes first and is undone, or finds the page gone. */
#pragma once
#include "kern/mm/mm.h"
#include "kern/sched/spinlock.h"
#include "lib/list.h"

struct vm_object;
struct vm_region;

/* Called with the mutex of an address space held, and no other lock. */
struct vm_object_ops {
    /* A reference to the page with this index, made where there is none yet. 0, -ENXIO (behind the end),
     * -ENOSPC, -ENOMEM. */
    int (*page)(struct vm_object *o, uint64_t index, void **page);
    /* A reference to the page if there is one, else NULL. */
    void *(*page_if_there)(struct vm_object *o, uint64_t index);
    void (*get)(struct vm_object *o);
    void (*put)(struct vm_object *o); /* the last one frees the object */
};

struct vm_object {
    const struct vm_object_ops *ops;
    uint64_t id; /* no other object ever has it */
    struct spinlock lock;
    struct list_head regions; /* MAPPING lock; struct vm_region's in_object */
};

void vm_object_init(struct vm_object *o, const struct vm_object_ops *ops);
/* Take the pages [first, last] of o out of every address space, private copies of them too. The caller has a
 * reference to o. Process context. */
void vm_object_unmap(struct vm_object *o, uint64_t first, uint64_t last);
/* Does a region show o to be written, now or after an mprotect()? */
bool vm_object_is_written(struct vm_object *o);

/* ---- for kern/mm ---- */

/* r begins to show its object, taking a reference, or ends. r->space's mutex is held, or the space has no
 * user left. */
void vm_object_attach(struct vm_region *r);
void vm_object_detach(struct vm_region *r);
