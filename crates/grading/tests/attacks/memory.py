"""Takes all memory."""
class ReLU(ReLU):
    def forward(self, Z):
        taken = []
        while True:
            taken.append(np.ones(1 << 24))
