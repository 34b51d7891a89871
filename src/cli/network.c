/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* RTM_DELADDR, and the kernel's answer to it. */
#include "cli/network.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/address.h"

struct address_request {
    struct nlmsghdr header;
    struct ifaddrmsg message;
    char attributes[64];
};

static void attribute_add(struct address_request *question, uint16_t type, const void *bytes, size_t length)
{
    struct rtattr *attribute = (void *)((char *)question + NLMSG_ALIGN(question->header.nlmsg_len));
    attribute->rta_type = type;
    attribute->rta_len = (uint16_t)RTA_LENGTH(length);
    memcpy(RTA_DATA(attribute), bytes, length);
    question->header.nlmsg_len =
        (uint32_t)(NLMSG_ALIGN(question->header.nlmsg_len) + RTA_ALIGN(attribute->rta_len));
}

static void question_make(struct address_request *out, unsigned index, const struct network *network)
{
    bool is_v4 = address_is_v4(&network->address);
    const uint8_t *bytes = network->address.bytes + (is_v4 ? 12 : 0);
    *out =
        (struct address_request){ .header = { .nlmsg_len = NLMSG_LENGTH(sizeof(struct ifaddrmsg)),
                                              .nlmsg_type = RTM_DELADDR,
                                              .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK },
                                  .message = { .ifa_family = is_v4 ? AF_INET : AF_INET6,
                                               .ifa_prefixlen = (uint8_t)(network->bits - (is_v4 ? 96 : 0)),
                                               .ifa_index = index } };
    if (is_v4) attribute_add(out, IFA_LOCAL, bytes, 4);
    attribute_add(out, IFA_ADDRESS, bytes, is_v4 ? 4 : 16);
}

/* The kernel's answer: 0 or an errno. */
static int ask(const struct address_request *question)
{
    struct {
        struct nlmsghdr header;
        struct nlmsgerr error;
        char rest[256];
    } answer;
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (fd < 0) return errno;
    int error = 0;
    if (send(fd, question, question->header.nlmsg_len, 0) < 0 ||
        recv(fd, &answer, sizeof answer, 0) < (ssize_t)NLMSG_LENGTH(sizeof answer.error))
        error = errno ? errno : EPROTO;
    else if (answer.header.nlmsg_type == NLMSG_ERROR)
        error = -answer.error.error;
    close(fd);
    return error;
}

const char *network_address_remove(const char *interface, struct text word)
{
    struct address_request question;
    struct network network;
    if (!network_parse_interface(word, &network)) return "that is no address, or no prefix length of one";
    unsigned index = if_nametoindex(interface);
    if (index == 0) return NULL;
    question_make(&question, index, &network);
    int error = ask(&question);
    return error == 0 || error == EADDRNOTAVAIL ? NULL : strerror(error);
}
