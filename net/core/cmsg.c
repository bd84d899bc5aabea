/* net/core/cmsg.c - control messages: read from one sent, appended to one received; and the open files that
 * travel in them. Lengths are the user's: nothing is believed before it was compared with the whole. */
#include "lib/string.h"
#include "net/net.h"

static const struct cmsghdr *at(const struct message *msg, size_t offset)
{
    if (!msg->control || offset > msg->control_len || msg->control_len - offset < sizeof(struct cmsghdr))
        return NULL;
    return (const struct cmsghdr *)((const uint8_t *)msg->control + offset);
}

static size_t offset_of(const struct message *msg, const struct cmsghdr *c)
{
    return (size_t)((const uint8_t *)c - (const uint8_t *)msg->control);
}

const struct cmsghdr *cmsg_first(const struct message *msg)
{
    return at(msg, 0);
}

bool cmsg_is_whole(const struct message *msg, const struct cmsghdr *c)
{
    return c->cmsg_len >= sizeof *c && c->cmsg_len <= msg->control_len - offset_of(msg, c);
}

const struct cmsghdr *cmsg_next(const struct message *msg, const struct cmsghdr *c)
{
    if (!cmsg_is_whole(msg, c))
        return NULL;
    return at(msg, offset_of(msg, c) + CMSG_ALIGN(c->cmsg_len));
}

int cmsg_check_socket(const struct message *msg)
{
    for (const struct cmsghdr *c = cmsg_first(msg); c; c = cmsg_next(msg, c)) {
        if (!cmsg_is_whole(msg, c))
            return -EINVAL;
        bool passes = c->cmsg_type == SCM_RIGHTS || c->cmsg_type == SCM_CREDENTIALS;
        bool number = c->cmsg_type == SO_MARK || c->cmsg_type == SO_PRIORITY;
        if (c->cmsg_level == SOL_SOCKET && !passes && !(number && c->cmsg_len == CMSG_LEN(sizeof(int))))
            return -EINVAL;
    }
    return 0;
}

void put_cmsg(struct message *msg, int level, int type, const void *data, size_t n)
{
    size_t room = msg->control ? msg->control_len - msg->control_used : 0, len = CMSG_LEN(n);

    if (room < len)
        msg->flags |= MSG_CTRUNC;
    if (room < sizeof(struct cmsghdr))
        return;
    len = MIN(len, room);
    uint8_t *place = (uint8_t *)msg->control + msg->control_used;
    const struct cmsghdr c = { .cmsg_len = len, .cmsg_level = level, .cmsg_type = type };
    memcpy(place, &c, sizeof c);
    memcpy(place + sizeof c, data, len - sizeof c);
    msg->control_used += MIN(CMSG_SPACE(n), room);
}

struct passed_files *passed_files_alloc(unsigned most)
{
    struct passed_files *files = mem_alloc(sizeof *files + most * sizeof(struct passed_file *));

    if (files)
        list_init(&files->link);
    return files;
}

void passed_files_free(struct passed_files *files)
{
    for (unsigned i = 0; files && i < files->n; i++)
        passed_file_put(files->file[i]);
    mem_free(files);
}
