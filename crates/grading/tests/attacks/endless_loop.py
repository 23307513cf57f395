"""Never answers."""
class ReLU(ReLU):
    def forward(self, Z):
        while True:
            pass
