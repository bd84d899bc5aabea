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

/* Called with the mutex of an address space held, and no other lock, unless it says otherwise. */
struct vm_object_ops {
    /* A reference to the page with this index, made where there is none yet. 0, -ENXIO (behind the end),
     * -ENOSPC, -ENOMEM. */
    int (*page)(struct vm_object *o, uint64_t index, void **page);
    /* A reference to the page if there is one, else NULL. */
    void *(*page_if_there)(struct vm_object *o, uint64_t index);
    /* Make the bytes [start, end) a hole: 0, -EPERM. No mutex is held. NULL: it cannot. */
    int (*punch)(struct vm_object *o, uint64_t start, uint64_t end);
    void (*get)(struct vm_object *o);
    void (*put)(struct vm_object *o); /* the last one frees the object */
};

struct vm_object {
    const struct vm_object_ops *ops;
    uint64_t id; /* no other object ever has it */
    struct spinlock lock;
    bool no_writers;          /* MAPPING lock; once set, no region may show it to be written */
    struct list_head regions; /* MAPPING lock; struct vm_region's in_object */
};

void vm_object_init(struct vm_object *o, const struct vm_object_ops *ops);
/* Take the pages [first, last] of o out of every address space; with `copies` also out of private regions,
 * where they may have been copied. The caller has a reference to o. Process context. */
void vm_object_unmap(struct vm_object *o, uint64_t first, uint64_t last, bool copies);
/* From now on no region may begin to show o to be written. With `none`: -EBUSY if one does, or could after an
 * mprotect(). */
int vm_object_forbid_writers(struct vm_object *o, bool none);

/* ---- for kern/mm ---- */

/* r begins to show its object, taking a reference, or ends. r->space's mutex is held, or the space has no
 * user left. fresh: it is no part or copy of a region that showed it before. 0 or -EPERM. */
int vm_object_attach(struct vm_region *r, bool fresh);
void vm_object_detach(struct vm_region *r);
