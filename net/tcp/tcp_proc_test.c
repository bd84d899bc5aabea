/* net/tcp/tcp_proc_test.c - /proc/net/tcp, snmp and netstat column by column, and TCP_INFO, as Linux gives
 * them. */
#include "net/tcp/tcp_info.h"
#include "net/tcp/tcp_script_test.h"
#include <stdio.h>
#include <stdlib.h>

enum { MSS = 536 };
static const uint8_t zeroes[20 * MSS];

static void read_proc(struct script *s, const char *name, char *text, size_t size)
{
    struct textbuf out = { .buf = text, .size = size };
    net_proc_find(s->vk->net, name)->show(s->vk->net, &out);
    CHECK(out.len < size);
}

static struct tcp_info info_of(struct sock *sk)
{
    struct tcp_info info;
    socklen_t len = sizeof info;
    CHECK_EQ(sock_getsockopt(sk, IPPROTO_TCP, TCP_INFO, &info, &len), 0);
    CHECK_EQ(len, sizeof info);
    return info;
}

/* The line of /proc/net/tcp with this local port and state, without its number; padded as Linux pads it. */
static const char *line_of(struct script *s, const char *ends_and_state)
{
    static char text[4096];
    read_proc(s, "tcp", text, sizeof text);
    for (char *at = text, *end; (end = strchr(at, '\n')); at = end + 1) {
        CHECK_EQ(end - at, 149);
        *end = 0;
        char *line = strchr(at, ':');
        if (line && !strncmp(line + 2, ends_and_state, strlen(ends_and_state)))
            return line + 2;
    }
    return "none";
}

static void check_line(const char *line, const char *wanted)
{
    if (strncmp(line, wanted, strlen(wanted)))
        printf("  %s\n  %s\n", line, wanted);
    CHECK(!strncmp(line, wanted, strlen(wanted)));
}

TEST(proc_net_tcp_of_a_listener) /* as a Linux host prints it */
{
    struct script s = script_begin();
    script_listen(&s, 5);
    const char *line = line_of(&s, "00000000:0050");
    check_line(line, "00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 ");
    CHECK(strstr(line, " 0000000000000000 100 0 0 10 0 "));
    struct tcp_info info = info_of(s.listener);
    CHECK_EQ(info.tcpi_unacked, 0);
    CHECK_EQ(info.tcpi_sacked, 5);
    script_end(&s);
}

TEST(proc_net_tcp_of_a_connection_that_waits_for_an_ack)
{
    struct script s = script_begin();
    s.vk->net->tcp->quickacks = 16;
    s.vk->net->tcp->tlp = false;
    script_accept(&s);
    CHECK_EQ(vk_send(s.sk, zeroes, 100, 0), 100);
    host_sends(&s, PSH | ACK);
    const char *line = line_of(&s, "0100000A:0050 0200000A:0FA0 01");
    check_line(line, "0100000A:0050 0200000A:0FA0 01 00000064:00000000 01:00000014 00000000     0        0 ");
    CHECK(strstr(line, " 0000000000000000 20 0 32 10 -1 ")); /* 16 quick ACKs left, not interactive */
    s.rcv -= 100;
    host_sends(&s, PSH | ACK); /* 200 ms later */
    line = line_of(&s, "0100000A:0050 0200000A:0FA0 01");
    check_line(line, "0100000A:0050 0200000A:0FA0 01 00000064:00000000 01:00000028 00000001 ");
    CHECK(strstr(line, " 20 0 32 1 ")); /* the window is one segment */
    script_end(&s);
}

TEST(proc_net_tcp_tells_of_text_received_and_of_the_delay_of_acks)
{
    struct script s = script_begin();
    s.vk->net->tcp->delack_time = ms(70);
    script_accept(&s);
    peer_sends(&s, PSH | ACK, "hello", 5);
    CHECK_EQ(vk_send(s.sk, "x", 1, 0), 1);
    host_sends(&s, PSH | ACK);
    peer_sends(&s, ACK, NULL, 0);
    const char *line = line_of(&s, "0100000A:0050 0200000A:0FA0 01");
    check_line(line, "0100000A:0050 0200000A:0FA0 01 00000000:00000005 00:00000000 00000000 ");
    CHECK(strstr(line, " 20 7 1 10 -1 ")); /* interactive */
    script_end(&s);
}

/* The value below name in the two lines of file that begin with section. */
static long value_of(struct script *s, const char *file, const char *section, const char *name)
{
    static char text[16384];
    char *names, *values, *at_name, *at_value, *word, *value;
    read_proc(s, file, text, sizeof text);
    names = strtok_r(text, "\n", &values);
    while (names && strncmp(names, section, strlen(section)))
        names = strtok_r(NULL, "\n", &values);
    CHECK(names);
    values = strtok_r(NULL, "\n", &values);
    for (word = strtok_r(names, " ", &at_name), value = strtok_r(values, " ", &at_value); word && value;
         word = strtok_r(NULL, " ", &at_name), value = strtok_r(NULL, " ", &at_value))
        if (!strcmp(word, name))
            return strtol(value, NULL, 10);
    CHECK_EQ(word == NULL, value == NULL); /* as many values as names */
    return -1;
}

