/* Connections that come and go in unusual ways. PORT scm|scm-mmsg|fastopen|fastopen-msg|mmsg */
#include <netinet/tcp.h>

#include "torture.h"

union control {
    char room[CMSG_SPACE(sizeof(int))];
    struct cmsghdr head;
};

static struct msghdr message(struct iovec *iov, union control *c) {
    return (struct msghdr){
        .msg_iov = iov, .msg_iovlen = 1, .msg_control = c, .msg_controllen = sizeof c->room};
}

/* Through a socket to ourselves: one descriptor goes, another comes. */
static void pass(int fd, bool many) {
    char c = 'x';
    int pair[2];
    struct iovec iov = {&c, 1};
    union control out = {{0}}, in = {{0}};
    struct mmsghdr sent = {.msg_hdr = message(&iov, &out)}, got = {.msg_hdr = message(&iov, &in)};
    socketpair(AF_UNIX, SOCK_DGRAM, 0, pair);
    out.head = (struct cmsghdr){
        .cmsg_len = CMSG_LEN(sizeof fd), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
    memcpy(CMSG_DATA(&out.head), &fd, sizeof fd);
    long r = many ? sendmmsg(pair[0], &sent, 1, 0) : sendmsg(pair[0], &sent.msg_hdr, 0);
    close(fd);
    r += many ? recvmmsg(pair[1], &got, 1, 0, NULL) : recvmsg(pair[1], &got.msg_hdr, 0);
    if (r != 2)
        die("pass");
    close(pair[0]);
    close(pair[1]);
}

static void open_fast(bool msg) {
    struct sockaddr_in a = loopback(server_port);
    struct iovec iov = {"x", 1};
    struct msghdr m = {.msg_name = &a, .msg_namelen = sizeof a, .msg_iov = &iov, .msg_iovlen = 1};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    char c;
    long r = msg ? sendmsg(fd, &m, MSG_FASTOPEN)
                 : sendto(fd, "x", 1, MSG_FASTOPEN, (struct sockaddr *)&a, sizeof a);
    if (r != 1 || read(fd, &c, 1) != 1)
        die("MSG_FASTOPEN");
}

static void talk_in_vectors(void) {
    char c[2];
    int fd = dial();
    struct iovec iov[2] = {{c, 1}, {c + 1, 1}};
    struct mmsghdr m[2] = {{.msg_hdr = {.msg_iov = iov, .msg_iovlen = 1}},
                           {.msg_hdr = {.msg_iov = iov + 1, .msg_iovlen = 1}}};
    if (sendmmsg(fd, m, 2, 0) != 2 || recvmmsg(fd, m, 2, MSG_WAITFORONE, NULL) < 1)
        die("mmsg");
}

int main(int argc, char **argv) {
    const char *mode = begin(argc, argv);
    dial();
    if (is(mode, "mmsg"))
        talk_in_vectors();
    else if (strstr(mode, "fastopen"))
        open_fast(is(mode, "fastopen-msg"));
    else
        pass(dial(), is(mode, "scm-mmsg"));
    ready();
    return 0;
}
