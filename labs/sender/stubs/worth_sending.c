    /* The comment above, as questions in its order. len bytes could go now, of unsent that wait. */
    (void)v;
    (void)len;
    (void)unsent;
    return true;
