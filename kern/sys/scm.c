/* kern/sys/scm.c - open files in control messages (SCM_RIGHTS): numbers in the sender's table become
 * references, and these become numbers in the receiver's. */
#include "kern/fs/files.h"
#include "kern/sys/sys_socket.h"
#include "lib/string.h"

static bool is_rights(const struct cmsghdr *c)
{
    return c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS;
}

static unsigned descriptors_in(const struct cmsghdr *c)
{
    return (unsigned)((c->cmsg_len - sizeof *c) / sizeof(int32_t));
}

/* How many files msg names. Or -EINVAL. */
static int count_files(const struct message *msg)
{
    size_t n = 0;

    for (const struct cmsghdr *c = cmsg_first(msg); c; c = cmsg_next(msg, c)) {
        if (!cmsg_is_whole(msg, c))
            return -EINVAL;
        if (is_rights(c))
            n += descriptors_in(c);
        if (n > SCM_MAX_FD)
            return -EINVAL;
    }
    return (int)n;
}

static int add_files(struct passed_files *files, const struct cmsghdr *c)
{
    for (unsigned i = 0; i < descriptors_in(c); i++) {
        int32_t fd;
        struct file *f;
        memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
        f = fd_get(fd);
        if (!f)
            return -EBADF;
        files->file[files->n++] = (struct passed_file *)f;
    }
    return 0;
}

int files_from_control(struct message *msg)
{
    int n = count_files(msg), err = 0;

    if (n <= 0)
        return n;
    msg->files = passed_files_alloc((unsigned)n);
    if (!msg->files)
        return -ENOMEM;
    for (const struct cmsghdr *c = cmsg_first(msg); c && !err; c = cmsg_next(msg, c))
        if (is_rights(c))
            err = add_files(msg->files, c);
    return err;
}

/* Descriptors for as many of files as have room at data; those installed are files's no longer. */
static unsigned install_files(struct passed_files *files, uint8_t *data, size_t room, bool cloexec)
{
    unsigned done = 0;

    while (done < files->n && (done + 1) * sizeof(int32_t) <= room) {
        struct file *f = file_get((struct file *)files->file[done]);
        int32_t fd = fd_install(f, 0, cloexec);
        if (fd < 0)
            break;
        memcpy(data + done * sizeof fd, &fd, sizeof fd);
        done++;
    }
    return done;
}

void files_to_control(struct message *msg, bool cloexec)
{
    size_t room = msg->control ? msg->control_len - msg->control_used : 0;
    struct passed_files *files = msg->files;
    unsigned n = 0;

    if (!files)
        return;
    if (room > sizeof(struct cmsghdr)) {
        uint8_t *place = (uint8_t *)msg->control + msg->control_used;
        struct cmsghdr c = { .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS };
        n = install_files(files, place + sizeof c, room - sizeof c, cloexec);
        c.cmsg_len = CMSG_LEN(n * sizeof(int32_t));
        if (n) {
            memcpy(place, &c, sizeof c);
            msg->control_used += MIN(CMSG_SPACE(n * sizeof(int32_t)), room);
        }
    }
    if (n < files->n)
        msg->flags |= MSG_CTRUNC;
    passed_files_free(files);
    msg->files = NULL;
}
