"""Writes a gigabyte of error messages, in one line."""
class ReLU(ReLU):
    def forward(self, Z):
        for _ in range(1024):
            os.write(2, b"x" * (1 << 20))
        return 0 * Z
