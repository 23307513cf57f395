"""Overflows the stack."""
class ReLU(ReLU):
    def forward(self, Z):
        sys.setrecursionlimit(1 << 30)
        return self.forward(Z)
