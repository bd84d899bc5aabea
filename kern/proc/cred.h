/* kern/proc/cred.h - who a process is: its users, groups and capabilities (credentials(7), capabilities(7)).
 *
 * A process has one set for all its threads. Its own threads read it without a lock: it holds numbers only,
 * and who changes them while another thread asks gets one answer or the other. PROCESS lock to change it. */
#pragma once
#include "lib/abi/capability.h"
#include "lib/compiler.h"

enum { GROUPS_MAX = 64 };
#define CAPS_ALL     ((1ull << (CAP_LAST_CAP + 1)) - 1)
#define CAP_BIT(cap) (1ull << (cap))

/* Real, effective, saved, and for files. */
struct ids {
    uint32_t real, effective, saved, fs;
};
struct cred {
    struct ids uid, gid;
    uint64_t permitted, effective, inheritable, bounding, ambient;
    bool keep_caps, no_new_privs;
    unsigned n_groups;
    uint32_t groups[GROUPS_MAX];
};
struct inode;

/* The caller's; a kernel thread is root. */
const struct cred *current_cred(void);
void cred_init_root(struct cred *c);
/* Has the caller this capability now? */
bool capable(int cap);
/* Is the group one of c's, the one for files or another? */
bool cred_in_group(const struct cred *c, uint32_t gid);
/* Who the caller will be in the program in exe. True if that is more than it was: AT_SECURE. */
bool cred_for_exec(struct cred *c, struct inode *exe);
/* The capabilities of c, whose user ids were old: what a change of users takes and gives. */
void cred_change_users(struct cred *c, const struct ids *old);
/* May the caller send target, a process that is there, a signal? PROCESS lock held. */
struct process;
bool cred_may_signal(const struct process *target, int signo);
/* May the caller look into a process that is this (ptrace(2))? */
bool cred_may_inspect(const struct cred *target);
/* What access(2) asks with: set as the task's `acting` meanwhile. */
struct cred cred_act_as_real(void);
/* The caller's becomes *c. */
void cred_commit(const struct cred *c);
