"""grade/faults.py - what a bad cable does, chosen by a seed: the same seed does the same to the same frames."""
import random
from dataclasses import dataclass, field


@dataclass
class Faults:
    """Shares of frames (0 to 1) lost, doubled, swapped with the next, and damaged in one bit; and what is larger than
    `largest` bytes vanishes, as behind a router that does not say so."""

    seed: int = 1
    loss: float = 0.0
    duplicate: float = 0.0
    reorder: float = 0.0
    corrupt: float = 0.0
    largest: int = 0  # 0: any size
    held: bytes | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)

    def happens(self, share: float) -> bool:
        return share > 0 and self.chance.random() < share

    def damage(self, frame: bytes) -> bytes:
        bit = self.chance.randrange(14 * 8, len(frame) * 8)  # behind the Ethernet header: it stays the same cable
        return frame[:bit // 8] + bytes([frame[bit // 8] ^ 1 << bit % 8]) + frame[bit // 8 + 1:]

    def __call__(self, frame: bytes) -> list[tuple[bytes, str]]:
        """The frames that come out now, each with a remark. A frame held back comes out behind the next."""
        if 0 < self.largest < len(frame) or self.happens(self.loss):
            return []
        out = [(frame, "")]
        if self.happens(self.corrupt):
            out = [(self.damage(frame), "damaged by the wire")]
        if self.happens(self.duplicate):
            out.append((frame, "doubled by the wire"))
        if self.held is not None:
            out.append((self.held, "held back by the wire"))
            self.held = None
        elif self.happens(self.reorder):
            self.held = out.pop()[0]
        return out
