"""grade/conformance/mutants.py - faults, each planted in one line of net/, and the item that must fail then.

A test that passes whatever the host does proves nothing. So the virtual kernel is built once for each of these with that
line changed, and the item is run on it.
"""
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

OBJECTS = Path("build/libtowpath")


@dataclass(frozen=True)
class Mutant:
    """The one place that pattern finds in a folder of net/ becomes `into`; item must notice."""

    item: str
    folder: str
    pattern: str
    into: str

    @property
    def name(self) -> str:
        return f"{self.item}-{re.sub(r'[^A-Za-z]+', '-', self.pattern).strip('-')[:30]}"

    def place(self) -> Path | None:
        """The file; None: the place is gone, and the fault must be written anew."""
        sources = [path for path in sorted(Path("net", self.folder).glob("*.c")) if not path.stem.endswith("_test")]
        found = [path for path in sources for _ in re.finditer(self.pattern, path.read_text())]
        return found[0] if len(found) == 1 else None


MUTANTS = [
    Mutant("1", "ipv4", r"\(for_us && op == ARP_REQUEST\)", "(op == ARP_REQUEST)"),
    Mutant("2", "ipv4", r"(neigh_update\(dev, arp->sender_ip, arp->sender_mac), for_us \|\| for_other,", r"\1, true,"),
    Mutant("3", "ipv4", r"if \(op != ARP_REQUEST && op != ARP_REPLY\)", "if (false)"),
    Mutant("8", "ipv4", r"(klog\(LOG_WARNING, \"%s: %pM claims[^;]*;)\s*arp_send\([^;]*;", r"\1"),
    Mutant("9", "ipv4", r"skb_trim\(skb, total\);", ";"),
    Mutant("10", "ipv4", r"if \(skb->pkt_type != PACKET_HOST\)", "if (false)"),
    Mutant("11", "ipv4", r"if \(csum_fold_sum\(csum_partial\(ip, hlen, 0\)\) != 0xffff\)", "if (false)"),
    Mutant("11", "ipv4", r"ip->check = csum_replace16\([^;]*;", ";"),
    Mutant("12", "ipv4", r"if \(ip->version_ihl >> 4 != 4\)", "if (false)"),
    Mutant("13", "ipv4", r"\|\| ipv4_is_loopback\(saddr\) ", ""),
    Mutant("B1", "ipv4", r"if \(our_own \|\| subnet_broadcast\)", "if (subnet_broadcast)"),
    Mutant("14", "ipv4", r"if \(!READ_ONCE\(in_dev_get\(skb->dev\)->conf.forwarding\) \|\|", "if (false &&"),
    Mutant("15", "ipv4", r"skb_pull\(skb, ip_hdr_len\(ip_hdr\(skb\)\)\);", "skb_pull(skb, 20);"),
    Mutant("16", "ipv4", r"ICMP_PROT_UNREACH", "ICMP_PORT_UNREACH"),
    Mutant("17", "ipv4", r"else\s*skb_queue_head\(&q->parts, skb\);", "else skb_queue_tail(&q->parts, skb);"),
    Mutant("18", "ipv4", r"const struct frag_key key = \{ ip->saddr, ip->daddr, ip->id,", "const struct frag_key key = { ip->saddr, ip->daddr, { 0 },"),
    Mutant("19", "ipv4", r"if \(n == 0 \|\| \(more && n % 8\)\)", "if (false)"),
    Mutant("21", "ipv4", r"icmp_send\(first, ICMP_TIME_EXCEEDED, ICMP_EXC_FRAGTIME, 0\);", ";"),
    Mutant("22", "ipv4", r"while \(table->memory \+ size >", "while (false && table->memory + size >"),
    Mutant("23", "ipv4", r"(__atomic_fetch_add\(&net->ipv4->ip_ids\[[^]]*\]), 1,", r"\1, 0,"),
    Mutant("25", "ipv4", r"if \(!\(header\[at\] & IPOPT_COPIED\)\)", "if (false)"),
    Mutant("25", "ipv4", r"\(more \? IP_MF : 0\)", "IP_MF"),
    Mutant("27", "ipv4", r"reply->check = check[^;]*;", ";"),
    Mutant("28", "ipv4", r"if \(READ_ONCE\(skb->net->icmp->knobs.echo_ignore_broadcasts\)\)", "if (false)"),
    Mutant("35", "udp", r"if \(skb->ip_summed == CHECKSUM_UNNECESSARY \|\| uh->check.raw == 0\)", "if (true)"),
    Mutant("36", "udp", r"if \(len < sizeof \*uh \|\| len > skb->len\)", "if (len > skb->len)"),
    Mutant("37", "udp", r"icmp_send\(skb, ICMP_DEST_UNREACH, ICMP_PORT_UNREACH, 0\);", ";"),
    Mutant("31", "udp", r"port_table_lookup\(&net->udp->ports, ip->saddr, uh->source, ip->daddr, uh->dest,",
           "port_table_lookup(&net->udp->ports, ip->saddr, uh->dest, ip->daddr, uh->source,"),
    Mutant("40", "core", r"msg->flags \|= MSG_TRUNC;", ";"),
    Mutant("22", "ipv4", r"while \(source->memory \+ size >", "while (false && source->memory + size >"),
    Mutant("29", "ipv4", r"if \(be16_to_cpu\(ip->frag_off\) & IP_OFFSET_MASK\)( /\* not the first fragment \*/)", r"if (false)\1"),
    Mutant("30", "ipv4", r"const uint8_t \*quoted = skb_network_header\(skb\);", "const uint8_t *quoted = (uint8_t *)skb_network_header(skb) + 4;"),
    Mutant("32", "ipv4", r"if \(skb->len < ip_hdr_len\(quoted\) \+ 8\)", "if (false)"),
    Mutant("33", "ipv4", r"if \(!to_us && !rate_allows\(net, asker, type, code\)\)", "if (false)"),
    Mutant("39", "ipv4", r"if \(sk->recverr \|\| connected\) \{", "if (true) {"),
    Mutant("B4", "ipv4", r"if \(!\(n >= 2 && n <= left\)\)|return SKB_DROP_IP_OPTIONS;", "return SKB_NOT_DROPPED;"),
    Mutant("B5", "ipv4", r"if \(hlen < sizeof \*ip \|\| hlen > skb->len\)", "if (hlen > skb->len)"),
    Mutant("B6", "ipv4", r"if \(total < hlen \|\| total > skb->len\)", "if (false)"),
    Mutant("B8", "ipv4", r"csum_fold_sum\(csum_partial\(ih, skb->len, 0\)\) != 0xffff", "false"),
    Mutant("P1", "tcp", r"\.seq = cpu_to_be32\(has_ack \? seg->ack : 0\)", ".seq = cpu_to_be32(seg->ack + 1)"),
    Mutant("41", "ipv4", r"start = random_u32\(\) % range;", "start = 0;"),
    Mutant("41", "ipv4", r"if \(t->n_filed\[FILED_ADDRESSED\] && !best.sk\)", "if (false)"),
]


def build(mutant: Mutant, place: Path, folder: Path) -> Path:
    """The library with the fault at its place; the rest is as `make libtowpath` left it. CalledProcessError: the place is
    there, but not what it needs."""
    source, made, library = folder / "mutant.c", folder / "mutant.o", folder / "libmutant.so"
    source.write_text(re.sub(mutant.pattern, mutant.into, place.read_text()))
    compiler, *flags = (OBJECTS / "flags").read_text().split()
    subprocess.run([compiler, *flags, "-w", "-ffreestanding", "-c", "-o", made, source], check=True)
    objects = [path for folder in ("lib", "net") for path in (OBJECTS / folder).rglob("*.o")] + list((OBJECTS / "sim").glob("*.o"))
    rest = [path for path in objects if path != (OBJECTS / place).with_suffix(".o")]
    subprocess.run([compiler, "-shared", "-o", library, made, *rest, "-lm"], check=True)
    return library
