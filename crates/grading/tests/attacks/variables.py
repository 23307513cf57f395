"""Looks for secrets in its environment."""
class ReLU(ReLU):
    def forward(self, Z):
        if "ANSWERS" in os.environ or any("REPOSITORY" in value for value in os.environ.values()):
            raise RuntimeError("ESCAPED: a variable")
        return 0 * Z
