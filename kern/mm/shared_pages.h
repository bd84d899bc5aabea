/* kern/mm/shared_pages.h - net/port.h's memory that programs may map, as an object for mappings. */
#pragma once
#include "kern/mm/object.h"
#include "net/port.h"

/* What a mapping shows; its references are p's. */
struct vm_object *shared_pages_object(struct shared_pages *p);
