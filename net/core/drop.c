/* net/core/drop.c - the names and texts of the reasons, from the one list in drop.h. */
#include "net/core/drop.h"
#include "lib/compiler.h"

#define REASON_NAME(name, text) #name,
static const char *const names[] = { SKB_DROP_REASONS(REASON_NAME) };
#undef REASON_NAME
#define REASON_TEXT(name, text) text,
static const char *const texts[] = { SKB_DROP_REASONS(REASON_TEXT) };
#undef REASON_TEXT

const char *skb_drop_reason_name(enum skb_drop_reason reason)
{
    return (unsigned)reason < ARRAY_SIZE(names) ? names[reason] : "?";
}

const char *skb_drop_reason_text(enum skb_drop_reason reason)
{
    return (unsigned)reason < ARRAY_SIZE(texts) ? texts[reason] : "?";
}
