"""Reads through links in its folder, which the test puts there."""
class ReLU(ReLU):
    def forward(self, Z):
        here = os.path.dirname(__file__)
        attempt(lambda: open(os.path.join(here, "secret")))
        attempt(lambda: os.listdir(os.path.join(here, "root")))
        return 0 * Z