TEST(the_sections_of_snmp_and_netstat_stand_in_linuxs_order)
{
    struct script s = script_begin();
    static const char *const order[] = { "Ip: ", "\nIcmp: ", "\nTcp: ", "\nUdp: ", "\nUdpLite: " };
    char text[16384], *at = text;
    read_proc(&s, "snmp", text, sizeof text);
    for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
        at = strstr(at, order[i]);
        CHECK(at);
    }
    read_proc(&s, "netstat", text, sizeof text);
    CHECK(!strncmp(text, "TcpExt: SyncookiesSent SyncookiesRecv", 37));
    CHECK(strstr(text, "\nIpExt: InNoRoutes "));
    CHECK_EQ(value_of(&s, "netstat", "TcpExt:", "no such"), -1);
    CHECK_EQ(value_of(&s, "netstat", "IpExt:", "no such"), -1);
    CHECK_EQ(value_of(&s, "snmp", "Tcp:", "no such"), -1);
    script_end(&s);
}

TEST(snmp_tells_the_bounds_of_the_time_out) /* RFC 4022, tcpRtoMin and tcpRtoMax */
{
    struct script s = script_begin();
    CHECK_EQ(net_sysctl_set(s.vk->net, "net/ipv4/tcp_rto_min_us", "5000"), 0);
    CHECK_EQ(net_sysctl_set(s.vk->net, "net/ipv4/tcp_rto_max_ms", "60000"), 0);
    CHECK_EQ(value_of(&s, "snmp", "Tcp:", "RtoMin"), 5);
    CHECK_EQ(value_of(&s, "snmp", "Tcp:", "RtoMax"), 60000);
    script_end(&s);
}

TEST(a_time_out_is_told_everywhere)
{
    struct script s = script_begin();
    s.vk->net->tcp->tlp = false;
    script_accept(&s);
    CHECK_EQ(vk_send(s.sk, zeroes, 3 * MSS, 0), 3 * MSS);
    for (int i = 0; i < 3; i++)
        host_sends(&s, i < 2 ? ACK : PSH | ACK);
    s.rcv -= 3 * MSS;
    host_sends(&s, ACK);
    CHECK_EQ(value_of(&s, "netstat", "TcpExt:", "TCPTimeouts"), 1);
    CHECK_EQ(value_of(&s, "netstat", "TcpExt:", "TCPSlowStartRetrans"), 1);
    CHECK_EQ(value_of(&s, "netstat", "TcpExt:", "TCPFastRetrans"), 0);
    CHECK_EQ(value_of(&s, "snmp", "Tcp:", "RetransSegs"), 1);
    struct tcp_info info = info_of(s.sk);
    CHECK_EQ(info.tcpi_ca_state, TCP_CA_LOSS);
    CHECK_EQ(info.tcpi_data_segs_out, 4);
    CHECK_EQ(info.tcpi_bytes_sent, 4 * MSS);
    CHECK_EQ(info.tcpi_bytes_retrans, MSS);
    CHECK_EQ(info.tcpi_total_rto, 1);
    CHECK_EQ(info.tcpi_total_rto_recoveries, 0);
    CHECK_EQ(info.tcpi_retrans, 1);
    CHECK_EQ(info.tcpi_lost, 2);
    sim_run_for(ms(50));
    s.rcv += 2 * MSS;
    peer_sends(&s, ACK, NULL, 0);
    info = info_of(s.sk);
    CHECK_EQ(info.tcpi_total_rto_recoveries, 1);
    CHECK_EQ(info.tcpi_total_rto_time, 50);
    script_end(&s);
}

TEST(what_is_received_is_told) /* and that the beginning of slow start has no threshold */
{
    struct script s = script_begin();
    script_accept(&s);
    peer_sends(&s, ACK, zeroes, 1000);
    peer_sends_at(&s, ACK, s.snd + 500, s.rcv, zeroes, 500);
    sim_run_for(ms(30));
    struct tcp_info info = info_of(s.sk);
    CHECK_EQ(info.tcpi_data_segs_in, 1);
    CHECK_EQ(info.tcpi_rcv_ooopack, 1);
    CHECK_EQ(info.tcpi_bytes_received, 1000);
    CHECK_EQ(info.tcpi_last_data_recv, 30);
    CHECK_EQ(info.tcpi_ato, 40000);
    CHECK_EQ(info.tcpi_snd_ssthresh, 0x7fffffff);
    CHECK_EQ(info.tcpi_snd_cwnd, 10);
    CHECK_EQ(info.tcpi_reordering, 3);
    peer_sends_at(&s, ACK, s.snd - 1000, s.rcv, zeroes, 1000);
    CHECK_EQ(value_of(&s, "netstat", "TcpExt:", "DelayedACKLost"), 1);
    script_end(&s);
}

TEST(a_socket_without_connection_tells_linuxs_defaults)
{
    struct script s = script_begin();
    struct sock *sk = vk_socket(s.vk, SOCK_STREAM);
    struct tcp_info info = info_of(sk);
    CHECK_EQ(info.tcpi_min_rtt, UINT32_MAX);
    CHECK_EQ(info.tcpi_rto, 1000000);
    CHECK_EQ(info.tcpi_snd_cwnd, 10);
    vk_close(sk);
    script_end(&s);
}

TEST(icmp_types_are_shown_only_when_there_were_some)
{
    struct script s = script_begin();
    char text[8192];
    read_proc(&s, "snmp", text, sizeof text);
    CHECK(!strstr(text, "IcmpMsg:"));
    struct packet p = {
        .protocol = PACKET_ICMP, .saddr = s.tap->ip, .daddr = s.vk->addr, .icmp_type = 8, .icmp_rest = 1
    };
    memcpy(p.dst_mac, s.vk->nic->dev->dev_addr, sizeof p.dst_mac);
    tap_send(s.tap, &p);
    sim_run_for(ms(1));
    tap_flush(s.tap);
    read_proc(&s, "snmp", text, sizeof text);
    CHECK(strstr(text, "\nIcmpMsg: InType8 OutType0\nIcmpMsg: 1 1\nTcp: "));
    script_end(&s);
}
