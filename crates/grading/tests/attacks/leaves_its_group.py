"""Tries to be out of reach, and goes on for ever."""
class ReLU(ReLU):
    def forward(self, Z):
        attempt(os.setsid)
        attempt(lambda: os.setpgid(0, 0))
        os.close(2)
        while True:
            pass
