    /* Something was lost. RFC 5681 equation (4): how much may be in flight from here on? And what was counted towards
     * the next increase counts no longer. */
    return v->flight;
